"""What must change in a branch so that it holds what a placement should deliver, and nothing else of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from gitops.core.tree import DIRECTORY, FILE, Change, Edits, Entry, Objects, Oid, diff, lookup, obstacle


class Tally(NamedTuple):
    """How many files an edit adds, changes and removes."""

    added: int = 0
    changed: int = 0
    removed: int = 0

    def __str__(self) -> str:
        return f"+{self.added} ~{self.changed} -{self.removed}"


def directory(objects: Objects, root: Oid | None, path: str, tree: Oid | None) -> Edits:
    """Make the directory *path* hold *tree* and nothing else; None removes it."""
    wanted = Entry(DIRECTORY, tree) if tree else None
    return {} if lookup(objects, root, path) == wanted else {path: wanted}


def present(objects: Objects, root: Oid | None, inventory: Mapping[str, Oid]) -> Edits:
    """Make each file of *inventory* be there with its content."""
    wanted = {path: Entry(FILE, oid) for path, oid in inventory.items()}
    return {path: entry for path, entry in wanted.items() if lookup(objects, root, path) != entry}


def absent(objects: Objects, root: Oid | None, paths: Iterable[str]) -> Edits:
    """Make each of these files be gone; what others have put in its place, a directory, stays."""
    found = ((path, lookup(objects, root, path)) for path in paths)
    return {path: None for path, entry in found if entry and not entry.is_tree}


def touched(objects: Objects, root: Oid | None, edits: Edits) -> Iterator[Change]:
    """List the files that *edits* add, change or remove in *root*, and those that give way to directories."""
    obstacles: dict[str, Entry] = {}
    for path, new in edits.items():
        old = lookup(objects, root, path)
        if new and old is None:
            obstacles |= obstacle(objects, root, path)
        trees = [e.oid if e and e.is_tree else None for e in (old, new)]
        if any(trees):
            yield from diff(objects, trees[0], trees[1], f"{path}/")
        leaves = [None if e and e.is_tree else e for e in (old, new)]
        if any(leaves):
            yield Change(path, leaves[0], leaves[1])
    yield from (Change(path, old, None) for path, old in obstacles.items())


def tally(changes: Iterable[Change]) -> Tally:
    """Count changes."""
    added = changed = removed = 0
    for change in changes:
        if change.old is None:
            added += 1
        elif change.new is None:
            removed += 1
        else:
            changed += 1
    return Tally(added, changed, removed)
