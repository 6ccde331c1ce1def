"""What is about to happen to a ref, said on disk beforehand, so that what a kill leaves behind is known to be ours.

A record is held locked while its writer lives; the kernel lets go when the writer dies, however it dies. So a record
that can be locked is abandoned, and no process id or clock need be trusted.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

from gitops.core.tree import Oid
from gitops.git.pack import sync_folder

_RECORDS = Path("gitops", "moves")  # below the directory that all work trees share
_TICK = 0.1  # seconds by which times of files may be off
_CLOSE = 60.0  # seconds from a record to a lock without content that was taken for it; work trees come first
_SETTLED = 1.0  # seconds after which an empty lock is no longer one that Git is just about to fill


class Move(NamedTuple):
    """The ref named *ref* goes from *old* (None: unborn) to *new*."""

    ref: str
    old: Oid | None
    new: Oid


class Record:
    """A move on disk, and the lock on it. Closing leaves it for `abandoned` to find."""

    def __init__(self, path: Path, handle: int, move: Move) -> None:
        self.move = move
        self._path = path
        self._handle = handle

    def remove(self) -> None:
        """What was announced is complete, or was never begun."""
        self._path.unlink(missing_ok=True)

    def close(self) -> None:
        os.close(self._handle)

    def break_lock(self, lock: Path) -> bool:
        """Remove a lock file of Git if this abandoned move left it behind. False when that is not certain yet."""
        try:
            content, taken = lock.read_bytes(), lock.stat().st_mtime
        except (FileNotFoundError, NotADirectoryError):
            return True
        ours, after = self.move.new.hex().encode() + b"\n", taken - os.fstat(self._handle).st_mtime
        is_torn = ours.startswith(content) or not content.strip(b"\0")  # not written yet, or by a power cut not in full
        if content != ours and is_torn and -_TICK <= after < _CLOSE:
            if time.time() - taken < _SETTLED:
                return False
        elif content != ours:
            return True
        lock.unlink(missing_ok=True)
        return True


def announce(common_dir: Path, move: Move) -> Record:
    """Write down, durably, that *move* is about to happen."""
    folder = common_dir / _RECORDS
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{os.getpid()}-{time.monotonic_ns()}"
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
    record = Record(path, handle, move)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        os.write(handle, json.dumps([move.ref, move.old.hex() if move.old else None, move.new.hex()]).encode())
        os.fsync(handle)
        sync_folder(folder)
    except OSError:
        with closing(record):
            record.remove()
        raise
    return record


def abandoned(common_dir: Path) -> Iterator[Record]:
    """Yield the moves whose writers are dead or gave up, each locked while it is looked at."""
    folder = common_dir / _RECORDS
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        record = _take(path)
        if record:
            try:
                yield record
            finally:
                record.close()


def sweep(common_dir: Path) -> None:
    """Remove records whose writers died before they wrote them. Only for the one daemon of a repository."""
    folder = common_dir / _RECORDS
    for path in folder.glob("*-*") if folder.is_dir() else ():
        if _decode(path.read_bytes()) is None:
            path.unlink(missing_ok=True)


def _take(path: Path) -> Record | None:
    try:
        handle = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    move = None
    try:
        with suppress(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            move = _decode(os.read(handle, 10_000)) if os.fstat(handle).st_nlink else None
    finally:
        if move is None:
            os.close(handle)
    return Record(path, handle, move) if move else None


def _decode(raw: bytes) -> Move | None:
    """Read a record; None while its writer has not written it yet, or never came to."""
    try:
        ref, old, new = json.loads(raw)
        return Move(ref, bytes.fromhex(old) if old else None, bytes.fromhex(new))
    except ValueError:
        return None
