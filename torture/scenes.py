"""A ground as people see it, who have a work tree of it, and as a judge does, who sees the state store as well."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any

import pygit2
from support.platform import Clock, Platform

from gitops.core import urls

_AS_ADA = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")


class Tree(Platform):
    """A repository with a work tree, in which people commit and leave things lying about."""

    def __init__(self, path: Path, clock: Clock) -> None:
        if not path.exists():
            pygit2.init_repository(str(path), initial_head="main")
        super().__init__(path, clock)

    def move(self, oid: str | None, branch: str = "") -> None:
        super().move(oid, branch)
        self.git("reset", "--hard", "--quiet")

    def edit(self) -> None:
        """Change a file and make one, and commit neither."""
        (self.path / "works/8.yaml").write_text("# to do\n")
        (self.path / "notes.txt").write_text("notes\n")

    def edits(self) -> list[str]:
        """Return what people have not committed."""
        return self.git("status", "--porcelain", "--untracked-files=all").splitlines()

    def commit_own(self) -> bool:
        """Let a person commit a file of his own, which changes no other; False when git does not let him just now."""
        name = f"mine-{time.monotonic_ns()}.txt"
        (self.path / name).write_text("mine\n")
        try:
            self.git("add", name)
            self.git(
                "-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit", "--quiet", "--message", "Mine"
            )
        except subprocess.CalledProcessError:
            assert (self.path / ".git/index.lock").exists()
            (self.path / name).unlink()
            return False
        assert self.git("show", "--format=", "--name-only", "HEAD").split() == [name]
        return True


class Court(Platform):
    """A repository of which a judge sees all: the branches of the home repository, and those of the store as its own.

    It borrows their objects, so that nothing is touched there.
    """

    def __init__(self, path: Path, clock: Clock, home: Path, store: Path | None, address: str) -> None:
        super().__init__(path, clock)
        self._sources = {"": Platform(home, clock), **({"store/": Platform(store, clock)} if store else {})}
        self._address = address
        folders = [Path(source.repo.path) / "objects" for source in self._sources.values()]
        (path / "objects/info/alternates").write_text("".join(f"{folder}\n" for folder in folders))
        self.repo = pygit2.Repository(str(path))

    def refresh(self) -> None:
        """See where the branches are now."""
        for name in list(self.repo.references):
            self.repo.references.delete(name)
        for prefix, source in self._sources.items():
            for name in source.repo.branches.local:
                self.repo.references.create(f"refs/heads/{prefix}{name}", source.repo.branches.local[name].target)

    def statuses(self, at: str = "") -> dict[str, dict[str, Any]]:
        """Status files, in which branches have the names that they have here."""
        found = super().statuses(at)
        for status in found.values():
            body = status["status"]
            if "branch" in body:
                body["branch"] = self._here(body["branch"])
            if "superseded" in body:
                body["superseded"] = {self._here(name): files for name, files in body["superseded"].items()}
        return found

    def _here(self, name: str) -> str:
        address, branch = urls.split_branch(name)
        return f"store/{branch}" if address and address == self._address else name
