"""The tests that there are, what each of them reaches, and which of them to ask about a fault."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import takewhile
from pathlib import Path

import pytest

from torture.mutants import children
from torture.mutants.faults import Fault
from torture.mutants.trials import Run, measure

_WORTH = 20  # seconds of the processor for tests, for each fault; the laws come on top
_HISTORIES = 10  # of each law


class Suite:
    """All tests, each run once without a fault. `failing` are those that no fault can make fail."""

    def __init__(self, items: Sequence[pytest.Item], modules: Sequence[str], folder: Path) -> None:
        self.items = items
        shares = [range(start, len(items), children.PROCESSORS) for start in range(children.PROCESSORS)]
        runs: dict[int, Run] = {}
        for ended in children.do((partial(measure, [items[n] for n in s], modules) for s in shares), folder):
            assert ended.result is not None, f"measuring the tests was ended by signal {ended.signal}"
            runs |= zip(shares[ended.number], ended.result, strict=True)
        self.runs = [runs[number] for number in range(len(items))]
        self.failing = [items[number].nodeid for number, run in sorted(runs.items()) if run.outcome == "failed"]

    def against(self, fault: Fault, known: Sequence[int]) -> list[int]:
        """Return the tests to ask: the *known* ones, those of the module, cheap ones of each kind, the laws."""
        reaching = [number for number in range(len(self.items)) if self._reaches(number, fault)]
        laws = [number for number in reaching if is_law(self.items[number])]
        others = set(reaching).difference(laws, known)
        own = sorted(number for number in others if _is_about(self.items[number], fault.module))
        cheap = self._varied(others.difference(own))
        spent = 0.0

        def affordable(number: int) -> bool:
            nonlocal spent
            spent += self.runs[number].work
            return spent < _WORTH

        first = [number for number in known if number in reaching]
        return [*first, *own, *takewhile(affordable, cheap), *(number for number in laws if number not in first)]

    def _varied(self, numbers: Iterable[int]) -> list[int]:
        """Order tests by what they cost, but a second case of one function only after a first one of each."""
        cases: Counter[tuple[Path, str]] = Counter()
        turns = []
        for number in sorted(numbers, key=lambda number: (self.runs[number].work, number)):
            item = self.items[number]
            function = item.path, getattr(item, "originalname", item.name)
            turns.append((cases[function], len(turns), number))
            cases[function] += 1
        return [number for *_, number in sorted(turns)]

    def _reaches(self, number: int, fault: Fault) -> bool:
        """Whether a test runs the line, or knows the module when the line is not in a function."""
        run = self.runs[number]
        lines = run.lines.get(fault.module, frozenset())
        if run.outcome != "passed":
            return False
        return fault.line in lines if fault.line else bool(lines) or _knows(self.items[number], fault.module)


def _knows(item: pytest.Item, module: str) -> bool:
    """Whether the file of a test has imported something of *module*."""
    file = item.getparent(pytest.Module)
    known = vars(file.obj).values() if file else ()
    return any(module in (getattr(each, "__name__", ""), getattr(each, "__module__", "")) for each in known)


def _is_about(item: pytest.Item, module: str) -> bool:
    """Whether the file of a test is named after *module*."""
    return item.path.stem == f"test_{module.rpartition('.')[2]}"


def is_law(item: pytest.Item) -> bool:
    """Whether it tells of random histories."""
    return "laws" in item.path.parts


def make_small(item: pytest.Item) -> None:
    """Let a law look at a few histories only."""
    from hypothesis import Phase, settings  # pytest must be the first to import it

    machine = getattr(item, "cls", None)
    if machine and hasattr(machine, "settings"):
        machine.settings = settings(machine.settings, max_examples=_HISTORIES, phases=[Phase.generate], database=None)
