"""A history of a platform that people turn over again and again, by force, and what must hold after each time."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any
from unittest import mock

import pygit2
from support import model, oracle
from support.definitions import Manifest, configmap, destination, store, work
from support.platform import BOB, Clock, Content, Platform

from gitops.branches import Branches
from gitops.cache import Cache
from gitops.core import urls
from gitops.core.render import render
from gitops.git import clones
from gitops.git.remote import Remote
from gitops.git.repository import Repository
from gitops.reconciler import Reconciler
from gitops.secrets import Secrets
from gitops.stores import Stores
from torture.grounds import Court
from torture.upheavals import UPHEAVALS, Upheaval

_NAMES = "abcd"


class History:
    """One repository, perhaps with an output branch, and with a state store on another branch or elsewhere."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        folder.mkdir()
        self._folder, self._chance, self.clock = folder, chance, Clock()
        self.home = Platform(folder / "home.git", self.clock)
        self.store = Platform(folder / "store.git", self.clock)
        self._address = f"file://{folder}/store.git"
        self._output = chance.choice(["", "out"])
        self._documents = chance.choice(["", "deploy", "elsewhere"])
        self._cloned = chance.random() < 0.5
        self._seconds = count(0.0, 10_000.0)  # each look at the clock is long after the last: nothing waits
        self.court = Court(
            folder / "court.git", self.clock, self.home.path, self.store.path, urls.canonical(self._address)
        )
        self.home.commit(self._first(), "Begin")
        self.told: list[str] = [f"output {self._output!r}, store {self._documents!r}, cloned {self._cloned}"]
        self._removed: set[str] = set()  # commits that people took out of all branches
        self._last: str | None = None  # where the source branch was before it was turned over
        self._opened: list[Stores] = []
        self._number = 0
        self._kept: list[Path] = []
        self._daemon = self._begin()

    def close(self) -> None:
        for stores in self._opened:
            stores.close()
        shutil.rmtree(self._folder)

    def _first(self) -> dict[str, Content]:
        found: dict[str, Content] = {f"works/{name}.yaml": self._work(name) for name in _NAMES[:3]}
        mode = self._chance.choice(["nestedByMetadata", "none", "aggregatedYAML"])
        found["destinations/dev.yaml"] = destination("dev", env="dev", cleanup="all")
        where = "s" if self._documents else ""
        found["destinations/prod.yaml"] = destination("prod", env="prod", cleanup="all", mode=mode, store=where)
        if self._documents:
            found["statestores/s.yaml"] = self._store()
        return {**found, "gitops.yaml": {"output": {"branch": self._output}}}

    def _store(self) -> Manifest:
        made = store("s", "main" if self._documents == "elsewhere" else self._documents, "docs")
        if self._documents == "elsewhere":
            made["spec"]["url"] = self._address
        return made

    def _work(self, name: str) -> Manifest:
        documents = {f"{name}.yaml": configmap(name, str(self._chance.randrange(10**6)))}
        request = name if self._chance.random() < 0.5 else ""
        return work(name, documents, promise=name, request=request, env=self._chance.choice(["dev", "prod", "prod"]))

    # daemons

    def _begin(self, memory: Path | None = None) -> Reconciler:
        """A daemon that begins with what is in the folder *memory*, its clone and what it kept."""
        self._number += 1
        self._disk = memory or self._folder / f"disk-{self._number}"
        self._disk.mkdir(exist_ok=True)
        branches = self._branches()
        cache = Cache(self._disk, "main")
        return Reconciler(
            branches.repo, "main", self.clock, render, cache, branches=branches, pause=lambda _seconds: None
        )

    def _branches(self) -> Branches:
        url = f"file://{self.home.path}"
        repo = clones.open_clone(url, self._disk) if self._cloned else Repository.open(self.home.path)
        stores = Stores(repo, Secrets(None, {}), now=lambda: next(self._seconds))
        self._opened.append(stores)
        if not self._cloned:
            return Branches(repo, stores)
        return Branches(repo, stores, Remote(repo, url, disposable=True), self._renewed)

    def _renewed(self) -> Branches:
        shutil.rmtree(self._disk)
        self._disk.mkdir()
        return self._branches()

    def _keep(self) -> None:
        """Copy what the daemon has on disk."""
        self._daemon.keep()
        self._kept.append(self._folder / f"kept-{len(self._kept)}")
        shutil.copytree(self._disk, self._kept[-1], symlinks=True)

    # what happens

    def live(self) -> None:
        """Let a few days pass without any upheaval."""
        for _ in range(self._chance.randint(1, 4)):
            self._day()

    def _day(self) -> None:
        for _ in range(self._chance.randint(0, 2)):
            self._edit()
        self._reconcile()
        if self._chance.random() < 0.5:
            self._keep()

    def _edit(self) -> None:
        if not self.home.tip():
            return
        file = f"works/{self._chance.choice(_NAMES)}.yaml"
        there = file in self.home.blobs("works/")
        if there and self._chance.random() < 0.4:
            self.told.append("removes " + file)
            self.home.commit({file: None}, f"Remove {file}", BOB)
        else:
            self.told.append("changes " + file)
            self.home.commit({file: self._work(file[-6])}, f"Change {file}", BOB)

    def turn_over(self) -> str:
        """Do something by force to one of the branches, let the daemon answer, and judge; return what was done."""
        if not self.home.tip():
            return self._come_back()
        where, name = self._chance.choice([(at, name) for at in (self.home, self.store) for name in at.tips()])
        how = self._chance.choice(sorted(UPHEAVALS))
        force = partial(self._force, where, name, UPHEAVALS[how])
        self._edit()
        state = self._chance.choice(["running", "frozen", "new", "restarted", "restored"])
        self.told.append(f"{how} {name} of {where.path.name}, the daemon is {state}")
        if state == "frozen":
            self._reconcile(force)
        elif self._chance.random() < 0.5:
            self._reconcile()
        if state != "frozen":
            force()
            self._another(state)
        self._reconcile()
        self._day()
        return how

    def _force(self, where: Platform, name: str, upheaval: Upheaval) -> None:
        if (where, name) == (self.home, "main"):
            self._last = where.tip(name)
        if where.tip(name):
            self._move(where, name, upheaval(where, name, self._chance))

    def _come_back(self) -> str:
        """Make the source branch again, as it was at last, or with less of its past, or none."""
        self._move(self.home, "main", self._last)
        if how := self._chance.choice(["", "rewind", "unrelated", "begin_again"]):
            self._move(self.home, "main", UPHEAVALS[how](self.home, "main", self._chance))
        self._reconcile()
        return "recreate"

    def _move(self, where: Platform, name: str, tip: str | None) -> None:
        before = self._reachable()
        self.told.append(f"{name} of {where.path.name} from {where.tip(name)} to {tip}")
        where.move(tip, name)
        self._removed = (self._removed | before) - self._reachable()
        self.clock.advance()

    def _another(self, state: str) -> None:
        """The daemon goes on, or another one comes."""
        if state == "new":
            self._daemon = self._begin()
        if state == "restarted":
            self._daemon.keep()
            self._daemon = self._begin(self._disk)
        if state == "restored" and self._kept:
            again = self._folder / f"restored-{self._number}"
            shutil.copytree(self._chance.choice(self._kept), again, symlinks=True)
            self._daemon = self._begin(again)

    # passes, and the laws

    def _reconcile(self, meanwhile: Callable[[], None] | None = None) -> None:
        """Make a pass that keeps the laws; *meanwhile* happens when all is decided, and before anything is moved."""
        before = [self._look()]
        with _at_the_move(lambda: (meanwhile and meanwhile(), before.append(self._look()))):
            done = self._daemon.reconcile()
        self.told.append(f"pass: {[len(outcome.commits) for outcome in done]}")
        last = before[-1]
        if meanwhile:  # whose that was which the pass had decided before, no status may ever tell
            oracle.judge_log(self.court, last)
            last = self._look()
            self._daemon.reconcile()
        self._judge(last)
        self.clock.advance()

    def _judge(self, before: oracle.Scene) -> None:
        """Judge what a pass made of *before*."""
        back = self._removed & self._reachable()
        assert not back, f"{sorted(back)} were removed, and are back"
        if self.home.tip():
            self.court.refresh()
            judge = oracle.judge_standing if self._is_rewritten(before) else oracle.judge
            after = judge(self.court, before)
            model.judge(self.court, after)
            self._nothing_comes_back(after)
        after = self._look()
        if not self.home.tip():
            assert after.tips == before.tips, "there is no source branch, and something was written"
        for daemon in (self._daemon, self._begin()):
            self.clock.advance()
            daemon.reconcile()
            assert self._look().tips == after.tips, "the next pass writes something"

    def _nothing_comes_back(self, after: oracle.Scene) -> None:
        """What a daemon has written belongs to a Work or a Destination that is there, whoever put it back."""
        owned = set(oracle.inventories(after.statuses, after.home))
        for branch, tip in after.tips.items():
            for path in self.court.blobs(at=tip):
                if path.startswith(("state/dev/", "state/prod/", "docs/prod/")) and (branch, path) not in owned:
                    last = self.court.git("log", "-1", "--format=%H", tip, "--", path).strip()
                    assert not oracle.is_documents(self.court.repo[last]), f"{path} on {branch} is nobody's"

    def _is_rewritten(self, before: oracle.Scene) -> bool:
        """Whether there was nothing to write, for people have made a status commit theirs: its status stands."""
        if not before.tips.get(before.home) or self._look().tips != before.tips:
            return False
        written = [self.court.repo[oid] for oid in self._removed]
        trees = {_status(commit) for commit in written if oracle.is_status(commit)}
        newest = next((commit for commit in self.court.log(before.home) if oracle.is_status(commit)), None)
        there = _status(self.court.repo[before.tips[before.home]])
        return there in trees and (newest is None or there != _status(newest))

    def _reachable(self) -> set[str]:
        """All commits that are in some branch."""
        return {
            str(commit.id) for where in (self.home, self.store) for name in where.tips() for commit in where.log(name)
        }

    def _look(self) -> oracle.Scene:
        self.court.refresh()
        return replace(oracle.look(self.court, self._output or "main"), forgotten=frozenset(self._removed))


def _status(commit: pygit2.Commit) -> str:
    return str(commit.tree["status"].id) if "status" in commit.tree else ""


@contextmanager
def _at_the_move(happens: Callable[[], object]) -> Iterator[None]:
    """Let something happen just before a branch is moved for the first time."""
    left, move, push = [happens], Branches.move, Stores.push

    def moved(*arguments: Any) -> None:
        while left:
            left.pop()()
        move(*arguments)

    def pushed(*arguments: Any) -> Any:
        while left:
            left.pop()()
        return push(*arguments)

    with mock.patch.object(Branches, "move", moved), mock.patch.object(Stores, "push", pushed):
        yield
