"""People with clones of their own: they fetch, commit, rebase or merge, push, and try again when others were faster.

    ada = Contributor(folder, "ada", Way(url, environment), chance)
    ada.fetch()
    ada.clone.commit({"works/redis.yaml": work("redis", env="dev")})
    ada.publish()                           until the server has it

A commit is made in process, for there are thousands; what goes over the line is the git command's work.
"""

from __future__ import annotations

import getpass
import os
import random
import subprocess
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pygit2
from pygit2.enums import MergeFavor, SortMode
from support.platform import Clock, Person, Platform
from support.servers import HOST, PASSWORD, USER, Servers

_ATTEMPTS = 400  # each refusal is a push of somebody else, and there are not so many
_BREATH = 0.2  # seconds, at most, between a push that was refused and the next fetch
_ATTACHED = ["-c", "gc.autoDetach=false", "-c", "maintenance.autoDetach=false"]
_SEALED = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


class Way(NamedTuple):
    """How people reach a repository: its address, and what git must know besides."""

    url: str
    environment: Mapping[str, str] = {}


def way(servers: Servers, kind: str, name: str) -> Way:
    """Return the way to a repository of *servers* for somebody with a password, or a key."""
    url = servers.url(kind, name)
    if kind == "ssh":
        known = servers.folder / "known"
        known.write_text(str((servers.secret(kind) or {})["knownHosts"]) + "\n")
        options = f"-F none -o IdentitiesOnly=yes -o BatchMode=yes -o UserKnownHostsFile={known}"
        return Way(url, {"GIT_SSH_COMMAND": f"ssh -i {servers.folder / 'user'} {options}"})
    return Way(url.replace(f"http://{HOST}", f"http://{USER}:{PASSWORD}@{HOST}"))


class WallClock(Clock):
    """The time of day, in place of a clock that a test moves."""

    def __call__(self) -> datetime:
        self.now = datetime.now(UTC)
        return self.now


class Contributor:
    """One person. `clone` is theirs, bare: its branches are local until they are published."""

    def __init__(self, folder: Path, name: str, to: Way, chance: random.Random) -> None:
        self.name, self.chance = name, chance
        self.clone = Platform(folder / f"{name}.git", WallClock())
        self.person = Person(name.title(), f"{name}@example.org")
        self.pushed: list[str] = []  # commits that the server has acknowledged, each the tip of a push
        self.refused = 0  # pushes that came too late
        self._told = ""  # by the server, of the last push
        self._to = to
        self._environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "USER": getpass.getuser(), **_SEALED}

    def upstream(self, branch: str = "main") -> str | None:
        """Where a branch of the server was when it was last fetched or pushed."""
        found = self.clone.repo.references.get(f"refs/remotes/origin/{branch}")
        return str(found.target) if found else None

    def fetch(self) -> None:
        """See where the branches of the server are, those that are gone too."""
        done = self._git("fetch", "-q", "--prune", self._to.url, "+refs/heads/*:refs/remotes/origin/*")
        assert done.returncode == 0, done.stderr

    def start_over(self, branch: str = "main") -> None:
        """Put a local branch where the server's is."""
        if tip := self.upstream(branch):
            self.clone.move(tip, branch)

    def publish(self, branch: str = "main") -> bool:
        """Push a local branch, rebased or merged when others were faster; False when nothing is left to push."""
        for _ in range(_ATTEMPTS):
            tip = self.clone.tip(branch)
            if not tip or tip == self.upstream(branch):
                return False
            if self._push(f"{tip}:refs/heads/{branch}"):
                self.clone.repo.references.create(f"refs/remotes/origin/{branch}", tip, force=True)
                self.pushed.append(tip)
                return True
            self.refused += 1
            time.sleep(self.chance.uniform(0.0, _BREATH))  # or else most of the work is that of pushes in vain
            self.fetch()
            self._catch_up(branch)
        raise AssertionError(f"{self.name} was refused {_ATTEMPTS} times in a row, at last so: {self._told}")

    def push_by_force(self, tip: str | None, branch: str = "main") -> None:
        """Make a branch of the server be where it is wanted, whatever stands there; None removes it."""
        assert self._push("--force", f"{tip or ''}:refs/heads/{branch}"), f"{branch} cannot be forced to {tip}"

    def _push(self, *what: str) -> bool:
        done = self._git("push", "-q", self._to.url, *what)
        self._told = done.stderr
        return done.returncode == 0

    def _git(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["git", "-C", str(self.clone.path), *_ATTACHED, *arguments]
        environment = {**self._environment, **self._to.environment}
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)

    # others were faster

    def _catch_up(self, branch: str) -> None:
        """Rebase, or merge as `git pull` does; in conflicts one's own lines win, as they do for most people."""
        mine, theirs = self.clone.tip(branch), self.upstream(branch)
        assert mine
        assert theirs
        own = list(self._own(mine, theirs))
        if any(len(commit.parents) > 1 for commit in own) or self.chance.random() < 0.3:
            self._merge(branch, theirs)
        else:
            self.clone.move(theirs, branch)
            for commit in own:
                self._pick(branch, commit)

    def _own(self, mine: str, theirs: str) -> Iterator[pygit2.Commit]:
        walker = self.clone.repo.walk(mine, SortMode.TOPOLOGICAL | SortMode.REVERSE)
        walker.hide(theirs)
        yield from walker

    def _merge(self, branch: str, theirs: str) -> None:
        self.clone.move(theirs, "upstream")
        there, self.clone.branch = self.clone.branch, branch
        self.clone.merge("upstream", self.person)
        self.clone.branch = there

    def _pick(self, branch: str, commit: pygit2.Commit) -> None:
        """Apply a commit to the tip, as `git cherry-pick` does; nothing is left of what is there already."""
        repo, onto = self.clone.repo, self.clone.repo[self.clone.tip(branch) or ""]
        before = commit.parents[0].tree if commit.parents else repo[pygit2.Index().write_tree(repo)]
        index = repo.merge_trees(before, onto.tree, commit.tree, favor=MergeFavor.THEIRS)
        settle(index)
        tree = index.write_tree(repo)
        if tree != onto.tree.id:
            who = commit.author
            made = repo.create_commit(None, who, who, commit.message, tree, [onto.id])
            self.clone.move(str(made), branch)


def settle(index: pygit2.Index) -> None:
    """End the conflicts of "deleted here, changed there": what comes wins."""
    for ancestor, own, other in list(index.conflicts or ()):
        path = next(entry.path for entry in (ancestor, own, other) if entry)
        del index.conflicts[path]
        if other:
            index.add(other)
