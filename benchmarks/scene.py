"""A daemon at work: people commit, it answers, and Git does the same beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from benchmarks import yardstick
from benchmarks.daemon import Daemon
from benchmarks.repository import Repository
from benchmarks.source import Size
from benchmarks.stage import Stage

Files = Mapping[str, bytes]
_MESSAGE = "A change"


class Answer(NamedTuple):
    """What somebody committed, and the seconds from then until the branch had the daemon's answer."""

    files: Files
    commit: str
    seconds: float


class Scene:
    """A repository and its daemon, which has nothing left to do."""

    def __init__(self, repo: Repository, daemon: Daemon) -> None:
        self.repo, self.daemon = repo, daemon

    def change(self, files: Files) -> Answer:
        """Commit *files* and wait for the daemon's commits."""
        begun = self.repo.tip()
        commit = self.repo.commit(files.items(), begun, _MESSAGE)
        with self.repo.moving(commit) as at:
            seconds = self.repo.moved(begun, commit) - at
        self.daemon.idle(self.repo.tip())
        return Answer(files, commit, seconds)

    def nothing(self, files: Files) -> Answer:
        """Commit *files* that are none of the daemon's business, and wait until it says so."""
        commit = self.repo.commit(files.items(), self.repo.tip(), _MESSAGE)
        with self.repo.moving(commit) as at:
            seconds = self.daemon.idle(commit) - at
        if self.repo.tip() != commit:
            raise AssertionError(f"the daemon answered a commit of {', '.join(files)}")
        return Answer(files, commit, seconds)


@contextmanager
def scene(stage: Stage, size: Size | None = None) -> Iterator[Scene]:
    """Start a daemon on a copy of the settled repository of *size*."""
    with stage.copy(stage.settled(size).repo) as repo, Daemon(repo.path) as daemon:
        yield Scene(repo, daemon)


def follow(beside: Repository, answer: Answer) -> None:
    """Commit in *beside*, a copy that has followed until now, what was answered."""
    beside.move(beside.commit(answer.files.items(), beside.tip(), _MESSAGE))


def imitate(stage: Stage, beside: Repository, played: Scene, answer: Answer) -> float:
    """Have `git fast-import` give the same *answer* in *beside*, a copy that has followed until now; return seconds."""
    follow(beside, answer)
    stream = yardstick.write(played.repo, answer.commit, stage.path())
    seconds = yardstick.fast_import(beside, stream)
    stream.path.unlink()
    return seconds
