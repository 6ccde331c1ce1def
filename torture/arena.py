"""What a campaign is given, and what it leaves behind: a folder, chance, counts and findings."""

from __future__ import annotations

import random
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

MEMORY = Path("/dev/shm")  # where there is one: what is synced thousands of times need not reach a disk


class Finding(NamedTuple):
    """A promise that did not hold: the seed of the attempt that shows it, and what was seen."""

    seed: str
    text: str


@dataclass
class Arena:
    """Where one campaign runs. *scale* is its size: 1 is that of `make torture`, the tests take a hundredth or less."""

    folder: Path
    seed: int = 1
    scale: float = 1.0
    only: str = ""  # of all attempts the one with this seed: a replay
    counts: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def times(self, whole: int, least: int = 1) -> int:
        """Return how often to do what a whole run does *whole* times."""
        return max(least, round(whole * self.scale))

    def attempts(self, kind: str, whole: int, least: int = 1) -> Iterator[tuple[str, random.Random]]:
        """Yield the seeds of *whole* attempts, scaled, each with its own chance; of a replay only the one."""
        for number in range(self.times(whole, least)):
            seed = f"{kind}-{self.seed}-{number}"
            if self.only in ("", seed):
                yield seed, random.Random(seed)

    @contextmanager
    def attempt(self, seed: str) -> Iterator[None]:
        """Take whatever goes wrong inside for a finding, and go on."""
        self.counts["attempts"] += 1
        try:
            yield
        except Exception:
            self.findings.append(Finding(seed, traceback.format_exc()))


@dataclass(frozen=True)
class Campaign:
    """One kind of bad luck. *promise* is a sentence that the README tells, and that holds if nothing was found."""

    name: str
    promise: str
    run: Callable[[Arena], None]
