"""One daemon for each repository: the lock that the kernel releases however its holder ends."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from gitops.errors import LockedError
from gitops.git import moves, pack
from gitops.git.faults import blaming
from gitops.git.repository import Repository

_MOMENT = 0.3  # seconds


@contextmanager
def daemon_lock(repo: Repository) -> Iterator[None]:
    """Be the one daemon of *repo*, and clear away what a killed one left. LockedError names the other one."""
    folder = repo.common_dir / "gitops"
    path = folder / "daemon.lock"
    with blaming(folder.parent):
        folder.mkdir(exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        if not _locked(handle):
            holder = os.read(handle, 32).decode("ascii", "replace").strip() or "unknown"
            raise LockedError(f"another gitops (pid {holder}) works on {repo.common_dir}: {path} is locked")
        with blaming(path):
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        pack.sweep(repo.common_dir / "objects" / "pack")
        moves.sweep(repo.common_dir)
        yield
    finally:
        os.close(handle)  # which unlocks; the file stays, for removing it would let two hold it


def _locked(handle: int) -> bool:
    """Take the lock. A process that a killed daemon was just starting holds it for a moment longer."""
    until = time.monotonic() + _MOMENT
    while True:
        with suppress(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        if time.monotonic() > until:
            return False
        time.sleep(_MOMENT / 10)
