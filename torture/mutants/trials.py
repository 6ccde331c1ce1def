"""What a child does: it runs tests to learn what they reach, or puts a fault into its program and looks who notices."""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import NamedTuple

import pytest
from _pytest.runner import runtestprotocol

from torture.mutants.faults import Fault
from torture.mutants.graft import graft
from torture.mutants.reach import Marks

_PATIENCE, _SLOWER = 5, 20
"""A test that takes so many seconds more than this many times what it took without a fault, will take for ever."""
_MEMORY = 6 << 30
AT_ONCE = -1  # the number of the test that need not run: the module cannot even be imported


class Run(NamedTuple):
    """How long a test took, what of that the processor was at work, how it ended, and which lines it ran, by module."""

    seconds: float
    work: float
    outcome: str
    lines: Mapping[str, frozenset[int]]


def measure(items: Sequence[pytest.Item], modules: Sequence[str]) -> list[Run]:
    """Run tests without a fault."""
    marks, found = Marks(modules), []
    for item, following in zip(items, [*items[1:], None], strict=True):
        marks.take()
        begun, before = monotonic(), _work()
        outcome = _outcome(item, following)
        found.append(Run(monotonic() - begun, _work() - before, outcome, marks.take()))
    return found


def _work() -> float:
    """Return the seconds of processors that this process and its children had."""
    return sum(os.times()[:4])


def notice(fault: Fault, tests: Sequence[tuple[pytest.Item, float]]) -> int | None:
    """Put *fault* into the program; return the number of the first of *tests* that fails, None when all pass.

    Each comes with the seconds that it took without a fault.
    """
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    try:
        graft(sys.modules[fault.module], fault.tree())
    except Exception:
        return AT_ONCE
    for number, (item, seconds) in enumerate(tests):
        signal.alarm(int(_PATIENCE + _SLOWER * seconds))  # nobody handles it: that ends the process
        if _outcome(item, tests[number + 1][0] if number + 1 < len(tests) else None) == "failed":
            return number
    return None


def _outcome(item: pytest.Item, following: pytest.Item | None) -> str:
    try:
        outcomes = {report.outcome for report in runtestprotocol(item, log=False, nextitem=following)}
    except BaseException:
        return "failed"
    return next((each for each in ("failed", "skipped") if each in outcomes), "passed")
