"""The calls that a process makes to the system about one folder: counted, and told to fail (`calls.c` does it)."""

from __future__ import annotations

import errno
import mmap
import os
import shutil
import struct
import subprocess
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

_SOURCE = Path(__file__).with_suffix(".c")
_HEAD = struct.Struct("=8i512s")  # struct control, but for its log
_LOGGED, _LINE = 8192, 160
_SIZE = _HEAD.size + _LOGGED * _LINE


class Kind(IntEnum):
    """What a call does."""

    LOOK, OPEN, LIST, READ, CREATE, WRITE, SYNC, NAME, REMOVE, LOCK, START = range(11)


ALL, KILL = "all", "kill"
_READING = (Kind.LOOK, Kind.OPEN, Kind.LIST)
_CHANGING = (Kind.CREATE, Kind.NAME, Kind.REMOVE)
ERRORS = {
    "EIO": (errno.EIO, tuple(Kind)[:-1]),
    "ENOSPC": (errno.ENOSPC, (Kind.CREATE, Kind.WRITE, Kind.SYNC, Kind.NAME)),
    "EROFS": (errno.EROFS, _CHANGING),
    "EACCES": (errno.EACCES, (*_READING, *_CHANGING, Kind.START)),
    "EMFILE": (errno.EMFILE, (Kind.OPEN, Kind.LIST, Kind.CREATE, Kind.START)),
    "ETIMEDOUT": (errno.ETIMEDOUT, (Kind.OPEN, Kind.READ, Kind.WRITE, Kind.SYNC, Kind.LOCK)),
    KILL: (0, (*_CHANGING, Kind.WRITE, Kind.SYNC, Kind.LOCK, Kind.START)),
}
"""What can go wrong: its errno (0: kill -9), and the kinds of calls that it befalls."""


class Call(NamedTuple):
    """One call that was made: what, and about which file."""

    kind: Kind
    text: str


def compiler() -> str | None:
    """Return the C compiler of this machine; None when there is none."""
    return shutil.which("cc") or shutil.which("gcc")


def environment(folder: Path) -> dict[str, str]:
    """Make ready in *folder*, and return what a process must be started with to be watched."""
    shim, control = folder / "calls.so", folder / "control"
    if not shim.exists():
        command = [compiler() or "cc", "-O1", "-shared", "-fPIC", "-o", str(shim), str(_SOURCE), "-ldl"]
        subprocess.run(command, check=True)
    control.write_bytes(bytes(_SIZE))
    return {"LD_PRELOAD": str(shim), "CALLS_CONTROL": str(control)}


class Calls:
    """The calls of this process and its children; to be had in a process that was started with `environment`."""

    def __init__(self) -> None:
        with Path(os.environ["CALLS_CONTROL"]).open("r+b") as file:
            self._control = mmap.mmap(file.fileno(), _SIZE)

    def watch(self, folder: Path, error: str, first: int = 0, *, for_ever: bool = False) -> None:
        """Count calls about files below *folder* that *error* may befall; number *first* fails, or all from it on."""
        code, kinds = ERRORS.get(error, (0, tuple(Kind)))
        last = (1 << 31) - 1 if for_ever else first
        mask = sum(1 << kind for kind in kinds)
        values = (1, 0, 0, first or -1, last if first else -1, mask, code, os.getpid())
        self._control[: _HEAD.size] = _HEAD.pack(*values, os.fsencode(folder))

    def end(self) -> int:
        """Let all calls succeed from now on; return how many failed."""
        failed = _HEAD.unpack_from(self._control)[2]
        self._control[:4] = bytes(4)
        return int(failed)

    def made(self) -> list[Call]:
        """Return the calls since `watch`."""
        count = min(_HEAD.unpack_from(self._control)[1], _LOGGED)
        return [self.number(number) for number in range(1, count + 1)]

    def number(self, number: int) -> Call:
        """Return one call, counted from 1."""
        start = _HEAD.size + (number - 1) * _LINE
        line = self._control[start : start + _LINE].partition(b"\0")[0].decode("utf-8", "replace")
        kind, _, text = line.partition(" ")
        return Call(Kind(int(kind)), text)
