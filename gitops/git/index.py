"""Git's index file: which content the next commit will hold at each path, and what its file looked like then.

Read and written here because libgit2 can neither keep the look of files that somebody else wrote nor write into a lock
that is already held. What belongs to the user (other entries, their flags, conflicts) is carried over as it is.
"""

from __future__ import annotations

import hashlib
import os
import struct
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from gitops.core.tree import Change, Entry, Oid
from gitops.errors import RepositoryError

_HEADER = struct.Struct(">4sII")
_LOOK = struct.Struct(">10I")  # ctime, ctime ns, mtime, mtime ns, device, inode, mode, uid, gid, size
_FLAGS = struct.Struct(">H")
_FIXED = _LOOK.size + 20 + _FLAGS.size
_EXTENDED, _STAGE, _LONGEST, _SKIP_WORKTREE = 0x4000, 0x3000, 0x0FFF, 0x4000
_UNKNOWN = (0,) * 10
_KEPT = b"REUC"  # what conflicts were resolved; other extensions are caches, and would be wrong now
_WAYS_OUT = {
    b"link": "it is split: run 'git update-index --no-split-index' there",
    b"sdir": "it is sparse: run 'git sparse-checkout reapply --no-sparse-index' there",
}


class Staged(NamedTuple):
    """One entry: a path has up to four, of stage 0, or of 1 to 3 in a conflict."""

    look: tuple[int, ...]
    oid: Oid
    flags: int
    more_flags: int = 0

    @property
    def entry(self) -> Entry:
        return Entry(self.look[6], self.oid)

    @property
    def is_sparse(self) -> bool:
        """Whether the user does not want the file in the work tree."""
        return bool(self.more_flags & _SKIP_WORKTREE)


class Index:
    """The entries of an index, by path and stage."""

    def __init__(self, raw: bytes, place: str) -> None:
        """Read an index; no bytes are an empty one. RepositoryError names *place* and what is wrong."""
        self._entries: dict[tuple[bytes, int], Staged] = {}
        self._extensions = b""
        if raw:
            try:
                self._read(raw, place)
            except (struct.error, IndexError, ValueError) as error:
                raise _unreadable(place, str(error)) from error

    def follow(self, changes: Iterable[Change]) -> list[Change]:
        """Stage *changes* wherever the index still holds what stood there before, and return those.

        What the user staged differently stays, and so does what he put in the way of a new path.
        """
        changes = list(changes)
        removed = [change for change in changes if change.new is None and self._stage(change)]
        names = sorted(name for name, _ in self._entries)
        rest = [c for c in changes if c.new is not None and not (c.old is None and _blocked(names, _raw(c.path)))]
        return removed + [change for change in rest if self._stage(change)]

    def sparse(self, path: str) -> bool:
        staged = self._entries.get((_raw(path), 0))
        return staged is not None and staged.is_sparse

    def saw(self, path: str, look: os.stat_result) -> None:
        """Remember what the file of an entry looks like, so that Git need not read it again."""
        key = (_raw(path), 0)
        staged = self._entries[key]
        times = (*divmod(look.st_ctime_ns, 10**9), *divmod(look.st_mtime_ns, 10**9))
        owner = (staged.look[6], look.st_uid, look.st_gid, look.st_size)
        seen = (*times, look.st_dev, look.st_ino, *owner)
        self._entries[key] = staged._replace(look=tuple(value & 0xFFFFFFFF for value in seen))

    def serialise(self) -> bytes:
        version = 3 if any(staged.more_flags for staged in self._entries.values()) else 2
        rows = (_row(name, staged) for (name, _), staged in sorted(self._entries.items()))
        body = b"".join([_HEADER.pack(b"DIRC", version, len(self._entries)), *rows, self._extensions])
        return body + hashlib.sha1(body, usedforsecurity=False).digest()

    def _stage(self, change: Change) -> bool:
        name = _raw(change.path)
        present = self._entries.get((name, 0))
        if any((name, stage) in self._entries for stage in (1, 2, 3)):
            return False
        if (present.entry if present else None) not in (change.old, change.new):
            return False
        if change.new is None:
            self._entries.pop((name, 0), None)
        elif present is None or present.entry != change.new:
            self._entries[name, 0] = _fresh(name, change.new, present)
        return True

    def _read(self, raw: bytes, place: str) -> None:
        body, checksum = raw[:-20], raw[-20:]
        if any(checksum) and hashlib.sha1(body, usedforsecurity=False).digest() != checksum:
            raise ValueError("its checksum is wrong")
        magic, version, count = _HEADER.unpack_from(body)
        if magic != b"DIRC" or version not in (2, 3, 4):
            raise ValueError(f"version {version} is unknown")
        at, name = _HEADER.size, b""
        for _ in range(count):
            at, name, staged = _read_entry(body, at, name, version)
            self._entries[name, (staged.flags & _STAGE) >> 12] = staged
        for signature, content in _read_extensions(body, at):
            if signature == _KEPT:
                self._extensions += signature + struct.pack(">I", len(content)) + content
            elif signature in _WAYS_OUT or not signature[:1].isupper():
                raise _unreadable(place, _WAYS_OUT.get(signature, f"extension {signature!r} is unknown"))


def _fresh(name: bytes, entry: Entry, present: Staged | None) -> Staged:
    look = (*_UNKNOWN[:6], entry.mode, *_UNKNOWN[7:])
    if present:
        return present._replace(look=look, oid=entry.oid)
    return Staged(look, entry.oid, min(len(name), _LONGEST))


def _blocked(names: list[bytes], name: bytes) -> bool:
    """Tell whether a file stands where a folder of *name* must be, or a folder where its file must be."""
    parts = name.split(b"/")
    above = (b"/".join(parts[:end]) for end in range(1, len(parts)))
    if any(_at(names, folder) == folder for folder in above):
        return True
    return _at(names, name + b"/").startswith(name + b"/")


def _at(names: list[bytes], name: bytes) -> bytes:
    """Return the first of the sorted *names* that is not before *name*."""
    place = bisect_left(names, name)
    return names[place] if place < len(names) else b""


def _read_entry(body: bytes, at: int, previous: bytes, version: int) -> tuple[int, bytes, Staged]:
    start = at
    look, oid = _LOOK.unpack_from(body, at), body[at + _LOOK.size : at + _LOOK.size + 20]
    (flags,) = _FLAGS.unpack_from(body, at + _LOOK.size + 20)
    at += _FIXED
    more = 0
    if flags & _EXTENDED:
        (more,) = _FLAGS.unpack_from(body, at)
        at += _FLAGS.size
    kept = b""
    if version == 4:
        strip, at = _read_offset(body, at)
        kept = previous[: len(previous) - strip]
    end = body.index(b"\0", at)
    name = kept + body[at:end]
    after = end + 1 if version == 4 else start + (end - start + 8) // 8 * 8
    return after, name, Staged(look, oid, flags & ~_EXTENDED, more)


def _read_offset(body: bytes, at: int) -> tuple[int, int]:
    """Read a number of seven bits a byte, in which each further byte also counts the shorter ones."""
    byte = body[at]
    value = byte & 0x7F
    while byte & 0x80:
        at += 1
        byte = body[at]
        value = ((value + 1) << 7) | (byte & 0x7F)
    return value, at + 1


def _read_extensions(body: bytes, at: int) -> Iterator[tuple[bytes, bytes]]:
    while at < len(body):
        signature, size = struct.unpack_from(">4sI", body, at)
        yield signature, body[at + 8 : at + 8 + size]
        at += 8 + size


def _row(name: bytes, staged: Staged) -> bytes:
    flags = staged.flags | (_EXTENDED if staged.more_flags else 0)
    more = _FLAGS.pack(staged.more_flags) if staged.more_flags else b""
    row = b"".join([_LOOK.pack(*staged.look), staged.oid, _FLAGS.pack(flags), more, name])
    return row.ljust((len(row) + 8) // 8 * 8, b"\0")


def _raw(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape")


def _unreadable(place: str, cause: str) -> RepositoryError:
    return RepositoryError(f"{place} cannot be brought up to date: {cause}")
