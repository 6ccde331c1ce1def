"""A commit as a person makes one: files edited on top of a branch, and the work tree after it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from gitops.core.patch import patch
from gitops.core.tree import BLOB, FILE, Entry, Oid
from gitops.git import refs
from gitops.git.commits import Identity
from gitops.git.repository import Repository


def commit(
    repo: Repository, branch: str, files: Mapping[str, bytes], author: Identity, when: datetime, message: str
) -> Oid:
    """Commit *files* (content by path) on top of *branch*, which this may be the first commit of; return its id.

    `Moved` or `Busy` when somebody else works there; nothing has happened then.
    """
    objects = repo.objects
    old = refs.tip(repo, branch)
    edits = {path: Entry(FILE, objects.add(BLOB, content)) for path, content in files.items()}
    tree = patch(objects, objects.read_commit(old).tree if old else None, edits)
    new = objects.commit(tree, [old] if old else [], author, int(when.timestamp()), message)
    objects.flush()
    refs.move(repo, branch, old, new, f"commit: {message.partition(chr(10))[0]}")
    return new


def files_below(folder: Path) -> dict[str, bytes]:
    """Return the content of each file below *folder* by its path there, `/` between components."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}
