"""Damaged files and full disks: a clone in the cache is made again unaided, and the user's repository is left whole."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import random
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from unittest import mock

import pygit2
from support import oracle
from support.definitions import configmap, destination, work
from support.platform import Clock, Platform

from gitops.cli.main import main
from gitops.cli.origin import daemon_branches
from gitops.core.render import render
from gitops.errors import GitOpsError
from gitops.git.repository import Repository
from gitops.reconciler import Reconciler
from torture import scarcity
from torture.arena import Arena, Campaign
from torture.children import side_by_side
from torture.harm import KINDS, files, harm, mend

_EACH = 8  # damages in one attempt
_CLONE = {
    "pack": ["objects/pack/*.pack"],
    "idx": ["objects/pack/*.idx"],
    "ref": ["refs/**/*"],
    "packed-refs": ["packed-refs"],
    "HEAD": ["HEAD"],
    "config": ["config"],
    "transport": ["gitops/transport/HEAD", "gitops/transport/config"],
    "memory": ["gitops/memory-*", "gitops/checked", "gitops/daemon.lock"],
    "any": ["**/*"],
}
_OWN = {
    "loose": ["objects/[0-9a-f][0-9a-f]/*"],
    "pack": ["objects/pack/*.pack"],
    "idx": ["objects/pack/*.idx"],
    "ref": ["refs/heads/main"],
    "packed-refs": ["packed-refs"],
    "HEAD": ["HEAD"],
    "config": ["config"],
    "index": ["index"],
}
_MARK = "gitops/clone"  # without it, nobody may remove a clone


def run(arena: Arena) -> None:
    """Damage clones, what commands read, and repositories of users."""
    for kind, whole, act in (("clone", 25, damage_clone), ("own", 40, damage_own)):
        side_by_side(arena, [(seed, partial(act, chance)) for seed, chance in arena.attempts(kind, whole)])
    scarcity.run(arena)


class _Home:
    """A platform on a server, and what a daemon and commands of this machine keep of it."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.folder, self.chance, self.clock = folder, chance, Clock()
        self.platform = Platform(folder / "server.git", self.clock)
        self.url, self._count = f"file://{self.platform.path}", 0
        self.platform.commit({f"destinations/{name}.yaml": destination(name, env=name) for name in ("dev", "prod")})

    def environment(self) -> mock._patch_dict:
        return mock.patch.dict(os.environ, {"XDG_CACHE_HOME": str(self.folder / "cache"), "GIT_ALLOW_PROTOCOL": "file"})

    def edit(self) -> None:
        """A person changes a Work."""
        self._count += 1
        self.clock.advance()
        name, env = self.chance.choice("abc"), self.chance.choice(["dev", "prod"])
        made = work(name, {f"{name}.yaml": configmap(name, str(self._count))}, request=name, env=env)
        self.platform.commit({f"works/{name}.yaml": made}, f"Edit {self._count}")

    def daemon(self, held: ExitStack) -> Reconciler:
        args = argparse.Namespace(repo=self.url, branch="main", secrets=None)
        branches = daemon_branches(args, held, lambda: False)
        return Reconciler(branches.repo, "main", self.clock, render, branches=branches)

    def clone(self, readers: bool = False) -> Path:
        return next((self.folder / "cache/gitops" / ("readers" if readers else "")).glob("*.git"))

    def judge(self, before: oracle.Scene) -> None:
        """What a person changed is answered, as it should be."""
        oracle.judge(self.platform, before)
        planned = self.platform.reconciler().plan()
        assert planned, "the branch is gone"
        assert not planned.writes, "there is still something to do"


def damage_clone(chance: random.Random, arena: Arena) -> None:
    """Damage the clone of a daemon again and again, while it runs and while it does not; and that of commands."""
    home, counts = _Home(arena.folder, chance), arena.counts
    with home.environment(), ExitStack() as all_held:
        held = all_held.enter_context(ExitStack())
        daemon = home.daemon(held)
        home.edit()
        daemon.reconcile()
        for _ in range(arena.times(_EACH, 2)):
            home.edit()
            before = oracle.look(home.platform)
            told = _harm_clone(home.clone(), home, chance)
            if chance.random() < 0.5:
                held.close()
                held = all_held.enter_context(ExitStack())
                with _told_of(told):
                    daemon = home.daemon(held)
            with _told_of(told):
                daemon.reconcile()
                home.judge(before)
            counts["damages of a clone"] += 1
            _read_a_damaged_clone(home, chance, counts)
        assert home.platform.git("fsck", "--strict", "--no-dangling") == ""


@contextlib.contextmanager
def _told_of(what: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise AssertionError(f"after {what}: {error!r}") from error


def _harm_clone(clone: Path, home: _Home, chance: random.Random) -> str:
    if chance.random() < 0.2:
        with contextlib.suppress(subprocess.CalledProcessError, pygit2.GitError):  # damaged as it may be already
            Platform(clone).git("pack-refs", "--all")
    kind, way = chance.choice(sorted(_CLONE)), chance.choice(KINDS)
    found = [path for path in files(clone, _CLONE[kind]) if str(path.relative_to(clone)) != _MARK]
    if not found:
        return _harm_clone(clone, home, chance)
    path = chance.choice(found)
    harm(path, way, chance)
    return f"{path.relative_to(clone)} {way}"


def _read_a_damaged_clone(home: _Home, chance: random.Random, counts: Counter[str]) -> None:
    """What commands read is right, whatever happened to their clone."""
    _command("--repo", home.url, "get", "works")
    told = _harm_clone(home.clone(readers=True), home, chance)
    words = chance.choice(
        [("get", "works,workplacements,destinations"), ("describe", "destinations"), ("events", "-A")]
    )
    with _told_of(f"{told}, {words}"):
        said, expected = (_command("--repo", where, *words) for where in (home.url, str(home.platform.path)))
        assert said == expected, f"{said} is not {expected}"
    counts["damages of what commands read"] += 1


def _command(*arguments: str) -> tuple[int, str]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(list(arguments))
    assert code == 0, err.getvalue()
    return code, out.getvalue()


# the repository of the user


def damage_own(chance: random.Random, arena: Arena) -> None:
    """Damage one file of the user's repository: it is done without, or named with the way out; nothing goes away."""
    platform, counts = _own(arena.folder), arena.counts
    platform.reconcile()
    for number in range(arena.times(_EACH, 2)):
        _edit(platform, number, chance)
        kind = chance.choice([kind for kind in sorted(_OWN) if files(platform.path, _OWN[kind])])
        ways = [way for way in KINDS if (kind, way) != ("ref", "missing")]  # what Git itself takes for a rewind
        path, way = chance.choice(files(platform.path, _OWN[kind])), chance.choice(ways)
        told = f"{path.relative_to(platform.path)} {way}"
        content, before, there = path.read_bytes(), oracle.look(platform), _listed(platform.path)
        harm(path, way, chance)
        harmed = _read(path)
        with _told_of(told):
            _is_done_or_named(platform, counts)
        gone = there - _listed(platform.path) - {path}
        assert not gone, f"after {told}: {gone} went away"
        if _read(path) == harmed:  # else the daemon has written it anew
            mend(path, content)
        with _told_of(f"{told}, and put back"):
            platform.reconciler().reconcile()
            oracle.judge(platform, before)
        counts["damages of a repository"] += 1
    assert platform.git("fsck", "--strict", "--no-dangling") == ""


def _own(folder: Path) -> Platform:
    platform = Platform(folder / "own.git")
    platform.commit({f"destinations/{name}.yaml": destination(name, env=name) for name in ("dev", "prod")})
    return platform


def _edit(platform: Platform, number: int, chance: random.Random) -> None:
    platform.clock.advance()
    name, env = chance.choice("abc"), chance.choice(["dev", "prod"])
    made = work(name, {f"{name}.yaml": configmap(name, str(number))}, request=name, env=env)
    platform.commit({f"works/{name}.yaml": made}, f"Edit {number}")
    if chance.random() < 0.2:
        platform.git("gc", "--quiet")


def _is_done_or_named(platform: Platform, counts: Counter[str]) -> None:
    try:
        Reconciler(Repository.open(platform.path), "main", platform.clock, render).reconcile()
    except GitOpsError as error:
        _name_the_way_out(str(error))
        counts["named with the way out"] += 1
    else:
        counts["done without"] += 1


def _name_the_way_out(text: str) -> None:
    assert any(word in text for word in ("run '", "repair", "restore", "cannot be")), text


def _listed(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


DAMAGE = Campaign(
    "damage",
    "Damaged files, full disks: the cache is made again unaided, the user's repository left whole, the cause named.",
    run,
)
