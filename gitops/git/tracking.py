"""What a remote is known to have: a ref here for each branch of it, `refs/gitops/remotes/<id>/<branch>`.

Only we write these refs, so that what a kill, a power cut or a garbage collection left of them may be cleared away.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress

import pygit2

from gitops.core.tree import Oid
from gitops.errors import RepositoryError
from gitops.git.faults import blaming, cause
from gitops.git.repository import Repository
from gitops.git.stored import REOPENED

REMOTES = "refs/gitops/remotes/"

_HELD = 2.0  # seconds for which a git command may hold the lock of a ref that only we write; then it is dead
_TICK = 0.1  # seconds between two looks at such a lock


class Tracking:
    """The refs in *repo* of the remote with this *remote_id*."""

    def __init__(self, repo: Repository, remote_id: str, pause: Callable[[float], None] = time.sleep) -> None:
        self._folder, self._above, self._pause = repo.common_dir, f"{REMOTES}{remote_id}/", pause
        self._reads = 0
        with blaming(repo.common_dir):
            self._handle = repo.reopened()

    def ref(self, branch: str) -> str:
        """Name the ref of a branch."""
        return self._above + branch

    def read(self, ref: str) -> Oid | None:
        """Return what a ref leads to; None as well when a power cut or a garbage collection ruined it."""
        self._reads += 1
        if self._reads % REOPENED == 0:
            self._handle.free()  # what it needs is opened again
        try:
            found = self._handle.references.get(ref)
            target = found and found.target
            return target.raw if isinstance(target, pygit2.Oid) and target in self._handle else None
        except (pygit2.GitError, OSError, ValueError):  # the last where the system fails to map a file
            return None

    def record(self, ref: str, oid: Oid) -> None:
        """Let a ref lead to *oid*. RepositoryError."""
        self._unlock(ref)
        try:
            self._handle.references.create(ref, pygit2.Oid(raw=oid), force=True)
        except (pygit2.GitError, OSError) as error:
            raise RepositoryError(f"{ref} cannot be written: {cause(error, self._folder)}") from error

    def forget(self, refs: Iterable[str]) -> None:
        """Remove refs, also damaged ones."""
        for ref in refs:
            with suppress(KeyError, pygit2.GitError, OSError):
                self._handle.references.delete(ref)
            path = self._folder / ref
            if path.is_file():  # it is damaged
                path.unlink()

    def make_way(self, refs: Collection[str]) -> None:
        """Clear away what is damaged or in the way of *refs*: a lock, a branch that is a folder of branches now."""
        for ref in refs:
            self._unlock(ref)
        missing = [ref for ref in refs if self.read(ref) is None]
        self.forget(missing)
        if missing:
            self.forget(ref.name for ref in list(self._handle.references.iterator()) if _collides(ref.name, missing))

    def _unlock(self, ref: str) -> None:
        """Wait for the lock of a ref, and take it away when a kill or a power cut left it behind."""
        lock, left = self._folder / f"{ref}.lock", _HELD
        while lock.exists() and left > 0:
            self._pause(_TICK)
            left -= _TICK
        with suppress(FileNotFoundError, NotADirectoryError):
            lock.unlink()


def _collides(ref: str, others: Iterable[str]) -> bool:
    """Whether a ref of ours and one of *others* cannot both be, because one would be the other's folder."""
    return ref.startswith(REMOTES) and any(ref.startswith(f"{o}/") or o.startswith(f"{ref}/") for o in others)
