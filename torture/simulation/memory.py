"""Git repositories in memory: objects in a dict, refs in a dict, and what `gitops` opens of them.

What is damaged or lost there is damaged or lost for all who read it, as on a disk.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pygit2

from gitops.core.tree import BLOB, EMPTY, TREE, Oid, children
from gitops.git.objects import ObjectStore
from gitops.git.pack import Pack
from gitops.git.repository import Repository
from gitops.git.stored import Stored

HEADS = "refs/heads/"
Objects = dict[Oid, tuple[str, bytes]]
Reach = Callable[[str], None]
"""What an actor calls before and after each effect: there he may be held up, or die."""


class Host:
    """A repository called *name*: its objects by their ids, its refs by their whole names."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.objects: Objects = {}
        self.refs: dict[str, Oid] = {}
        self.damaged: set[Oid] = set()

    def tips(self) -> dict[str, Oid]:
        """Where the branches stand, by their names."""
        return {ref.removeprefix(HEADS): oid for ref, oid in sorted(self.refs.items()) if ref.startswith(HEADS)}

    def put(self, tips: dict[str, Oid]) -> None:
        """Let the branches stand at *tips*, and no others be."""
        self.refs = {ref: oid for ref, oid in self.refs.items() if not ref.startswith(HEADS)}
        self.refs |= {HEADS + branch: oid for branch, oid in tips.items()}

    def reachable(self) -> set[Oid]:
        """Return the objects that refs lead to."""
        return set(closure(self.objects, self.refs.values(), ()))

    def collect_garbage(self) -> int:
        """Remove what no ref leads to, as `git gc --prune=now` does; return how many objects went."""
        kept = self.reachable()
        gone = [oid for oid in self.objects if oid not in kept]
        for oid in gone:
            del self.objects[oid]
        return len(gone)


def closure(objects: Objects, tips: Collection[Oid], known: Collection[Oid]) -> Iterator[Oid]:
    """List what is reachable from *tips*, and not *known*. KeyError when something is missing."""
    waiting, seen = [tip for tip in tips if tip not in known], set(tips)
    while waiting:
        oid = waiting.pop()
        yield oid
        kind, content = objects[oid] if oid != EMPTY else (TREE, b"")
        for below in _refers(kind, content):
            if below not in seen and below not in known:
                seen.add(below)
                waiting.append(below)


def _refers(kind: str, content: bytes) -> list[Oid]:
    if kind == BLOB:
        return []
    return children(content) if kind == TREE else [tree_of(content), *parents(content)]


def tree_of(commit: bytes) -> Oid:
    """Return the tree that the bytes of a commit name."""
    return bytes.fromhex(commit[5:45].decode())


def parents(commit: bytes) -> list[Oid]:
    """Return the parents that the bytes of a commit name."""
    head = commit.partition(b"\n\n")[0].split(b"\n")
    return [bytes.fromhex(line[7:].decode()) for line in head if line.startswith(b"parent ")]


class _MemoryStored(Stored):
    """The objects that stand in a Host."""

    def __init__(self, folder: Path, host: Host, reach: Reach) -> None:
        super().__init__(folder)
        self._host, self._reach = host, reach

    def __contains__(self, oid: Oid) -> bool:
        return oid in self._host.objects

    def read(self, oid: Oid) -> tuple[str, bytes]:
        self._reach(f"read {oid.hex()}")
        if oid in self._host.damaged:
            raise self.damaged(oid, "it was damaged")
        if oid not in self._host.objects:
            raise self._missing(oid)
        return self._host.objects[oid]


class MemoryObjects(ObjectStore):
    """The object store of one actor above a Host: what is staged or remembered is his alone, and dies with him."""

    def __init__(self, host: Host, reach: Reach) -> None:
        super().__init__(Path("/nowhere", host.name, "objects"))
        self._host, self._reach = host, reach
        self._stored = _MemoryStored(self.folder, host, reach)
        self._written: dict[Any, set[Oid]] = {}

    def expect(self, oids: Sequence[Oid]) -> None:
        """Reading costs nothing here."""

    def flush(self) -> None:
        if len(self._staged):
            self._reach("flush")
            oids = self._staged.oids()
            self._host.objects |= {oid: self._staged.get(oid) for oid in oids}
            self._written[_Flushed(self._host, oids)] = oids
            self._staged = Pack()
            self._reach("flush, done")

    def settle(self) -> None:
        self._written.clear()


class _Flushed:
    """What stands for the pack that a flush would have written."""

    def __init__(self, host: Host, oids: set[Oid]) -> None:
        self._host, self._oids = host, oids

    def exists(self) -> bool:
        return self._oids <= self._host.objects.keys()


class MemoryRepository(Repository):
    """A Host as one actor has it open; a *clone* is his alone."""

    def __init__(self, host: Host, reach: Reach, *, clone: bool = False) -> None:
        self.host, self._clone = host, clone
        self.git_dir = self.common_dir = Path("/nowhere", f"{host.name}.git")
        self.objects = MemoryObjects(host, reach)
        self.newest = {}

    def reopened(self) -> Any:
        return Refs(self.host)

    def is_clone(self) -> bool:
        return self._clone

    def origin(self) -> str:
        return ""


class _Ref(NamedTuple):
    name: str
    target: pygit2.Oid


class Refs:
    """As much of a `pygit2.Repository` as a remote asks of it: its refs, and whether an object is there."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.references = self

    def free(self) -> None:
        """Let go of files, of which memory has none."""

    def get(self, name: str) -> _Ref | None:
        oid = self._host.refs.get(name)
        return _Ref(name, pygit2.Oid(raw=oid)) if oid else None

    def create(self, name: str, target: pygit2.Oid, *, force: bool) -> None:
        assert force
        self._host.refs[name] = target.raw

    def delete(self, name: str) -> None:
        del self._host.refs[name]

    def iterator(self) -> Iterator[_Ref]:
        return iter([_Ref(name, pygit2.Oid(raw=oid)) for name, oid in sorted(self._host.refs.items())])

    def __contains__(self, oid: pygit2.Oid) -> bool:
        return oid.raw in self._host.objects
