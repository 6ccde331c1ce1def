"""Everything from nothing, and a new process when nothing is left to do: figures 1, 6 and the first half of 9."""

from __future__ import annotations

from functools import cache
from statistics import median
from typing import NamedTuple

from benchmarks import yardstick
from benchmarks.process import GITOPS, Command, Run, timed, watched
from benchmarks.report import Row, compare
from benchmarks.repository import Repository
from benchmarks.source import Size
from benchmarks.stage import Settled, Stage

_KIB = 1024


class Round(NamedTuple):
    """The same result made by both."""

    ours: Run
    git: Run


@cache
def rounds(stage: Stage, size: Size) -> tuple[Round, ...]:
    """Let both make everything, in turns; measured once for all figures that are about it."""
    settled = stage.settled(size)
    return tuple(_round(stage, settled) for _ in range(stage.rounds))


def _round(stage: Stage, settled: Settled) -> Round:
    with stage.copy(settled.source) as repo:
        ours = _first_pass(repo)
    with stage.copy(settled.source) as repo:
        return Round(ours, yardstick.fast_import_watched(repo, settled.stream))


def _first_pass(repo: Repository) -> Run:
    begun = repo.tip()
    return watched(_once(repo), done=lambda: repo.tip() != begun)


def _once(repo: Repository) -> Command:
    return [GITOPS, "--repo", repo.path, "run", "--once"]


def cold(stage: Stage) -> list[Row]:
    """Figure 1: from the start of the process until the branch has documents and status."""
    measured = rounds(stage, stage.size)
    ours, git = [r.ours.done for r in measured], [r.git.ended for r in measured]
    note = (
        f"the process ended {median(r.ours.ended - r.ours.done for r in measured):.2f} s after it had moved the branch"
    )
    return [compare("1", "cold", ours, git, must=1.0, goal=0.6, note=note)]


def restart(stage: Stage) -> list[Row]:
    """Figure 6: from the start of a process until it has found nothing to do, and ended."""
    settled = stage.settled()
    first: list[float] = []
    again: list[float] = []
    for _ in range(stage.rounds):
        with stage.copy(settled.source) as repo:
            first.append(_first_pass(repo).done)
            done = repo.tip()
            again.append(timed(_once(repo)))
            if repo.tip() != done:
                raise AssertionError("the second process found something to do")
    return [compare("6", "restart, by figure 1", again, first, must=0.4, goal=0.1)]


def peak(stage: Stage) -> list[Row]:
    """Figure 9, first half: the peak memory of figure 1."""
    measured = rounds(stage, stage.size)
    ours, git = [r.ours.peak / _KIB for r in measured], [r.git.peak / _KIB for r in measured]
    return [compare("9", "peak memory of figure 1", ours, git, must=4.0, goal=2.5, measure="MiB")]
