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

from gitops.core.tree import Change, Entry
from gitops.errors import RepositoryError

_HEADER = struct.Struct(">4sII")
_LOOK = struct.Struct(">10I")  # ctime, its ns, mtime, its ns, device, inode, mode, uid, gid, size
# Where these stand in an entry; two more bytes of flags may precede the name.
_MODE, _SIZE, _OID, _FLAGS, _NAME = 24, 36, 40, 60, 62
_EXTENDED = 0x40  # in the first byte of the flags
_SKIP_WORKTREE, _INTENT_TO_ADD = 0x40, 0x20  # in that of the further ones
_LONGEST = 0x0FFF
_KEPT = b"REUC"  # what conflicts were resolved; other extensions are caches, and would be wrong now
_WAYS_OUT = {
    b"link": "it is split: run 'git config core.splitIndex false && git update-index --no-split-index' there",
    b"sdir": "it is sparse: run 'git sparse-checkout reapply --no-sparse-index' there",
}


class Index:
    """The entries of an index, by path and stage."""

    def __init__(self, raw: bytes, place: str) -> None:
        """Read an index; no bytes are an empty one. RepositoryError names *place* and what is wrong."""
        self._rows: dict[tuple[bytes, int], bytes] = {}  # each entry as it is stored, by name and stage
        self._extensions = b""
        self.sizes: dict[str, int] = {}  # of the files of what `follow` replaced, as Git saw them last; 0: it did not
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
        rest = [change for change in changes if change.new is not None]
        names = sorted(name for name, _ in self._rows) if any(change.old is None for change in rest) else []
        free = [change for change in rest if change.old is not None or not _is_blocked(names, _raw(change.path))]
        return removed + [change for change in free if self._stage(change)]

    def is_sparse(self, path: str) -> bool:
        """Whether the user does not want the file of *path* in his work tree."""
        return _has(self._rows[_raw(path), 0], _SKIP_WORKTREE)

    def saw(self, path: str, look: os.stat_result) -> None:
        """Remember what the file of *path* looks like, so that Git need not read it again."""
        key = (_raw(path), 0)
        row = self._rows[key]
        mode = int.from_bytes(row[_MODE : _MODE + 4])
        times = (*divmod(look.st_ctime_ns, 10**9), *divmod(look.st_mtime_ns, 10**9))
        seen = (*times, look.st_dev, look.st_ino, mode, look.st_uid, look.st_gid, look.st_size)
        self._rows[key] = _LOOK.pack(*(value & 0xFFFFFFFF for value in seen)) + row[_OID:]

    def serialise(self) -> bytes:
        version = 3 if any(row[_FLAGS] & _EXTENDED for row in self._rows.values()) else 2
        rows = map(self._rows.__getitem__, sorted(self._rows))
        body = b"".join([_HEADER.pack(b"DIRC", version, len(self._rows)), *rows, self._extensions])
        return body + hashlib.sha1(body, usedforsecurity=False).digest()

    def _stage(self, change: Change) -> bool:
        name = _raw(change.path)
        present = self._rows.get((name, 0))
        if present and _has(present, _INTENT_TO_ADD):
            present = None  # the next commit will hold nothing there, so that it would revert
        if any((name, stage) in self._rows for stage in (1, 2, 3)):
            return False
        if (_entry(present) if present else None) not in (change.old, change.new):
            return False
        if present:
            self.sizes[change.path] = int.from_bytes(present[_SIZE:_OID])
        if change.new is None:
            self._rows.pop((name, 0), None)
        else:
            self._rows[name, 0] = _row(name, change.new, _flags(present, name))
        return True

    def _read(self, raw: bytes, place: str) -> None:
        body, checksum = raw[:-20], raw[-20:]
        if any(checksum) and hashlib.sha1(body, usedforsecurity=False).digest() != checksum:
            raise ValueError("its checksum is wrong")
        magic, version, count = _HEADER.unpack_from(body)
        if magic != b"DIRC" or version not in (2, 3, 4):
            raise ValueError(f"version {version} is unknown")
        at = self._read_packed(body, count) if version == 4 else self._read_rows(body, count)
        for signature, content in _read_extensions(body, at):
            if signature == _KEPT:
                self._extensions += signature + struct.pack(">I", len(content)) + content
            elif signature in _WAYS_OUT or not signature[:1].isupper():
                raise _unreadable(place, _WAYS_OUT.get(signature, f"extension {signature!r} is unknown"))

    def _read_rows(self, body: bytes, count: int) -> int:
        at = _HEADER.size
        for _ in range(count):
            start = at + _NAME + (2 if body[at + _FLAGS] & _EXTENDED else 0)
            end = body.index(b"\0", start)
            after = at + _padded(end - at)
            self._rows[body[start:end], _stage_of(body[at + _FLAGS])] = body[at:after]
            at = after
        return at

    def _read_packed(self, body: bytes, count: int) -> int:
        """Read version 4, in which a name tells only how it differs from the one before."""
        at, name = _HEADER.size, b""
        for _ in range(count):
            fixed = body[at : at + _NAME + (2 if body[at + _FLAGS] & _EXTENDED else 0)]
            dropped, start = _read_offset(body, at + len(fixed))
            end = body.index(b"\0", start)
            name = name[: len(name) - dropped] + body[start:end]
            self._rows[name, _stage_of(fixed[_FLAGS])] = _pad(fixed + name)
            at = end + 1
        return at


def _entry(row: bytes) -> Entry:
    return Entry(int.from_bytes(row[_MODE : _MODE + 4]), row[_OID:_FLAGS])


def _has(row: bytes, flag: int) -> bool:
    return bool(row[_FLAGS] & _EXTENDED and row[_NAME] & flag)


def _stage_of(flags: int) -> int:
    return flags >> 4 & 3


def _flags(row: bytes | None, name: bytes) -> bytes:
    """Return the flags that the user gave an entry, or those of a new one."""
    if row is None:
        return min(len(name), _LONGEST).to_bytes(2)
    return row[_FLAGS : _NAME + (2 if row[_FLAGS] & _EXTENDED else 0)]


def _row(name: bytes, entry: Entry, flags: bytes) -> bytes:
    """Return an entry whose file Git has not looked at yet."""
    return _pad(_LOOK.pack(*(0,) * 6, entry.mode, *(0,) * 3) + entry.oid + flags + name)


def _pad(row: bytes) -> bytes:
    return row.ljust(_padded(len(row)), b"\0")


def _padded(length: int) -> int:
    """Return how long an entry is with the NULs at its end: one at least, and up to a multiple of eight."""
    return (length + 8) // 8 * 8


def _is_blocked(names: list[bytes], name: bytes) -> bool:
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


def _raw(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape")


def _unreadable(place: str, cause: str) -> RepositoryError:
    return RepositoryError(f"{place} cannot be brought up to date: {cause}")
