"""How Git stores one object in one file. Read here and not by libgit2, which never returns from a truncated one."""

from __future__ import annotations

import zlib
from pathlib import Path

from gitops.core.tree import Oid, object_id


class DamagedError(Exception):
    """The file is there and does not hold what its name says, as after a power cut."""


def path_of(folder: str, oid: Oid) -> str:
    """Return where the object has its file below *folder* (objects/), if it has one."""
    name = oid.hex()
    return f"{folder}/{name[:2]}/{name[2:]}"


def read(folder: str, oid: Oid) -> tuple[str, bytes] | None:
    """Return kind and content of an object below *folder* (objects/), or None when it has no file of its own."""
    path = path_of(folder, oid)
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - tried for every object: a Path would double the cost
            raw = file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
    inflater = zlib.decompressobj()
    try:
        head, _, content = inflater.decompress(raw).partition(b"\0")
    except zlib.error as error:
        raise DamagedError(path) from error
    kind = head.partition(b" ")[0].decode("ascii", "replace")
    if not inflater.eof or object_id(kind, content) != oid:
        raise DamagedError(path)
    return kind, content


def alternates(folder: Path) -> list[Path]:
    """Return *folder* (objects/) and all object folders that it borrows from."""
    folders = [folder]
    for place in folders:
        listing = place / "info" / "alternates"
        lines = listing.read_text("utf-8", "surrogateescape").splitlines() if listing.is_file() else []
        paths = [(place / line).resolve() for line in lines if line and not line.startswith("#")]
        folders += [path for path in paths if path not in folders]
    return folders
