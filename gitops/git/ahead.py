"""Many objects, read ahead by git itself: in a process of its own, and without libgit2's long ways through deltas."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from gitops.core.tree import Oid, object_id
from gitops.git.command import SEALED

_LITTLE = ("core.deltaBaseCacheLimit=8m", "core.packedGitLimit=8m", "core.packedGitWindowSize=1m")  # of memory
_COMMAND = (*(word for setting in _LITTLE for word in ("-c", setting)), "cat-file", "--batch", "--buffer")


class ReadAhead:
    """Objects in the order in which they will be asked for.

    It is a help, and never a failure: if anything is amiss it gives no more, and they are read without it.
    """

    def __init__(self, git_dir: Path, oids: Sequence[Oid]) -> None:
        self._wanted, self._next = oids, 0
        self._places = {oid: number for number, oid in enumerate(oids)}
        with tempfile.TemporaryFile() as file:
            file.write(b"".join(b"%b\n" % oid.hex().encode() for oid in oids))
            file.seek(0)
            self._git = subprocess.Popen(
                ["git", f"--git-dir={git_dir}", *_COMMAND],
                stdin=file,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={"PATH": os.environ.get("PATH", os.defpath), **SEALED},
            )

    def take(self, oid: Oid, kind: str) -> bytes | None:
        """Return an object of a *kind* if it is the next one; those that are left out in between are passed over."""
        place = self._places.get(oid, -1)
        while self._next <= place:
            found = self._read(self._wanted[self._next])
            if found is None:
                self.close()
                return None
            self._next += 1
            if self._next == len(self._wanted):
                self.close()
            if self._next > place:
                return found[1] if found[0] == kind else None
        return None

    def close(self) -> None:
        """End it."""
        self._next = len(self._wanted)
        if self._git.stdout:
            self._git.stdout.close()
        self._git.kill()
        self._git.wait()

    def _read(self, oid: Oid) -> tuple[str, bytes] | None:
        assert self._git.stdout
        head = self._git.stdout.readline().decode("ascii", "replace").split()
        if len(head) != 3 or head[0] != oid.hex():
            return None
        content = self._git.stdout.read(int(head[2]) + 1)[:-1]
        return (head[1], content) if object_id(head[1], content) == oid else None
