"""How Git stores many objects in one file: a pack (version 2, whole objects, no deltas) with its index (version 2).

Written whole, synced, and only then visible by its name, so that after a power cut there is all of it or nothing.
"""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from itertools import accumulate, islice
from pathlib import Path

from isal import isal_zlib

from gitops.core.tree import BLOB, COMMIT, TREE, Oid

_HELD = b"gitops\n"
TEMPORARY = "tmp_gitops_"  # Git's own sweep knows such files as garbage by "tmp_"

_TYPES = {COMMIT: 1, TREE: 2, BLOB: 3}
_KINDS = {number: kind for kind, number in _TYPES.items()}
FASTEST = 0  # of igzip: a third of the time of zlib's level 1, and a fifth more bytes; `git gc` packs closer
_WRITE_AT_ONCE = 2048  # objects


class Pack:
    """Objects that wait, compressed, to be written together."""

    def __init__(self) -> None:
        self.size = 0
        self._rows: dict[Oid, bytes] = {}

    def __contains__(self, oid: Oid) -> bool:
        return oid in self._rows

    def __len__(self) -> int:
        return len(self._rows)

    def oids(self) -> set[Oid]:
        return set(self._rows)

    def put(self, oid: Oid, kind: str, content: bytes) -> None:
        row = _header(_TYPES[kind], len(content)) + isal_zlib.compress(content, FASTEST)
        self._rows[oid] = row
        self.size += len(row)

    def get(self, oid: Oid) -> tuple[str, bytes]:
        """Return kind and content. KeyError when *oid* is not here."""
        row = self._rows[oid]
        length = next(i for i, byte in enumerate(row) if not byte & 0x80) + 1
        return _KINDS[row[0] >> 4 & 7], zlib.decompress(row[length:])

    def write(self, folder: Path) -> Path:
        """Write pack and index durably below *folder* and return the pack's path.

        Until it is let go, no garbage collection takes it: one that is under way cannot know what a ref will lead to.
        """
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / f"{TEMPORARY}{os.getpid()}"
        checksum = _store(unfinished, self._body())
        pack = folder / f"pack-{checksum.hex()}.pack"
        index = folder / f"{unfinished.name}_idx"  # git takes an `.idx` without its pack for garbage at once
        _store(index, self._index(checksum))
        hold(pack)
        unfinished.rename(pack)  # readers look for the index: it comes last
        index.rename(pack.with_suffix(".idx"))
        sync_folder(folder)
        return pack

    def _body(self) -> Iterator[bytes]:
        yield struct.pack(">4sII", b"PACK", 2, len(self._rows))
        rows = iter(self._rows.values())
        while some := b"".join(islice(rows, _WRITE_AT_ONCE)):
            yield some

    def _index(self, checksum: bytes) -> Iterator[bytes]:
        starts = dict(zip(self._rows, accumulate(map(len, self._rows.values()), initial=12), strict=False))
        oids = sorted(starts)
        counts = [0] * 256
        for oid in oids:
            counts[oid[0]] += 1
        yield struct.pack(">4sI256I", b"\xfftOc", 2, *accumulate(counts))
        yield b"".join(oids)
        yield struct.pack(f">{len(oids)}I", *(zlib.crc32(self._rows[oid]) for oid in oids))
        yield struct.pack(f">{len(oids)}I", *(starts[oid] for oid in oids))
        yield checksum


def hold(pack: Path) -> None:
    """Keep git from taking a pack away, as git itself does while it fetches."""
    with suppress(FileExistsError), pack.with_suffix(".keep").open("xb") as file:
        file.write(_HELD)


def let_go(pack: Path) -> None:
    """Leave a pack to git again, unless somebody else wants it kept."""
    keep = pack.with_suffix(".keep")
    with suppress(OSError):
        if keep.read_bytes() == _HELD:
            keep.unlink()


def sweep(folder: Path) -> None:
    """Remove what killed writers of ours left unfinished below *folder*. Only for the one daemon of a repository."""
    for path in folder.glob(f"{TEMPORARY}*"):
        path.unlink(missing_ok=True)
    for path in folder.glob("pack-*.keep"):
        let_go(path)


def sync_folder(folder: Path) -> None:
    """Make the names in *folder* survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _store(path: Path, chunks: Iterator[bytes]) -> bytes:
    """Write *chunks* and their SHA-1 durably to a read-only file of Git, and return the SHA-1."""
    path.unlink(missing_ok=True)
    checksum = hashlib.sha1(usedforsecurity=False)
    with path.open("xb") as file:
        os.fchmod(file.fileno(), 0o444)
        for chunk in chunks:
            checksum.update(chunk)
            file.write(chunk)
        file.write(checksum.digest())
        file.flush()
        os.fsync(file.fileno())
    return checksum.digest()


def _header(number: int, size: int) -> bytes:
    """Encode type and size: four bits of the size beside the type, then seven a byte, the high bit for "more"."""
    out = bytearray()
    byte, size = number << 4 | size & 0x0F, size >> 4
    while size:
        out.append(byte | 0x80)
        byte, size = size & 0x7F, size >> 7
    out.append(byte)
    return bytes(out)
