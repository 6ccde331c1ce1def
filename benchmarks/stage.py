"""Where the figures are measured: repositories of each size, made once, and fresh copies for the measurements."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from benchmarks import source, yardstick
from benchmarks.process import GITOPS, timed
from benchmarks.repository import Repository
from benchmarks.source import Size
from benchmarks.yardstick import Stream


@dataclass(frozen=True)
class Settled:
    """A repository in which everything is done, the one that it was made from, and the stream from this to that."""

    source: Repository
    repo: Repository
    stream: Stream


class Stage:
    """A folder for repositories, the size that was asked for, and how often each figure is measured."""

    def __init__(self, folder: Path, size: Size, rounds: int) -> None:
        self.folder, self.size, self.rounds = folder, size, rounds
        self._settled: dict[Size, Settled] = {}
        self._checked: set[str] = set()
        self._numbers = count()

    def say(self, what: str) -> None:
        """Tell whoever waits what is under way."""
        print(what, file=sys.stderr, flush=True)

    def settled(self, size: Size | None = None) -> Settled:
        """Return the repository of *size* (default: the size that was asked for), made and checked the first time."""
        size = size or self.size
        if size not in self._settled:
            self._settled[size] = self._settle(size)
        return self._settled[size]

    def check(self, figure: str, repo: Repository) -> None:
        """Have git look for faults in *repo*, if nothing was checked for this figure yet."""
        if figure not in self._checked:
            repo.check()
            self._checked.add(figure)

    def path(self) -> Path:
        """Return a path that nobody uses."""
        return self.folder / str(next(self._numbers))

    @contextmanager
    def copy(self, repo: Repository) -> Iterator[Repository]:
        """Lend a copy of *repo*."""
        copied = repo.copy(self.path())
        try:
            yield copied
        finally:
            copied.remove()

    def _settle(self, size: Size) -> Settled:
        self.say(f"making {size}")
        made = source.build(self.path(), size)
        repo = made.copy(self.path())
        timed([GITOPS, "--repo", repo.path, "run", "--once"])
        _complete(repo, size)
        return Settled(made, repo, yardstick.write(repo, made.tip(), self.path()))


def _complete(repo: Repository, size: Size) -> None:
    """Fail unless every placement is there, and git finds no fault with the objects."""
    files = repo.git("ls-tree", "-r", "--name-only", "main", "status/works").splitlines()
    placements = sum(not path.endswith("/work.yaml") for path in files)
    if placements != size.total:
        raise AssertionError(f"{repo.path} has {placements} placements, not {size.total}")
    repo.check()
