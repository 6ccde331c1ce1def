"""The hunt: a session of pytest that collects the tests, and then asks them about one fault after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from signal import SIGALRM
from typing import NamedTuple

import pytest

from torture.mutants import children
from torture.mutants.faults import Fault
from torture.mutants.suite import Suite, is_law, make_small
from torture.mutants.trials import notice


class Trial(NamedTuple):
    """A fault, and what became of it: it was `noticed`, or a test `hung`; neither, and it survived."""

    fault: Fault
    noticed: bool
    hung: bool

    @property
    def survived(self) -> bool:
        return not self.noticed and not self.hung


class Hunt:
    """A plugin of pytest. *tell* is called with each trial when it has ended."""

    def __init__(self, faults: Sequence[Fault], folder: Path, tell: Callable[[Trial], None]) -> None:
        self.failing: list[str] = []
        self._faults, self._folder, self._tell = faults, folder, tell
        self._noticed: dict[str, list[int]] = {}  # by function the tests that noticed something there, the last first

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self) -> None:
        """Keep no example, make none smaller: a fault is noticed by the first."""
        from hypothesis import Phase, settings  # pytest must be the first to import it

        phases = [Phase.explicit, Phase.generate]
        settings.register_profile("mutants", derandomize=True, database=None, phases=phases, deadline=None)
        settings.load_profile("mutants")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Do without the tests of servers, which take long to start and know nothing of what is changed here."""
        items[:] = [item for item in items if "servers" not in getattr(item, "fixturenames", ())]
        for item in filter(is_law, items):
            make_small(item)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Take the place of running the tests."""
        suite = Suite(session.items, sorted({fault.module for fault in self._faults}), self._folder)
        self.failing = suite.failing
        for trial in self._trials(suite):
            self._tell(trial)
        return True

    def _trials(self, suite: Suite) -> Iterator[Trial]:
        asked: dict[int, list[int]] = {}

        def jobs() -> Iterator[children.Job]:
            for number, fault in enumerate(self._faults):
                asked[number] = suite.against(fault, self._noticed.get(fault.function, ()))
                chosen = [(suite.items[test], suite.runs[test].seconds) for test in asked[number]]
                yield partial(notice, fault, chosen)

        for ended in children.do(jobs(), self._folder):
            fault, tests = self._faults[ended.number], asked.pop(ended.number)
            if ended.result in range(len(tests)):
                self._remember(fault, tests[ended.result])
            crashed = ended.signal not in (0, SIGALRM)
            yield Trial(fault, ended.result is not None or crashed, ended.signal == SIGALRM)

    def _remember(self, fault: Fault, test: int) -> None:
        known = self._noticed.setdefault(fault.function, [])
        known[:] = [test, *(number for number in known if number != test)]
