"""What a long-lived process and its repository hold on to, looked at now and then: it must stay within bounds."""

from __future__ import annotations

import multiprocessing
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypeVar

from support import model, oracle
from support.platform import Platform

from torture.arena import Arena

T = TypeVar("T")
_fork = multiprocessing.get_context("fork")
_MEGABYTE = 1 << 20
_GROWTH = 48 * _MEGABYTE  # of a process, after the first fifth of its life
_BOUNDS = {
    "loose objects": 10_000,
    "packs": 200,  # git begins at 50; judged once it has ended, as some thirty a second come while it is at work
    "handles": 250,
    "threads": 30,
    "left over": 0,
    "events of an object": 25,
}
_LOOKS = 10  # at what it holds on to, in a life
_JUDGED = 3  # commits, about which the oracle is asked at each look
_PATIENCE = 60.0  # seconds for a daemon to answer
_UPKEEP = 600.0  # seconds for git to put together what came while it was at work


class Watched:
    """A process *pid* and its *repository*; *maintain* has git put its packs together."""

    def __init__(self, name: str, pid: int, repository: Path, arena: Arena, maintain: Callable[[], None]) -> None:
        self._name, self._pid, self._repository, self._arena = name, pid, repository, arena
        self._maintain = maintain
        self._first, self._inherited = 0, _handles(pid)

    @contextmanager
    def look_now_and_then(self, platform: Platform, number: int, commits: int) -> Iterator[None]:
        """Look at everything after each tenth, and ask the oracle about a few commits before that."""
        every = max(2 * _JUDGED, commits // _LOOKS)
        asked = number % every >= every - _JUDGED
        with _judged(platform.path) if asked else nullcontext():
            yield
        if (number + 1) % every == 0:
            self._look(platform, number + 1, commits)

    def _look(self, platform: Platform, number: int, commits: int) -> None:
        platform.repo.free()  # it holds on to packs that are gone
        most = self._count_packs()
        until(self._put_together, _UPKEEP, f"{self._name}: {most} packs after {number} commits, and they stay")
        memory, found = _memory(self._pid), self._held(platform)
        self._first = self._first or (memory if number * 5 >= commits else 0)
        told = ", ".join(f"{count:,} {what}" for what, count in found.items())
        self._arena.notes.append(f"{self._name}, {number:,} commits: {memory >> 20} MiB, {told}; {most:,} packs before")
        for what, bound in _BOUNDS.items():
            assert found[what] <= bound, f"{self._name}: {found[what]} {what} after {number} commits"
        assert not self._first or memory - self._first < _GROWTH, (
            f"{self._name}: {memory >> 20} MiB after {number} commits"
        )

    def _put_together(self) -> bool:
        """Whether git has come to an end with the packs; if not, it is asked to go on, as by any commit."""
        if many := self._count_packs() > _BOUNDS["packs"]:
            self._maintain()
            time.sleep(1)
        return not many

    def _count_packs(self) -> int:
        return len(list(self._repository.rglob("*.pack")))

    def _held(self, platform: Platform) -> dict[str, int]:
        files = [path for path in self._repository.rglob("*") if path.is_file()]
        statuses = platform.statuses().values()
        return {
            "loose objects": sum(len(path.parent.name) == 2 and path.parent.parent.name == "objects" for path in files),
            "packs": self._count_packs(),
            "handles": _handles(self._pid) - self._inherited,
            "threads": len(list(Path(f"/proc/{self._pid}/task").iterdir())),
            "left over": sum(_is_left(path) for path in files),
            "events of an object": max((len(status.get("events", [])) for status in statuses), default=0),
        }


def until(holds: Callable[[], T], seconds: float = _PATIENCE, otherwise: str = "the daemon does not answer") -> T:
    """Wait until something *holds*, and return it; after *seconds*, what *otherwise* says is the finding."""
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.02)
    return found


@contextmanager
def _judged(path: Path) -> Iterator[None]:
    """Have the oracle judge what happens meanwhile, in a process of its own: what it needs grows with the history."""
    line, theirs = _fork.Pipe()
    process = _fork.Process(target=_judge, args=(theirs, path))
    process.start()
    theirs.close()
    with line:
        line.recv()
        yield
        line.send("done")
        found = line.recv()
    process.join()
    process.close()
    assert not found, found


def _judge(line: Connection, path: Path) -> None:
    found = ""
    try:
        platform = Platform(path)
        before = oracle.look(platform)
        line.send("looked")
        line.recv()
        model.judge(platform, oracle.judge(platform, before))
    except AssertionError:
        found = traceback.format_exc()
    line.send(found)


def _is_left(path: Path) -> bool:
    """Files that are there for a moment only; git's own may be at work."""
    return path.name.startswith("tmp_gitops_") or path.parent.name == "moves" or path.name == "main.lock"


def _handles(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def _memory(pid: int) -> int:
    """Return the bytes that are its own: packs that it reads by mapping them are the kernel's to drop."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(status["RssAnon"].split()[0]) << 10
