"""A long life: thousands of commits of people, and what a daemon and Git hold on to meanwhile stays bounded.

Most commits are answered by passes in one process, in a user's repository that git maintains as after any commit; the
rest by a real daemon, on a clone in its cache that gitops has maintained.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypeVar

from support import model, oracle
from support.definitions import Manifest, configmap, destination, work
from support.platform import Platform

from gitops.cache import Cache
from gitops.core.render import render
from gitops.git.maintenance import Maintenance
from gitops.git.repository import Repository
from gitops.reconciler import Reconciler
from torture.arena import Arena, Campaign
from torture.children import side_by_side
from torture.processes import Daemon

T = TypeVar("T")
_fork = multiprocessing.get_context("fork")
_MEGABYTE = 1 << 20
_GROWTH = 48 * _MEGABYTE  # of a process, after the first fifth of its life
_BOUNDS = {
    "loose objects": 10_000,
    "packs": 200,  # git begins at 50, and some thirty a second come while it is at work
    "handles": 250,
    "threads": 30,
    "left over": 0,
    "events of an object": 25,
}
_LOOKS = 10  # at what it holds on to, in a life
_JUDGED = 3  # commits, about which the oracle is asked at each look
_WORKS = 30
_LONGEST = 3600.0  # seconds of a life
_PATIENCE = 60.0  # seconds for a daemon to answer


def run(arena: Arena) -> None:
    """Both lives at once: a core each."""
    lives = {"passes": partial(passes, arena.times(9_500, 20)), "daemon": partial(daemon, arena.times(500, 3))}
    jobs = [
        (seed, partial(live, chance))
        for kind, live in lives.items()
        for seed, chance in list(Arena(arena.folder, arena.seed, only=arena.only).attempts(kind, 1))
    ]
    side_by_side(arena, jobs, _LONGEST)


def passes(commits: int, chance: random.Random, arena: Arena) -> None:
    """Answer each commit by a pass of one Reconciler, and let git maintain the repository when the daemon would."""
    platform = _platform(arena.folder, chance)
    repo = Repository.open(platform.path)
    daemon = Reconciler(repo, "main", platform.clock, render, Cache(repo.common_dir / "gitops", "main"))
    watched = _Watched("passes", os.getpid(), repo.common_dir, arena)
    with closing(Maintenance(repo)) as maintenance:
        for number in range(commits):
            with watched.look_now_and_then(platform, number, commits):
                _edit(platform, chance, number)
                daemon.reconcile()
            daemon.keep(worth=1000)
            maintenance.look()
        maintenance.wait()
        tip = platform.tip()
        daemon.reconcile()
        assert platform.tip() == tip, "the next pass writes something"
    _finish(platform, commits, arena)


def daemon(commits: int, chance: random.Random, arena: Arena) -> None:
    """Let `gitops run` answer, from its clone of the repository."""
    platform = _platform(arena.folder, chance)
    arguments = ["--repo", f"file://{platform.path}", "--branch", "main", "run", "--interval", "50ms"]
    with Daemon(arena.folder, "cache", arguments, {"GIT_ALLOW_PROTOCOL": "file"}) as running:
        clone = arena.folder / "cache/gitops"
        _until(clone.is_dir)
        watched = _Watched("daemon", running._popen.pid if running._popen else 0, clone, arena)
        for number in range(commits):
            with watched.look_now_and_then(platform, number, commits):
                commit = _edit(platform, chance, number)
                _until(partial(_answered, platform, commit))
        running.end()
    _finish(platform, commits, arena)


def _platform(folder: Path, chance: random.Random) -> Platform:
    platform = Platform(folder / "platform.git")
    modes = {"dev": "nestedByMetadata", "prod": "none", "edge": "aggregatedYAML"}
    platform.commit(
        {f"destinations/{name}.yaml": destination(name, mode=mode, env=name) for name, mode in modes.items()}
    )
    platform.commit({f"works/{number}.yaml": _work(chance, number, "begin") for number in range(_WORKS)})
    return platform


def _work(chance: random.Random, number: int, text: str) -> Manifest:
    env = chance.choice(["dev", "dev", "prod", "edge", "none"])
    return work(f"w{number}", {f"w{number}.yaml": configmap(f"w{number}", text)}, request="r", env=env)


def _edit(platform: Platform, chance: random.Random, number: int) -> str:
    """Mostly change a Work; now and then remove one, write nonsense, or meddle with what was written."""
    platform.clock.advance()
    which = chance.randrange(_WORKS)
    file, kind = f"works/{which}.yaml", chance.random()
    written = sorted(platform.blobs("state/")) if kind > 0.95 else []
    if written:
        return platform.commit({chance.choice(written): "meddled: true\n"}, f"Step {number}")
    if kind > 0.9 and file in platform.blobs("works/"):
        return platform.commit({file: None}, f"Step {number}")
    made = "kind: [\n" if kind > 0.88 else _work(chance, which, f"step-{number}")
    return platform.commit({file: made}, f"Step {number}")


def _answered(platform: Platform, commit: str) -> bool:
    """Whether a status commit stands on it, or a pass would have nothing to say about it."""
    newest = next((each for each in platform.log(until=commit) if oracle.is_status(each)), None)
    if newest is not None:
        return True
    planned = platform.reconciler().plan()
    return bool(planned and not planned.writes)


def _until(holds: Callable[[], T]) -> T:
    deadline = time.monotonic() + _PATIENCE
    while not (found := holds()):
        assert time.monotonic() < deadline, "the daemon does not answer"
        time.sleep(0.02)
    return found


class _Watched:
    """What a process and its repository hold on to, and how much that has become."""

    def __init__(self, name: str, pid: int, repository: Path, arena: Arena) -> None:
        self._name, self._pid, self._repository, self._arena = name, pid, repository, arena
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
        memory, found = _memory(self._pid), self._held(platform)
        self._first = self._first or (memory if number * 5 >= commits else 0)
        told = ", ".join(f"{count:,} {what}" for what, count in found.items())
        self._arena.notes.append(f"{self._name}, {number:,} commits: {memory >> 20} MiB, {told}")
        for what, bound in _BOUNDS.items():
            assert found[what] <= bound, f"{self._name}: {found[what]} {what} after {number} commits"
        assert not self._first or memory - self._first < _GROWTH, (
            f"{self._name}: {memory >> 20} MiB after {number} commits"
        )

    def _held(self, platform: Platform) -> dict[str, int]:
        files = [path for path in self._repository.rglob("*") if path.is_file()]
        statuses = platform.statuses().values()
        return {
            "loose objects": sum(len(path.parent.name) == 2 and path.parent.parent.name == "objects" for path in files),
            "packs": sum(path.suffix == ".pack" for path in files),
            "handles": _handles(self._pid) - self._inherited,
            "threads": len(list(Path(f"/proc/{self._pid}/task").iterdir())),
            "left over": sum(_is_left(path) for path in files),
            "events of an object": max((len(status.get("events", [])) for status in statuses), default=0),
        }


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


def _finish(platform: Platform, commits: int, arena: Arena) -> None:
    """Every commit of people is there, the repository is sound, and nobody has anything left to do."""
    steps = sum(subject.startswith("Step ") for subject in platform.subjects())
    assert steps == commits, f"{commits - steps} commits of people are gone"
    planned = platform.reconciler().plan()
    assert planned, "the branch is gone"
    assert not planned.writes, "there is still something to do"
    assert platform.git("fsck", "--strict", "--no-dangling") == ""
    arena.counts["commits of people"] += commits
    arena.counts["commits of the daemon"] += len(platform.subjects()) - commits


SOAK = Campaign(
    "soak",
    "Ten thousand commits: memory, objects, packs, handles and threads stay bounded, and nothing is left over.",
    run,
)
