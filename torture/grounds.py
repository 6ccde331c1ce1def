"""Where a daemon is killed: a repository of one kind, its daemons with their clones, perhaps a state store elsewhere.

A ground can be put back to how it was before, so that one history is run undisturbed, killed and run again.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from support.platform import Clock, Platform
from support.servers import Servers, hook

from gitops.core import urls
from torture.points import HOOKS
from torture.runner import Runner
from torture.scenes import Court, Tree

_AGED = 7200.0  # seconds after which nobody takes a file for one that is being written


class Kind(NamedTuple):
    """What kind of ground: how the daemons reach the home repository, how many they are, and with a store or not."""

    home: str  # local, tree, http, ssh
    daemons: int = 1
    store: bool = False

    def __str__(self) -> str:
        return f"{self.home}{'-store' if self.store else ''}{'-two' if self.daemons > 1 else ''}"


KINDS = {
    str(kind): kind
    for home in ("local", "tree", "http", "ssh")
    for kind in (Kind(home), Kind(home, store=True), Kind(home, daemons=2))
}


@dataclass
class Ran:
    """How a command ended, how long it took, what it said, and the points that it passed."""

    code: int
    seconds: float
    said: str
    crossed: list[str]


class Ground:
    """One repository with its daemons. To be closed."""

    def __init__(self, kind: Kind, folder: Path, servers: Servers, name: str) -> None:
        """*folder* is a new one; *name* is that of the repositories on the servers."""
        self.kind, self.folder, self.clock = kind, folder, Clock()
        self._servers, self._name = servers, name
        for one in ("secrets", "memory", "tmp", "saved", "bin", "hooks", "home-of-nobody"):
            (folder / one).mkdir(parents=True)
        self._runners = [Runner() for _ in range(kind.daemons)]
        self.home = self._make_home()
        self.store = self._make(f"{name}-store") if kind.store else None
        self._wrap_git()

    def close(self) -> None:
        for runner in self._runners:
            runner.close()

    @property
    def transport(self) -> str:
        """The kind of server that daemons and stores speak to."""
        return self.kind.home if self.kind.home in ("http", "ssh") else "file"

    @property
    def one_address(self) -> bool:
        """Whether all daemons name the repository in the same way, so that their commits are the same to the byte."""
        return self.kind.daemons == 1 or self.transport != "file"

    @property
    def platform(self) -> Platform:
        """The home repository, as people have it, opened anew."""
        return Tree(self.home, self.clock) if self.kind.home == "tree" else Platform(self.home, self.clock)

    def court(self) -> Court:
        """What a judge sees, opened anew."""
        place = self.folder / "court"
        shutil.rmtree(place, ignore_errors=True)
        address = urls.canonical(self.store_url) if self.store else ""
        court = Court(place, self.clock, self.home, self.store, address)
        court.refresh()
        return court

    @property
    def store_url(self) -> str:
        return self._servers.url(self.transport, f"{self._name}-store")

    def url(self, number: int) -> str:
        """Return what daemon *number* is told as `--repo`; of two at a local repository the second has a clone."""
        if self.kind.home in ("http", "ssh"):
            return self._servers.url(self.transport, f"{self._name}-home")
        return f"file://{self.home}" if number else str(self.home)

    # runs

    def begin(self, number: int = 0, fatal: str = "", *, once: bool = True) -> int:
        """Start daemon *number*, which dies at the point *fatal*; return the process id."""
        for file in ("log", "trace", "pid"):
            (self.folder / f"{file}-{number}").unlink(missing_ok=True)
        return self._runners[number].begin(
            {
                "arguments": ["--repo", self.url(number), "run", *(["--once"] if once else ["--interval", "300ms"])],
                "environment": self._environment(self.folder / f"cache-{number}"),
                "now": self.clock.now.isoformat(),
                "fatal": fatal,
                "memory": str(self.folder / "memory"),
                **{file: str(self.folder / f"{file}-{number}") for file in ("log", "trace", "pid")},
            }
        )

    def end(self, number: int = 0) -> int:
        return self._runners[number].end()

    def run(self, number: int = 0, fatal: str = "") -> Ran:
        """Run one pass of daemon *number* to its end."""
        began = time.monotonic()
        self.begin(number, fatal)
        code = self.end(number)
        return Ran(code, time.monotonic() - began, self.said(number), self.crossed(number))

    def said(self, number: int = 0) -> str:
        log = self.folder / f"log-{number}"
        return log.read_text("utf-8", "replace") if log.exists() else ""  # it may end before it says anything

    def crossed(self, number: int = 0) -> list[str]:
        """Return the points that the last run of daemon *number* passed."""
        trace = self.folder / f"trace-{number}"
        return trace.read_text().splitlines() if trace.exists() else []

    def orphans(self, *, kill: bool = False) -> list[str]:
        """Wait until all that the daemons had started has ended, or kill it; return what stays."""
        return [name for runner in self._runners for name in runner.orphans(kill=kill)]

    @contextmanager
    def deadly_hook(self, point: str) -> Iterator[None]:
        """Let git, or its server, kill the daemon at *point*, of `points.HOOKS`."""
        assert point in HOOKS
        kill = f"kill -9 $(cat {self.folder}/pid-0)"
        there = self.store if self.store and self.transport == "file" else self.home
        match point.partition(":")[2]:
            case "received":
                place, name, script = there, "pre-receive", f"cat > /dev/null; {kill}; exit 0"
            case "accepted":
                place, name, script = there, "post-receive", f"cat > /dev/null; {kill}; exit 0"
            case state:
                place, name = self.folder, "reference-transaction"
                script = f'[ "$1" != {state} ] || {{ {kill}; kill -9 0; }}'
        hook(place, name, script)
        try:
            yield
        finally:
            (place / "hooks" / name).unlink()

    # what was, and what is left

    def save(self, tag: str) -> None:
        """Keep everything as it is now, under the name *tag*."""
        shutil.rmtree(self.folder / "saved" / tag, ignore_errors=True)
        for place, kept in self._places(tag):
            if place.exists():
                shutil.copytree(place, kept, symlinks=True)

    def restore(self, tag: str) -> None:
        for place, kept in self._places(tag):
            shutil.rmtree(place, ignore_errors=True)
            if kept.exists():
                shutil.copytree(kept, place, symlinks=True)

    def clones(self) -> list[Path]:
        """Return the clones of the daemons."""
        return sorted(self.folder.glob("cache-*/gitops/*.git"))

    def locks(self) -> list[Path]:
        """Return the locks of Git in the home repository."""
        return [path for path in self.home.rglob("*.lock") if path.name != "daemon.lock"]

    def forget_clones(self) -> None:
        for cache in self.folder.glob("cache-*"):
            shutil.rmtree(cache)

    def forget_memory(self) -> None:
        """Leave daemons nothing of what they have in mind, nor their clones."""
        self.forget_clones()
        for memory in self.home.rglob("memory-*"):
            memory.unlink()

    def age(self) -> None:
        """Let hours pass for everything that a killed process may have left behind."""
        past = time.time() - _AGED
        for place in (self.home, *self.folder.glob("cache-*"), self.folder / "memory", self.folder / "tmp"):
            for path in [place, *place.rglob("*")]:
                if not path.is_symlink() and path.name != "index":
                    with suppress(OSError):
                        os.utime(path, (past, past))

    # the making

    def _environment(self, cache: Path) -> dict[str, str]:
        return {
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}:/usr/sbin:/sbin",
            "HOME": str(self.folder / "home-of-nobody"),
            "TMPDIR": str(self.folder / "tmp"),
            "XDG_CACHE_HOME": str(cache),
            "GITOPS_SECRETS": str(self.folder / "secrets"),
            "GIT_ALLOW_PROTOCOL": "https:http:ssh:file",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "LC_ALL": "C",
            "TZ": "UTC",
        }

    def _make_home(self) -> Path:
        if self.kind.home == "local":
            return Platform(self.folder / "home.git", self.clock).path
        if self.kind.home == "tree":
            return Tree(self.folder / "home", self.clock).path
        return self._make(f"{self._name}-home")

    def _make(self, name: str) -> Path:
        path = self._servers.make(name)
        for sample in (path / "hooks").glob("*.sample"):
            sample.unlink()
        self._servers.url(self.transport, name)  # which starts the server
        for secret in ("gitops-repository", "fleet"):
            for key, value in (self._servers.secret(self.transport) or {}).items():
                folder = self.folder / "secrets/default" / secret
                folder.mkdir(parents=True, exist_ok=True)
                (folder / key).write_text(value)
        return path

    def _places(self, tag: str) -> Iterator[tuple[Path, Path]]:
        caches = [self.folder / f"cache-{number}" for number in range(self.kind.daemons)]
        others = [self.folder / "memory", self.folder / "tmp", *([self.store] if self.store else [])]
        for number, place in enumerate((self.home, *caches, *others)):
            yield place, self.folder / "saved" / tag / str(number)

    def _wrap_git(self) -> None:
        """Make git run the hooks of this ground, which it is told not to run any."""
        git = shutil.which("git")
        (self.folder / "bin/git").write_text(f'#!/bin/sh\nexec {git} -c core.hooksPath={self.folder}/hooks "$@"\n')
        (self.folder / "bin/git").chmod(0o755)
