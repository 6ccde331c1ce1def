"""A commit as a person makes one: files edited on top of a branch, and the work tree after it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from gitops.core.tree import BLOB, FILE, Entry, Oid, patch
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
