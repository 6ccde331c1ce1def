"""What a person removes is never pushed back: rewinds, force-pushes, branches that go and come, amended status commits.

Each attempt is a history of its own: some commits and passes, then upheavals one after another, of any branch there is.
The daemon that comes next goes on, has begun again, or has the disk of a while ago; or it was frozen with all decided
and nothing pushed, and wakes up in another world.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from torture.arena import Arena, Campaign
from torture.histories import History
from torture.lanes import Job, run_in_lanes

_UPHEAVALS = 4  # in one history


class Lane:
    """Where histories take place, one after another."""

    def __init__(self, folder: Path, number: int) -> None:
        self.folder = folder / f"lane-{number}"
        self.folder.mkdir()

    def close(self) -> None:
        shutil.rmtree(self.folder)


def run(arena: Arena) -> None:
    """Make histories, and turn each of them over a few times."""

    def jobs(arena: Arena, _: Lane) -> Iterator[Job[Lane]]:
        for seed, _chance in arena.attempts("rewinds", 120):
            yield Job(seed, attempt)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_ALLOW_PROTOCOL", "file")  # so that definitions may name paths
        run_in_lanes(arena, jobs, partial(Lane, arena.folder))


def attempt(arena: Arena, lane: Lane, chance: random.Random, upheavals: int = _UPHEAVALS) -> None:
    """One history."""
    history = History(lane.folder / "history", chance)
    try:
        history.live()
        for _ in range(upheavals):
            arena.counts[history.turn_over()] += 1
    except Exception as error:
        error.add_note("\n".join(history.told))
        raise
    finally:
        history.close()


REWINDS = Campaign(
    "rewinds",
    "What a person removes from a branch, by rewind, force-push, amendment or removal, is never pushed back.",
    run,
)
