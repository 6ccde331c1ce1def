"""A Git tree as a value: read, looked up, and compared along differing paths only.

Object ids are the 20 raw bytes of SHA-1; paths are text, `/` between components. Equal ids mean equal content, down to
whole subtrees, so that every function here costs what differs and not what is there.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

Oid = bytes
BLOB, TREE, COMMIT = "blob", "tree", "commit"
FILE, EXECUTABLE, LINK, DIRECTORY, SUBMODULE = 0o100644, 0o100755, 0o120000, 0o040000, 0o160000


class Entry(NamedTuple):
    """What a name in a tree stands for."""

    mode: int
    oid: Oid

    @property
    def is_tree(self) -> bool:
        return self.mode == DIRECTORY

    @property
    def is_file(self) -> bool:
        """Whether it is an ordinary file; to Git all permissions but `executable` are the same."""
        return self.mode & 0o170000 == FILE & 0o170000


class Tree(dict[str, Entry]):
    """The entries of a tree by their names, and the bytes that say the same."""

    __slots__ = ("raw",)

    def __init__(self, entries: Mapping[str, Entry], raw: bytes) -> None:
        super().__init__(entries)
        self.raw = raw


class Objects(Protocol):
    """A Git object database. Adding is harmless and can be repeated; nothing is lasting before it is flushed."""

    def blob(self, oid: Oid) -> bytes:
        """Return the content of a blob. KeyError when it is missing or something else."""

    def tree(self, oid: Oid) -> Tree:
        """Return the entries of a tree. KeyError when it is missing or something else."""

    def expect(self, oids: Sequence[Oid]) -> None:
        """Make ready to read these objects, in this order. It only makes that faster."""

    def commit_tree(self, oid: Oid) -> Oid:
        """Return the tree of a commit. KeyError when the commit is missing (a shallow clone, rewritten history)."""

    def add(self, kind: str, content: bytes) -> Oid:
        """Add an object and return its id."""

    def put(self, oid: Oid, kind: str, content: bytes) -> None:
        """Add an object whose id is known."""

    def learn(self, oid: Oid, tree: Tree) -> None:
        """Take the entries of a tree that was added, so that nobody need read them."""

    def __contains__(self, oid: Oid) -> bool:
        """Whether the object can be read."""


def object_id(kind: str, content: bytes) -> Oid:
    """Return the id that Git gives to *content*."""
    return hashlib.sha1(b"%b %d\0" % (kind.encode(), len(content)) + content, usedforsecurity=False).digest()


EMPTY = object_id(TREE, b"")

_ENTRY = re.compile(rb"([0-7]{5,6}) ([^\0]+)\0(.{20})", re.DOTALL)


def parse(raw: bytes) -> Tree:
    """Read the bytes of a tree object. Names that are no UTF-8 keep their bytes as surrogates (`os.fsdecode`)."""
    entries = {
        name.decode("utf-8", "surrogateescape"): Entry(int(mode, 8), oid) for mode, name, oid in _ENTRY.findall(raw)
    }
    return Tree(entries, raw)


def children(raw: bytes) -> list[Oid]:
    """Return the ids in the bytes of a tree object."""
    return [oid for _, _, oid in _ENTRY.findall(raw)]


def serialise(entries: Mapping[str, Entry]) -> bytes:
    """Write a tree object. Git sorts a directory as if its name ended in a slash."""
    if not entries:
        return b""
    names = "\0".join(entries).encode("utf-8", "surrogateescape").split(b"\0")  # at once: trees may be wide
    modes = {mode: b"%o " % mode for mode in {mode for mode, _ in entries.values()}}
    rows = [
        (name + b"/" if mode == DIRECTORY else name, modes[mode] + name + b"\0" + oid)
        for name, (mode, oid) in zip(names, entries.values(), strict=True)
    ]
    rows.sort()
    return b"".join([row for _, row in rows])


def lookup(objects: Objects, root: Oid | None, path: str) -> Entry | None:
    """Return what stands at *path* below the tree *root*; the empty path is the root itself."""
    entry = Entry(DIRECTORY, root) if root else None
    for name in path.split("/") if path else ():
        if entry is None or not entry.is_tree:
            return None
        entry = objects.tree(entry.oid).get(name)
    return entry


def subtree(objects: Objects, root: Oid | None, path: str) -> Oid | None:
    """Return the id of the directory at *path*, or None when no directory stands there."""
    entry = lookup(objects, root, path)
    return entry.oid if entry and entry.is_tree else None


def obstacle(objects: Objects, root: Oid | None, path: str) -> dict[str, Entry]:
    """Return the file, if any, that stands where a directory above *path* is to be, by its own path."""
    above = ""
    for name in path.split("/")[:-1]:
        entry = objects.tree(root).get(name) if root else None
        if entry is None or not entry.is_tree:
            return {above + name: entry} if entry else {}
        root, above = entry.oid, f"{above}{name}/"
    return {}


def files(objects: Objects, root: Oid | None, prefix: str = "") -> Iterator[tuple[str, Entry]]:
    """List all that is not a directory below *root*, in no promised order, as (*prefix* + path, entry)."""
    stack = [(prefix, root)] if root else []
    while stack:
        above, oid = stack.pop()
        for name, entry in objects.tree(oid).items():
            if entry.is_tree:
                stack.append((f"{above}{name}/", entry.oid))
            else:
                yield above + name, entry


class Change(NamedTuple):
    """One path that differs between two trees; None where it is absent. Never a directory."""

    path: str
    old: Entry | None
    new: Entry | None


def diff(objects: Objects, old: Oid | None, new: Oid | None, prefix: str = "") -> Iterator[Change]:
    """List the files that differ between two trees, entering only directories whose ids differ."""
    stack = [(prefix, old, new)]
    while stack:
        above, a, b = stack.pop()
        if a == b:
            continue
        left: Mapping[str, Entry] = objects.tree(a) if a else {}
        right: Mapping[str, Entry] = objects.tree(b) if b else {}
        for name in left.keys() | right.keys():
            before, after = left.get(name), right.get(name)
            if before == after:
                continue
            dirs = [e.oid if e and e.is_tree else None for e in (before, after)]
            if any(dirs):
                stack.append((f"{above}{name}/", dirs[0], dirs[1]))
            leaves = [None if e and e.is_tree else e for e in (before, after)]
            if any(leaves):
                yield Change(above + name, leaves[0], leaves[1])


Edits = Mapping[str, Entry | None]
"""What is to stand at each path; None: nothing."""
