"""The tree that edits make of another: only the directories that they change are read, and written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gitops.core.tree import DIRECTORY, EMPTY, TREE, Edits, Entry, Objects, Oid, Tree, serialise

_FEW = 16  # times as many entries as edits: then a search for each edit costs less than to write all of them


def patch(objects: Objects, root: Oid | None, edits: Edits | Iterable[tuple[str, Entry | None]]) -> Oid:
    """Return the tree that *edits* (path -> entry, None removes) make of *root*.

    Later edits of one path win. A file in the way of an edit's directories gives way; directories that become empty
    vanish, as Git has none. The result is `EMPTY` when nothing is left.
    """
    nested: dict[str, object] = {}
    for path, entry in edits.items() if isinstance(edits, Mapping) else edits:
        node = nested
        *above, name = path.split("/")
        for part in above:
            child = node.get(part)
            if not isinstance(child, dict):
                child = node[part] = {"": child} if part in node else {}
            node = child
        node[name] = entry
    return _Patch(objects).apply(root, nested) or EMPTY


class _Patch:
    """Makes trees; those of one entry, of which a new branch of directories is full, only once for all like them."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._alone: dict[tuple[str, Entry], Oid] = {}

    def apply(self, root: Oid | None, edits: Mapping[str, object]) -> Oid | None:
        """Return the tree that *edits* (names to entries, None, or edits below) make of *root*; None when empty."""
        if "" in edits:  # the directory itself was set, or removed, before something below it
            base = edits[""]
            root = base.oid if isinstance(base, Entry) and base.is_tree else None
        tree = self._objects.tree(root or EMPTY)
        return self._add(edited(tree, {name: self._made(tree, name, edit) for name, edit in edits.items() if name}))

    def _made(self, tree: Tree, name: str, edit: object) -> Entry | None:
        """Return what *name* stands for after its *edit*."""
        if isinstance(edit, dict):
            below = tree.get(name)
            oid = self.apply(below.oid if below and below.is_tree else None, edit)
            return Entry(DIRECTORY, oid) if oid else None
        return edit if isinstance(edit, Entry) else None

    def _add(self, tree: Tree) -> Oid | None:
        if len(tree) > 1:
            oid = self._objects.add(TREE, tree.raw)
            self._objects.learn(oid, tree)
            return oid
        for alone in tree.items():
            if alone not in self._alone:
                self._alone[alone] = self._objects.add(TREE, tree.raw)
            return self._alone[alone]
        return None


def edited(tree: Tree, edits: Edits) -> Tree:
    """Return *tree* with other entries (None: without). Where few of many change, the rest is not written again."""
    made = Tree(tree, tree.raw if len(edits) * _FEW < len(tree) else b"")
    for name, new in edits.items():
        old = made.pop(name, None) if new is None else made.get(name)
        made.raw = made.raw and _spliced(made.raw, name, old, new)
        if new:
            made[name] = new
    made.raw = made.raw or serialise(made)
    return made


def _spliced(raw: bytes, name: str, old: Entry | None, new: Entry | None) -> bytes:
    """Put one row of a tree in the place of another. Empty when it stands elsewhere, or its place is not certain."""
    if old is None or (new and new.is_tree != old.is_tree):
        return b""
    row = serialise({name: old})
    return raw.replace(row, serialise({name: new}) if new else b"") if raw.count(row) == 1 else b""
