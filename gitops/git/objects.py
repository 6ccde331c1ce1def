"""The object database of a repository: reads any object, and writes many at once, durably, in one pack.

Objects are values: writing them harms nobody and can be repeated. What cannot be read is an error as `stored` tells it.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from gitops.core.tree import BLOB, COMMIT, EMPTY, TREE, Oid, Tree, object_id, parse
from gitops.git import commits
from gitops.git.ahead import ReadAhead
from gitops.git.commits import CommitInfo, Identity, Sign
from gitops.git.pack import Pack, let_go
from gitops.git.stored import Stored

_CACHED_ENTRIES = 60_000  # of trees, about 250 bytes each
_CACHED_COMMITS = 200
_UNSETTLED = 64  # packs whose objects are not written again
_MANY = 500  # objects, for which it pays to start a process
_PACK_SIZE = 32 << 20  # bytes; past that what is staged goes to disk before the flush, to bound memory
_TREE = re.compile(rb"(?:[0-7]{5,6} [^\0/]+\0.{20})*", re.DOTALL)


class ObjectStore:
    """Implements `core.tree.Objects`. Nothing that was added is lasting, or seen by others, before `flush`.

    `ends` are the commits of a clone of limited depth whose parents are not here.
    """

    def __init__(self, folder: Path) -> None:
        """Open the objects below *folder*, the `objects` directory of a repository."""
        self.folder = folder
        self.ends = _shallow(folder.parent / "shallow")
        self._stored = Stored(folder)
        self._staged = Pack()
        self._ahead: ReadAhead | None = None
        self._written: dict[Path, set[Oid]] = {}
        self._trees: OrderedDict[Oid, Tree] = OrderedDict()
        self._entries = 0
        self._commits: OrderedDict[Oid, CommitInfo] = OrderedDict()

    def refresh(self) -> None:
        """Begin a pass: now and then let go of the packs that git has put together since."""
        self._stored.refresh()

    def blob(self, oid: Oid) -> bytes:
        return self._content(BLOB, oid)

    def expect(self, oids: Sequence[Oid]) -> None:
        self._close_ahead()
        if len(oids) > _MANY:
            with suppress(OSError):  # without git they are read one by one
                self._ahead = ReadAhead(self.folder.parent, oids)

    def _close_ahead(self) -> None:
        if self._ahead:
            self._ahead.close()
        self._ahead = None

    def tree(self, oid: Oid) -> Tree:
        tree = self._trees.get(oid)
        if tree is None:
            return self._remember(oid, self._parse(oid)) if oid != EMPTY else Tree({}, b"")
        self._trees.move_to_end(oid)
        return tree

    def read_commit(self, oid: Oid) -> CommitInfo:
        """Return what a commit says. KeyError when it is missing or something else."""
        info = self._commits.get(oid)
        if info is None:
            try:
                info = commits.decode(oid, self._content(COMMIT, oid))
            except ValueError as error:
                raise self._stored.damaged(oid, str(error)) from error
            if oid in self.ends:
                info = info._replace(parents=())
            self._commits[oid] = info
            if len(self._commits) > _CACHED_COMMITS:
                self._commits.popitem(last=False)
        return info

    @property
    def is_shallow(self) -> bool:
        """Whether the history is cut off somewhere, as in a clone of limited depth."""
        return bool(self.ends)

    def commit_tree(self, oid: Oid) -> Oid:
        return self.read_commit(oid).tree

    def add(self, kind: str, content: bytes) -> Oid:
        oid = object_id(kind, content)
        self.put(oid, kind, content)
        return oid

    def put(self, oid: Oid, kind: str, content: bytes) -> None:
        """Add an object whose id is known; also one that was read before, which may have been collected as garbage."""
        if oid not in self._staged and not (self._written and self._is_written(oid)):
            self._staged.put(oid, kind, content)
            if self._staged.size > _PACK_SIZE:
                self.flush()

    def commit(
        self, tree: Oid, parents: Sequence[Oid], author: Identity, when: int, message: str, sign: Sign | None = None
    ) -> Oid:
        """Stage a commit by *author* at *when* (seconds since 1970, UTC) and return its id."""
        if tree == EMPTY:
            self.add(TREE, b"")  # known to git without being stored, but not to every other tool
        return self.add(COMMIT, commits.encode(tree, parents, author, when, message, sign))

    def __contains__(self, oid: Oid) -> bool:
        return oid in self._staged or oid == EMPTY or oid in self._stored

    def flush(self) -> None:
        """Make all that was added durable and readable by everybody. OSError leaves it staged."""
        if len(self._staged):
            if len(self._written) >= _UNSETTLED:
                self.settle()
            self._written[self._staged.write(self.folder / "pack")] = self._staged.oids()
            self._staged = Pack()

    def discard(self) -> None:
        """Forget what was added and not flushed."""
        self._close_ahead()
        for oid in self._staged.oids():
            if oid in self._trees:
                self._entries -= len(self._trees.pop(oid))
            self._commits.pop(oid, None)
        self._staged = Pack()

    def stored(self, oid: Oid) -> bool:
        """Tell whether an object stands in the repository itself, staged or not."""
        return oid in self._stored

    def intact(self) -> bool:
        """Tell whether all that was flushed and not settled is still there.

        Until a ref leads to them, `git gc --prune=now` may remove objects. They are then forgotten, and written again.
        """
        if all(pack.exists() for pack in self._written):
            return True
        self.settle()
        self._trees.clear()
        self._commits.clear()
        self._entries = 0
        return False

    def settle(self) -> None:
        """Take what was flushed as lasting: a ref leads to it, or nothing ever will."""
        for pack in self._written:
            let_go(pack)
        self._written.clear()

    def _is_written(self, oid: Oid) -> bool:
        return any(oid in oids for oids in self._written.values())

    def _content(self, kind: str, oid: Oid) -> bytes:
        if self._ahead and (ahead := self._ahead.take(oid, kind)) is not None:
            return ahead
        found, content = self._staged.get(oid) if oid in self._staged else self._stored.read(oid)
        if found != kind:
            raise self._stored.malformed(oid, f"a {found} stands where a {kind} should be")
        return content

    def _parse(self, oid: Oid) -> Tree:
        raw = self._content(TREE, oid)
        if not _TREE.fullmatch(raw):
            raise self._stored.malformed(oid, "the folder holds entries that Git does not allow")
        return parse(raw)

    def learn(self, oid: Oid, tree: Tree) -> None:
        if oid in self._staged and oid not in self._trees:
            self._remember(oid, tree)

    def _remember(self, oid: Oid, tree: Tree) -> Tree:
        self._trees[oid] = tree
        self._entries += len(tree)
        while self._entries > _CACHED_ENTRIES and len(self._trees) > 1:
            self._entries -= len(self._trees.popitem(last=False)[1])
        return tree


def _shallow(listing: Path) -> frozenset[Oid]:
    lines = listing.read_text("ascii").split() if listing.is_file() else []
    return frozenset(map(bytes.fromhex, lines))
