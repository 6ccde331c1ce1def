"""When to try again what failed: ever later, up to a limit, and with jitter, so that daemons do not march in step."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

FIRST_DELAY, LONGEST_DELAY = 1.0, 60.0  # seconds

F = TypeVar("F")
Delay = Callable[[int], float]


def delay(times: int) -> float:
    """Return the seconds to wait after something has failed *times* times in a row."""
    longest: float = min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(times - 1, 10))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - no secret


class _Trouble(NamedTuple, Generic[F]):
    failure: F
    times: int
    due: float


class Backoff(Generic[F]):
    """What failed, by name, and when each is due again. *now* returns monotonic seconds."""

    def __init__(self, now: Callable[[], float], delay: Delay) -> None:
        self._now, self._delay = now, delay
        self._troubles: dict[str, _Trouble[F]] = {}

    def fail(self, name: str, failure: F) -> F:
        """Note that something failed, once more."""
        before = self._troubles.get(name)
        times = before.times + 1 if before else 1
        self._troubles[name] = _Trouble(failure, times, self._now() + self._delay(times))
        return failure

    def forget(self, name: str) -> None:
        """Note that it succeeded, or is not what it was."""
        self._troubles.pop(name, None)

    def last(self, name: str) -> F | None:
        """Return why it failed when it was last tried; None when it did not."""
        trouble = self._troubles.get(name)
        return trouble.failure if trouble else None

    def holds(self, name: str) -> bool:
        """Whether it failed and is not due again yet."""
        trouble = self._troubles.get(name)
        return trouble is not None and self._now() < trouble.due

    def due(self, after: float) -> float:
        """Return when the next one is due, of those that were not at the time *after*; infinite when none is."""
        return min((trouble.due for trouble in self._troubles.values() if trouble.due > after), default=math.inf)
