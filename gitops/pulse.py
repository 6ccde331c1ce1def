"""How the daemon does, for those who ask from outside: counted by its own thread, read by others at any time."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from gitops.writing import Outcome

_STUCK = 1800.0  # seconds after which a pass will not end any more: even a million placements take a twentieth of that


@dataclass(frozen=True)
class Vitals:
    """What is told. Times are seconds since 1970; *since* is when the pass under way began, None between passes.

    *passes* are counted by how they ended, and *works* by how they stand.
    """

    passes: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    commits: int = 0
    events: int = 0
    works: Mapping[str, int] = field(default_factory=dict)
    problems: int = 0
    succeeded: float | None = None
    failing: bool = False
    since: float | None = None


class Pulse:
    """Takes the pulse of a daemon, by the time of *clock*."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._vitals = Vitals()

    def vitals(self) -> Vitals:
        """Return how the daemon does at this moment."""
        return self._vitals

    @property
    def alive(self) -> bool:
        """Whether it can be expected to go on by itself."""
        since = self._vitals.since
        return since is None or self._clock() - since < _STUCK

    @property
    def ready(self) -> bool:
        """Whether the last pass did what it should."""
        return self._vitals.succeeded is not None and not self._vitals.failing

    @contextmanager
    def passing(self) -> Iterator[None]:
        """A pass is under way; it failed if an error ends it. Until then the last one counts."""
        begun, before = self._clock(), self._vitals
        self._vitals = replace(before, since=begun)
        result = "failed"
        try:
            yield
            result = "changed" if self._vitals.commits > before.commits else "unchanged"
        finally:
            now, took = self._vitals, self._clock() - begun
            passes = Counter(now.passes)
            passes[result] += 1
            failing = result == "failed"
            self._vitals = replace(now, passes=passes, seconds=now.seconds + took, failing=failing, since=None)

    def succeeded(self, outcomes: Sequence[Outcome], works: Mapping[str, int]) -> None:
        """Tell what a pass did, and how the Works stand after it."""
        now = self._vitals
        self._vitals = replace(
            now,
            commits=now.commits + sum(len(outcome.commits) for outcome in outcomes),
            events=now.events + sum(outcome.events for outcome in outcomes),
            works=dict(works),
            problems=len(outcomes[-1].problems),
            succeeded=self._clock(),
        )
