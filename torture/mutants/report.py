"""What is printed: a row for each module, and who survived there, as soon as all of its faults were tried."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from typing import TextIO

from torture.mutants.faults import Fault
from torture.mutants.hunt import Trial

_COLUMNS = ("mutants", "killed", "timed out", "survived", "explained")


class Report:
    """Gathers trials. *explained* are the faults that nobody tries."""

    def __init__(self, faults: Sequence[Fault], explained: Sequence[Fault], out: TextIO = sys.stdout) -> None:
        self._left = Counter(fault.module for fault in faults)
        self._rows = {name: Counter({"mutants": 0}) for name in self._left}
        self._survivors: list[Fault] = []
        self._out = out
        print(f"{'':30}" + "".join(f"{name:>11}" for name in (*_COLUMNS, "percent")), file=out)
        for fault in explained:
            self._count(fault, "explained")

    def add(self, trial: Trial) -> None:
        """Take a trial that ended."""
        if trial.survived:
            self._survivors.append(trial.fault)
        self._count(trial.fault, "survived" if trial.survived else "timed out" if trial.hung else "killed")

    def total(self) -> float:
        """Print the last row, and return the percentage of faults that were noticed."""
        return self._print("all", sum(self._rows.values(), Counter()))

    def _count(self, fault: Fault, outcome: str) -> None:
        row = self._rows[fault.module]
        row.update(("mutants", outcome))
        if row["mutants"] == self._left[fault.module]:
            self._print(fault.module, row)
            self._print_survivors(fault.module)

    def _print(self, name: str, row: Counter[str]) -> float:
        percent = 100 * (row["killed"] + row["timed out"]) / row["mutants"]
        print(f"{name:30}" + "".join(f"{row[each]:11,}" for each in _COLUMNS) + f"{percent:11.1f}", file=self._out)
        return percent

    def _print_survivors(self, module: str) -> None:
        file = f"{module.replace('.', '/')}.py"
        for fault in sorted((each for each in self._survivors if each.module == module), key=lambda each: each.number):
            print(f"  {file}:{fault.number} {fault.where}: {fault.change}", file=self._out, flush=True)
