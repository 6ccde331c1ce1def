"""A daemon's life and that of a person beside it, step by step, always the same for one seed: to be cut off anywhere.

Each step is one commit of the person and the daemon's answer. Both say so when it is done: they acknowledge it. A life
that begins where another one was cut off goes on with the step that was under way, and ends at the same commits.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

from support import oracle
from support.definitions import configmap, destination, store, work
from support.platform import ADA, BOB, Clock, Content, Platform, _raw

from gitops.cache import Cache
from gitops.cli.origin import daemon_branches
from gitops.core.render import render
from gitops.errors import Busy
from gitops.git import clones
from gitops.git.repository import Repository
from gitops.reconciler import Reconciler
from gitops.writing import Outcome

SHAPES = ("bare", "tree", "clone")
STEPS = 6
_BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
_PATIENCE = 5.0  # seconds for a lock that a dead daemon left to be known as one
_GIT = os.environ.get("CUTS_GIT", "git")
Say = Callable[[str], None]


def _silent(_: str) -> None:
    pass


class Life:
    """The power of *disk* may be cut; what is *elsewhere* is safe: stores, and the server of the shape `clone`."""

    def __init__(self, shape: str, seed: str, disk: Path, elsewhere: Path) -> None:
        self.shape, self.disk, self.elsewhere = shape, disk, elsewhere
        self.path = elsewhere / "server.git" if shape == "clone" else disk / "platform"
        self.clock = Clock()
        chance = random.Random(seed)
        self.home = chance.choice(["main", "main", "out"])
        self.beside = chance.choice(["", "side", "elsewhere"])
        self._changes = [self._first(), *(_change(chance, number) for number in range(1, STEPS))]

    def prepare(self) -> None:
        """Make the repositories, which is no daemon's business, durably."""
        Repository.init(self.path, bare=self.shape != "tree")
        Repository.init(self.elsewhere / "store.git", bare=True)
        _sync(self.disk)

    def platform(self) -> Platform:
        return Platform(self.path / ".git" if self.shape == "tree" else self.path, self.clock)

    def tips(self) -> dict[str, str | None]:
        """Where every branch stands."""
        platform, beside = self.platform(), Platform(self.elsewhere / "store.git")
        here = [ref.removeprefix("refs/heads/") for ref in platform.repo.references if ref.startswith("refs/heads/")]
        return {branch: platform.tip(branch) for branch in here} | {"elsewhere": beside.tip()}

    def live(self, say: Say = _silent) -> None:
        """Go on from the step that was begun last, to the end."""
        platform = self.platform()
        done = sum(subject.startswith("Step ") for subject in platform.subjects()) if platform.tip() else 0
        with self._daemon() as daemon:
            for number in range(max(0, done - 1), STEPS):
                self.clock.now = _BEGINNING + timedelta(minutes=number)
                if number >= done:
                    say(f"commit {self._commit(number)}")
                for outcome in _patiently(daemon):
                    say(f"tip {outcome.tip.hex() if outcome.tip else ''}")
                daemon.keep()

    def judge(self) -> None:
        """Ask the oracle, which sees no repositories but one."""
        if self.beside != "elsewhere":
            oracle.judge(self.platform(), oracle.Scene(self.home, {}, {}))

    @contextmanager
    def _daemon(self) -> Iterator[Reconciler]:
        """What `gitops run` makes of its arguments, but for the clock."""
        where = f"file://{self.path}" if self.shape == "clone" else str(self.path)
        settings = {"XDG_CACHE_HOME": str(self.disk / "cache"), "GIT_ALLOW_PROTOCOL": "file"}
        boot = mock.patch.object(clones, "_BOOT", self.elsewhere / "boot")
        with mock.patch.dict(os.environ, settings), boot, ExitStack() as held:
            args = argparse.Namespace(repo=where, branch="main", secrets=None)
            branches = daemon_branches(args, held, lambda: False)
            cache = Cache(branches.repo.common_dir / "gitops", "main")
            yield Reconciler(branches.repo, "main", self.clock, render, cache, branches)
            branches.stores.close()

    # the person

    def _first(self) -> dict[str, Content]:
        found: dict[str, Content] = {f"works/{name}.yaml": work(name, env="dev", request=name) for name in "ab"}
        found["destinations/dev.yaml"] = destination("dev", env="dev", cleanup="all")
        found["destinations/prod.yaml"] = destination("prod", env="prod", store="s" if self.beside else "")
        if self.home != "main":
            found["gitops.yaml"] = {"output": {"branch": self.home}}
        if self.beside:
            made = store("s", "side" if self.beside == "side" else "main", "docs")
            made["spec"] |= {"url": f"file://{self.elsewhere}/store.git"} if self.beside == "elsewhere" else {}
            found["statestores/s.yaml"] = made
        return found

    def _commit(self, number: int) -> str:
        change = self._changes[number]
        if self.shape == "tree":
            return self._commit_by_git(change, f"Step {number}")
        person = _Careful(self.path, self.clock)
        commit = person.commit(change, f"Step {number}", ADA)
        _sync(self.disk)
        return commit

    def _commit_by_git(self, change: dict[str, Content], message: str) -> str:
        """As a careful person does, whose own commands no power cut befalls: what those leave half done is git's."""
        for path, content in change.items():
            file = self.path / path
            if content is None:
                file.unlink()
            else:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(_raw(content))
        self._git("add", "--all", "--", "works", "destinations", *({"statestores", "gitops.yaml"} & change.keys()))
        self._git("add", "--", *(path for path, content in change.items() if content is not None))
        self._git("commit", "--quiet", "--allow-empty", "--message", message)
        _sync(self.disk)
        return self.platform().tip() or ""

    def _git(self, *arguments: str) -> None:
        when = f"{int(self.clock.now.timestamp())} +0000"
        who = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in zip(
            ("NAME", "EMAIL", "DATE"), (*BOB, when), strict=True)}  # fmt: skip
        _git(self.path, *arguments, **who)


class _Careful(Platform):
    """People whose git no power cut befalls: what that leaves half done is its affair, not the daemon's."""

    def move(self, oid: str | None, branch: str = "") -> None:
        _git(self.path, "-c", "core.fsync=all", "update-ref", f"refs/heads/{branch or self.branch}", oid or "")


def _git(path: Path, *arguments: str, **variables: str) -> None:
    """Run git where nobody watches it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CUTS_", "LD_"))}
    subprocess.run([_GIT, "-C", str(path), *arguments], env=environment | variables, check=True)


def _change(chance: random.Random, number: int) -> dict[str, Content]:
    """Something that a person does at any time, whatever was done before."""
    name, env = chance.choice("abc"), chance.choice(["dev", "prod", "prod", "none"])
    made = work(name, {f"{name}.yaml": configmap(name, f"step-{number}")}, request=name, env=env)
    if chance.random() < 0.2:
        return {"destinations/dev.yaml": destination("dev", env=chance.choice(["dev", "prod"]), cleanup="all")}
    if chance.random() < 0.2:
        return (
            {"works/a.yaml": [made, work(f"many-{number}", env="dev")]} if name == "a" else {f"works/{name}.yaml": made}
        )
    return {f"works/{name}.yaml": made}


def _patiently(daemon: Reconciler) -> list[Outcome]:
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            return daemon.reconcile()
        except Busy:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    ctypes.CDLL(None).syncfs(handle)
    os.close(handle)


def undisturbed_life(shape: str, seed: str, folder: Path) -> tuple[dict[str, str | None], list[str]]:
    """Live once without a cut, at the same place, for addresses are in commits."""
    (folder / "disk").mkdir()
    life, said = Life(shape, seed, folder / "disk", elsewhere(folder)), []
    life.prepare()
    life.live(said.append)
    life.judge()
    tips = life.tips()
    shutil.rmtree(folder / "disk")
    return tips, said


def elsewhere(folder: Path) -> Path:
    place = folder / "elsewhere"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    (place / "boot").write_text("0")
    return place


def ends_as_undisturbed(life: Life, undisturbed: dict[str, str | None]) -> None:
    """Let it go on alone, and assert that nobody could tell afterwards that anything had happened."""
    for _ in range(2):  # the second time, there is nothing left to do
        life.live()
        assert life.tips() == undisturbed, f"{life.shape}: it ends at {life.tips()}, and undisturbed at {undisturbed}"
    platform = life.platform()
    life.judge()
    assert platform.git("fsck", "--strict", "--no-dangling") == ""
    if life.shape == "tree":
        status = subprocess.run(
            ["git", "-C", str(life.path), "status", "--porcelain"], capture_output=True, text=True, check=True
        )
        assert status.stdout == "", f"the work tree is not what was committed: {status.stdout}"
    left = [name for _, folders, names in os.walk(life.disk) for name in folders + names if _is_left(name)]
    assert not left, f"{left} were left behind"


def _is_left(name: str) -> bool:
    return name.startswith(("tmp_gitops_", ".gitops-")) or name in ("main.lock", "index.lock", "index.gitops")


def main() -> None:
    shape, seed, disk, elsewhere = sys.argv[1:]
    Life(shape, seed, Path(disk), Path(elsewhere)).live(lambda line: print(line, flush=True))


if __name__ == "__main__":
    main()
