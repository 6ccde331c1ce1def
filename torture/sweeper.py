"""The process that disturbs passes, one job a line: told which call shall fail, it tells what became of it.

Started with the shim of `torture.calls` before its C library. Each attempt is a child of its own: the disturbed daemon,
and after it another that finds what the first left behind.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

import structlog
from support import model, oracle
from support.platform import Clock, Platform

import gitops.backoff
from gitops.errors import GitOpsError
from torture.calls import KILL, Calls
from torture.passes import PASSES, STORES, Pass, Place

_SETTLED = 1.1  # seconds after which an empty lock of ours is known to be left behind
_TRIES = 2  # that fail before a fault that would be for ever is gone
_BEGUN = ("config.*", "HEAD.*")
_LEFTOVERS = ("*.lock", "index.gitops", "tmp_gitops_*", "moves/*", ".gitops-*", "memory-*.new", *_BEGUN)
_KEPT = (
    "daemon.lock",
    "cache/gitops/*.lock",
)  # locked, never removed
Told = dict[str, Any]


class Job(NamedTuple):
    """The call number *first* of a pass fails with *error*, once or from then on; 0 is a pass that nothing disturbs."""

    of: str
    error: str
    first: int
    for_ever: bool


class Scene(NamedTuple):
    """What stands before a pass, and what it comes to when nothing disturbs it."""

    before: oracle.Scene
    end: Mapping[str, Any]


class Waiting(Event):
    """The daemon's pauses, which take no time here; a fault that is for ever ends with one of them."""

    def __init__(self, calls: Calls | None, causes: list[str]) -> None:
        super().__init__()
        self.calls, self.causes, self.tries = calls, causes, 0

    def wait(self, timeout: float | None = None) -> bool:
        self.tries += 1
        assert self.tries <= _TRIES + 1, f"the fault is gone, and the daemon still fails: {self.causes}"
        if self.calls and self.tries >= _TRIES:
            self.calls.end()
        if self.causes and "has been held" in self.causes[-1]:
            time.sleep(_SETTLED)
        return False


class Sweeper:
    """Runs jobs in *folder*."""

    def __init__(self, folder: Path) -> None:
        self._place, self._start = Place(folder / "pass"), folder / "start"
        self._calls = Calls()
        self._scenes: dict[str, Scene] = {}
        os.environ["XDG_CACHE_HOME"] = str(self._place.cache)

    def run(self, job: Job) -> Told:
        """Return what happened: the causes that were told, how many calls failed, and a finding if a promise broke."""
        of = PASSES[job.of]
        scene = self._scenes.get(job.of) or self._prepare(of)
        if not job.first:
            self._restore(of)
            return _in_child(lambda: self._count(of, job.error))
        self._restore(of)
        told = _in_child(lambda: self._disturbed(of, job))
        self._calls.end()
        if "finding" not in told:
            told |= _in_child(lambda: self._judged(of, job, scene, told))
        return told

    def _prepare(self, of: Pass) -> Scene:
        shutil.rmtree(self._place.folder, ignore_errors=True)
        self._place.folder.mkdir(parents=True)
        made = _in_child(lambda: of.prepare(self._place) or {})
        assert not made, made
        shutil.copytree(self._place.folder, self._start / of.name, symlinks=True)
        before = oracle.look(Platform(self._place.home))
        end = _in_child(lambda: self._undisturbed(of))
        assert "finding" not in end, end["finding"]
        return self._scenes.setdefault(of.name, Scene(before, end))

    def _restore(self, of: Pass) -> None:
        shutil.rmtree(self._place.folder)
        shutil.copytree(self._start / of.name, self._place.folder, symlinks=True)

    # in children

    def _undisturbed(self, of: Pass) -> Told:
        with of.daemon(self._place, Waiting(None, _log()), Clock()) as daemon:
            daemon.run(["start"])
        return _state(self._place)

    def _count(self, of: Pass, error: str) -> Told:
        self._calls.watch(self._place.folder / of.fails, error)
        with of.daemon(self._place, Waiting(None, _log()), Clock()) as daemon:
            daemon.run(["start"])
        self._calls.end()
        return {"calls": self._calls.made()}

    def _disturbed(self, of: Pass, job: Job) -> Told:
        causes = _log()
        stop = Waiting(self._calls, causes)
        self._calls.watch(self._place.folder / of.fails, job.error, job.first, for_ever=job.for_ever)
        while True:
            try:
                with of.daemon(self._place, stop, Clock()) as daemon:
                    daemon.run(self._wakeups(of, causes))
                break
            except (GitOpsError, OSError) as error:  # it could not start, or not end: its supervisor starts it again
                causes.append(str(error))
                stop.wait()
        return {"causes": causes, "failed": self._calls.end(), "call": self._calls.number(job.first).text}

    def _wakeups(self, of: Pass, causes: list[str]) -> Iterator[str]:
        yield "start"
        yield "retry"
        if of.fails == "a.git":
            assert Platform(self._place.store("b")).files("docs/"), "one store keeps the other from its documents"
        self._calls.end()
        causes += _conditions(Platform(self._place.home))
        yield "retry"
        yield "interval"

    def _judged(self, of: Pass, job: Job, scene: Scene, told: Told) -> Told:
        tips = _tips(self._place)
        self._age()
        with of.daemon(self._place, Waiting(None, _log()), Clock()) as daemon:
            daemon.run(["start"])
        if "killed" not in told:
            assert _tips(self._place) == tips, "another daemon found something left to do"
        if locks := _locks(self._place.store(STORES[0])):
            never = job.for_ever or job.error == KILL or told["call"].startswith("unlink ")
            assert never, f"left by a server whose disk works again: {locks}"
            self._waits_for(locks, scene)
            with of.daemon(self._place, Waiting(None, _log()), Clock()) as daemon:
                daemon.run(["start"])
        platform = Platform(self._place.home)
        if not self._place.store(STORES[0]).exists():
            model.judge(platform, oracle.judge(platform, scene.before))
        state = _state(self._place)
        other = dict(state["documents"].items() ^ scene.end["documents"].items())
        assert not other, f"other documents than without the fault: {sorted(other)}"
        for file, conditions in scene.end["conditions"].items():
            assert state["conditions"].get(file) == conditions, f"{file}: {state['conditions'].get(file)}"
        _sound(self._place)
        return {"same": state["trees"] == scene.end["trees"]}

    def _age(self) -> None:
        """Let what a killed process had begun to write become old: only then is it certain that nobody goes on."""
        for folder, _, _ in os.walk(self._place.folder):  # a server that outlived the daemon may remove some meanwhile
            if folder.endswith("/transport"):
                for path in chain.from_iterable(map(Path(folder).glob, _BEGUN)):
                    os.utime(path, (0, 0))

    def _waits_for(self, locks: list[Path], scene: Scene) -> None:
        """A server that died in a push, or whose disk did, leaves its lock, which is not ours to break.

        If that is in the way, the store has nothing of that push and tells which lock it is, while the others have all;
        then a person removes it.
        """
        store, told = self._place.store(STORES[0]), _conditions(Platform(self._place.home))
        refs = {str(path.relative_to(store)).removesuffix(".lock") for path in locks}
        assert refs <= {"HEAD", "refs/heads/main"}
        assert all(any(f"cannot lock ref '{ref}'" in said for ref in refs) for said in told), f"not named: {told}"
        assert all("remove the file" in said for said in told), f"what to do is not told: {told}"
        own = {path for path in scene.end["documents"] if told and path.startswith(f"{store.name}:")}
        there, wanted = _state(self._place)["documents"], scene.end["documents"]
        assert there == {path: blob for path, blob in wanted.items() if path not in own}, "a part of a push is there"
        for path in locks:
            path.unlink()


def _in_child(act: Callable[[], Told]) -> Told:
    """Do it in a child, and return what it tells; of one that was killed just that."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        _log()
        try:
            told = act()
        except BaseException:
            told = {"finding": traceback.format_exc()}
        with os.fdopen(writer, "w") as file:
            json.dump(told, file)
            file.flush()
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as file:
        said = file.read()
    os.waitpid(child, 0)
    return json.loads(said) if said else {"killed": True}


def _log() -> list[str]:
    """Take the log for what is returned: the causes of what failed."""
    causes: list[str] = []

    def keep(logger: Any, name: str, event: structlog.types.EventDict) -> str:
        if event["event"] == "pass failed":
            causes.append(str(event["cause"]))
            assert "bug" not in event, event["bug"]
        raise structlog.DropEvent

    structlog.configure(processors=[keep])
    return causes


def _conditions(platform: Platform) -> list[str]:
    """Return what status says of stores that failed."""
    found = [status for file, status in platform.statuses().items() if file.startswith("statestores/")]
    return [c["message"] for s in found for c in s["status"]["conditions"] if c["status"] != "True"]


def _tips(place: Place) -> Mapping[str, str | None]:
    return {name: platform.tip() for name, platform in place.repositories().items()}


def _state(place: Place) -> Told:
    """Return what all repositories hold; of status what does not count the failures on the way."""
    documents: dict[str, str] = {}
    trees: dict[str, str] = {}
    for name, platform in place.repositories().items():
        documents |= {f"{name}:{p}": blob for p, blob in platform.blobs().items() if not p.startswith("status/")}
        trees[name] = str(platform.repo[platform.tip() or ""].tree.id) if platform.tip() else ""
    conditions = {
        file: [[c["type"], c["status"], c["reason"], c["message"]] for c in status["status"]["conditions"]]
        for file, status in Platform(place.home).statuses().items()
    }
    return {"documents": documents, "conditions": conditions, "trees": trees}


def _locks(repository: Path) -> list[Path]:
    return sorted(repository.rglob("*.lock")) if repository.exists() else []


def _sound(place: Place) -> None:
    """Nothing is damaged, and nothing lies about that a person would have to remove."""
    for name, platform in place.repositories().items():
        said = platform.git("fsck", "--strict", "--no-dangling", "--no-progress")
        assert not said, f"{name}: {said}"
        if (platform.path / ".git").exists():
            seen = platform.git("status", "--porcelain")
            assert seen == "?? works/mine.txt\n", f"the work tree is not what the branch says:\n{seen}"
    own = [folder for folder in (place.home, place.cache) if folder.exists()]  # what a server leaves is its own affair
    left = {path for folder in own for pattern in _LEFTOVERS for path in folder.rglob(pattern)}
    left = {path for path in left if not any(path.match(kept) for kept in _KEPT)}
    assert not left, f"left behind: {sorted(map(str, left))}"


def main() -> None:
    """Do the jobs of standard input, one a line."""
    gitops.backoff.FIRST_DELAY = 0.0  # stores are tried again in the next pass
    sweeper = Sweeper(Path(sys.argv[1]))
    for line in sys.stdin:
        told = sweeper.run(Job(*json.loads(line)))
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
