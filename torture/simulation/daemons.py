"""The daemons of a simulation: the real `Daemon` above ports of ours, restarted when one is killed."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

from support.platform import Clock

from gitops.backoff import FIRST_DELAY, LONGEST_DELAY
from gitops.branches import Branches
from gitops.cache import Cache
from gitops.core import urls
from gitops.core.render import render
from gitops.core.tree import Oid
from gitops.core.world import World
from gitops.daemon import Daemon
from gitops.errors import Busy, Moved, RepositoryError
from gitops.git.remote import Remote
from gitops.git.repository import Repository
from gitops.reconciler import Reconciler
from gitops.secrets import Secrets
from gitops.stores import Stores
from gitops.threads import Threads
from torture.simulation.memory import HEADS, Host, MemoryRepository, Objects
from torture.simulation.process import Luck, Process
from torture.simulation.servers import Git, Line, Server, advance


class Time:
    """The time of day, and the seconds that no clock sets back."""

    def __init__(self) -> None:
        self.clock = Clock()
        self._begun, self._skipped = self.clock.now, 0.0

    def seconds(self) -> float:
        return (self.clock.now - self._begun).total_seconds() + self._skipped

    def skip(self, seconds: float) -> None:
        """Let seconds pass that the time of day does not show."""
        self._skipped += seconds


class Surroundings(NamedTuple):
    """What all daemons share: time, luck, the home repository or its server, and the servers of state stores."""

    time: Time
    luck: Luck
    home: Host
    origin: Server | None
    servers: dict[str, Server]


class SimulatedDaemon:
    """A daemon with a clock of its own, and with a cache that outlives it."""

    def __init__(self, name: str, around: Surroundings, skew: float = 0.0) -> None:
        self.name, self._around, self.skew = name, around, skew
        self.process = Process(name, around.luck)
        self._line = Line(around.luck, self.process.reach, around.time.clock.advance, around.luck.tell)
        self._kept = Kept()
        self._clone: Host | None = None
        self._running: tuple[Daemon, Reconciler] | None = None
        self._well = True

    def wake(self) -> bool:
        """Let it make a pass, or go on with one; False when that failed, was held up or killed."""
        if self.process.busy:
            self.process.go_on()
        else:
            self._running = self._running or self._start(anew=False)
            self.process.run(self._pass)
        if self.process.dead:
            self._running = None
        return self._well and not self.process.busy and not self.process.dead

    def stop(self) -> None:
        """End it as SIGTERM does, unless a pass is held up: then it is killed."""
        if self.process.busy:
            self.process.kill()
        elif self._running:
            self._running[1].keep()
        self._running = None

    def start(self, *, anew: bool) -> None:
        """Start it, with what it kept in mind when it was last stopped, be it long ago, or with nothing."""
        self._running = self._start(anew=anew)

    def lose_clone(self) -> None:
        """Its cache folder is emptied while it does not run."""
        self.stop()
        self._clone = None

    def damage(self, number: int) -> str:
        """Ruin one of the objects in its clone; return which."""
        if self._clone is None or not self._clone.objects:
            return ""
        oid = sorted(self._clone.objects)[number % len(self._clone.objects)]
        self._clone.damaged.add(oid)
        return oid.hex()[:7]

    def unreachable(self, reachable: Collection[Oid]) -> Objects:
        """Return what only its clone still has."""
        clone = self._clone or Host("")
        return {oid: each for oid, each in clone.objects.items() if oid not in clone.damaged and oid not in reachable}

    def inherit(self, objects: Objects) -> None:
        """Let its clone, which it has not made yet, begin with *objects*."""
        self._clone = Host(f"clone of {self.name}")
        self._clone.objects |= objects

    def _pass(self) -> None:
        assert self._running
        self._well = False
        self._well = self._running[0].reconcile("simulated")

    def _start(self, *, anew: bool) -> tuple[Daemon, Reconciler]:
        branches, cache = self._branches(), None if anew else self._kept
        reconciler = Reconciler(branches.repo, "main", self._now, render, cache, branches, self._pause)
        return Daemon(reconciler, Event()), reconciler

    def _branches(self) -> Branches:
        around, reach = self._around, self.process.reach
        if around.origin is None:
            repo = MemoryRepository(around.home, reach)
            return HomeBranches(repo, self._stores(repo), around.luck, self._line)
        self._clone = self._clone or Host(f"clone of {self.name}")
        repo = MemoryRepository(self._clone, reach, clone=True)
        origin = self._remote(repo, around.origin.url, around.origin, disposable=True)
        return Branches(repo, self._stores(repo), origin, self._renew)

    def _renew(self) -> Branches:
        self._line.tell(f"{self.name} throws its clone away")
        self._clone = None
        return self._branches()

    def _stores(self, repo: Repository) -> Stores:
        return Stores(
            repo,
            Secrets(None, {}),
            now=self._around.time.seconds,
            delay=self._delay,
            threads=Turns(self._line),
            connect=self._connect,
        )

    def _connect(self, repo: Repository, url: str, *_: object) -> Remote:
        return self._remote(repo, url, self._around.servers[urls.canonical(url)])

    def _remote(self, repo: Repository, url: str, server: Server, *, disposable: bool = False) -> Remote:
        assert isinstance(repo, MemoryRepository)
        git, time = Git(repo.host, server, self._line), self._around.time
        return Remote(repo, url, disposable=disposable, transport=git, pause=time.clock.advance, now=time.seconds)

    def _now(self) -> datetime:
        return self._around.time.clock.now + timedelta(seconds=self.skew)

    def _delay(self, times: int) -> float:
        return min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(times - 1, 10)) * self._around.luck.chance.uniform(0.5, 1.0)

    def _pause(self, seconds: float) -> None:
        self._around.time.clock.advance(seconds * self._around.luck.chance.uniform(0.5, 1.5))
        self.process.reach("a pause after a lost race")


class HomeBranches(Branches):
    """The branches of a repository on the daemon's machine: `gitops.git.refs` without its files."""

    def __init__(self, repo: MemoryRepository, stores: Stores, luck: Luck, line: Line) -> None:
        super().__init__(repo, stores)
        self._host, self._luck, self._line = repo.host, luck, line

    def refresh(self) -> None:
        self._line.reach("refresh")

    def tip(self, name: str) -> Oid | None:
        if urls.is_elsewhere(name):
            return super().tip(name)
        self._line.reach(f"look at {name}")
        return self._host.refs.get(HEADS + name)

    def move(self, name: str, old: Oid | None, new: Oid, message: str) -> None:
        self._line.reach(f"move {name}")
        if self._luck.strikes("locked"):
            raise Busy(f"{name} has been held for 1 s")
        if self._luck.strikes("disk fails"):
            raise RepositoryError(f"{name} cannot be written")
        objects, now = self.repo.objects, self._host.refs.get(HEADS + name)
        if now != old:
            raise Moved(f"{name} is elsewhere")
        if not (objects.intact() and objects.stored(new) and objects.stored(objects.commit_tree(new))):
            raise Moved("objects were removed by a garbage collection")
        self._line.tell(f"move {name} to {new.hex()[:7]}")
        advance(self._host, HEADS + name, new)
        self._line.reach(f"move {name}, done")
        objects.settle()


class Turns(Threads):
    """What a daemon does side by side, one after the other; what is slow may be left for later."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._waiting: dict[Future[Any], Callable[[], Any]] = {}

    def submit(self, act: Callable[..., Any], *args: Any, **kwargs: Any) -> Future[Any]:
        work: Future[Any] = Future()
        self._waiting[work] = lambda: act(*args, **kwargs)
        return work

    def wait(self, work: Collection[Future[Any]], seconds: float = math.inf) -> None:
        for one in work:
            if one not in self._waiting:
                continue
            if seconds < math.inf and self._line.luck.strikes("slow"):
                self._line.tell("a server is slow: not waited for")
                continue
            act = self._waiting.pop(one)
            try:
                one.set_result(act())
            except Exception as error:
                one.set_exception(error)

    def close(self) -> None:
        self._waiting.clear()


class Kept(Cache):
    """A cache file in memory."""

    def __init__(self) -> None:
        super().__init__(Path("/nowhere"), "main")
        self._content = b""

    def load(self) -> World:
        if not self._content:
            return World()
        world, works = pickle.loads(self._content)
        world.adopt(dict(works))
        world.news = 0
        return world

    def save(self, world: World) -> None:
        works: Sequence[Any] = list(world.works.items())
        self._content = pickle.dumps((world.without_works(), works))
