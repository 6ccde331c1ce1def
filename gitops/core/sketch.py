"""Git objects in memory, on top of a repository's: a decision adds to them, and a preview writes nothing."""

from __future__ import annotations

import math
from collections.abc import Container, Sequence

from gitops.core.tree import BLOB, COMMIT, EMPTY, TREE, Objects, Oid, Tree, children, object_id, parse

_RECENT = 64  # blobs


class Sketch:
    """Implements `core.tree.Objects`: what is added stays in memory, all else is read from the objects *below*.

    Without anything below it is an object database in memory, no different from a repository to `core`.
    """

    def __init__(
        self, below: Objects | None = None, room: float = math.inf, past: Container[Oid] | None = None
    ) -> None:
        """Hold at most *room* bytes; from then on everything is added to the repository below at once, needed or not.

        With a *past*, no other commits than its own are found below: those that a rewritten history left behind are
        still in some clones and not in others, and all have to come to the same decision.
        """
        self._below, self._room, self._past = below, room, past
        self._recent: dict[Oid, bytes] = {}
        self._is_full = False
        self._added: dict[Oid, tuple[str, bytes]] = {}
        self._trees: dict[Oid, Tree] = {EMPTY: Tree({}, b"")}

    def blob(self, oid: Oid) -> bytes:
        found = self._added.get(oid)
        if found or self._below is None:
            return self._content(found, BLOB, oid)
        recent = self._recent.get(oid)
        return self._below.blob(oid) if recent is None else recent

    def tree(self, oid: Oid) -> Tree:
        if oid not in self._added and oid not in self._trees and self._below is not None:
            return self._below.tree(oid)
        if oid not in self._trees:
            self._trees[oid] = parse(self._content(self._added.get(oid), TREE, oid))
        return self._trees[oid]

    def expect(self, oids: Sequence[Oid]) -> None:
        if self._below:
            self._below.expect(oids)

    def commit_tree(self, oid: Oid) -> Oid:
        found = self._added.get(oid)
        if found is None and self._below is not None:
            if self._past is not None and oid not in self._past:
                raise KeyError(oid.hex())
            return self._below.commit_tree(oid)
        return bytes.fromhex(self._content(found, COMMIT, oid)[5:45].decode())

    def add(self, kind: str, content: bytes) -> Oid:
        oid = object_id(kind, content)
        self.put(oid, kind, content)
        return oid

    def put(self, oid: Oid, kind: str, content: bytes) -> None:
        if self._below is None or self._room > 0:
            self._added[oid] = (kind, content)
            self._room -= len(content)
            if self._below and self._room <= 0:
                self._spill(self._below)
            return
        self._below.put(oid, kind, content)
        if kind == BLOB:  # it is looked at once more, soon
            if len(self._recent) >= _RECENT:
                self._recent.clear()
            self._recent[oid] = content

    def _spill(self, below: Objects) -> None:
        """Add all that is in memory to the repository below: what is added from now on may refer to any of them."""
        for oid, (kind, content) in self._added.items():
            below.put(oid, kind, content)
        self._added.clear()
        self._trees = {EMPTY: Tree({}, b"")}
        self._is_full = True

    def learn(self, oid: Oid, tree: Tree) -> None:
        if oid in self._added:
            self._trees[oid] = tree
        elif self._below is not None and not self._is_full:  # of very many, the fewest are asked for again
            self._below.learn(oid, tree)

    def commit(self) -> None:
        """The decision is final: what is added from now on goes to the repository below at once."""
        self._room = 0

    def __contains__(self, oid: Oid) -> bool:
        return oid in self._added or oid in self._trees or (self._below is not None and oid in self._below)

    def supply(self, oid: Oid) -> None:
        """Add the object *oid* to the repository below, with all that it leads to, as far as they are in memory."""
        assert self._below is not None
        wanted = [oid]
        while wanted:
            found = wanted.pop()
            kind, content = self._added.pop(found, ("", b""))
            if kind == TREE:
                wanted += [child for child in children(content) if child in self._added]
            if kind:
                self._below.put(found, kind, content)
            if found in self._trees:
                self._below.learn(found, self._trees.pop(found))

    @staticmethod
    def _content(found: tuple[str, bytes] | None, kind: str, oid: Oid) -> bytes:
        if found is None or found[0] != kind:
            raise KeyError(oid.hex())
        return found[1]
