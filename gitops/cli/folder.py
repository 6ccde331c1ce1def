"""Files on disk as the tree that a commit of them would have."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from gitops.core.patch import patch
from gitops.core.sketch import Sketch
from gitops.core.tree import BLOB, EXECUTABLE, FILE, LINK, Entry, Oid


def tree(objects: Sketch, root: Path, found: Iterable[Path]) -> Oid:
    """Sketch the tree of the files and folders *found* below *root*. Symbolic links are not followed."""
    entries = [(file.relative_to(root).as_posix(), _entry(objects, file)) for top in found for file in _files(top)]
    return patch(objects, None, entries)


def _files(top: Path) -> Iterator[Path]:
    if top.is_file() or top.is_symlink():
        yield top
    for folder, folders, names in os.walk(top):
        folders[:] = sorted(name for name in folders if name != ".git")
        yield from (Path(folder) / name for name in [*names, *(n for n in folders if (Path(folder) / n).is_symlink())])


def _entry(objects: Sketch, file: Path) -> Entry:
    if file.is_symlink():
        return Entry(LINK, objects.add(BLOB, os.fsencode(file.readlink())))
    mode = EXECUTABLE if os.access(file, os.X_OK) else FILE
    return Entry(mode, objects.add(BLOB, file.read_bytes()))
