"""The commit that merging one branch into another would make. It is only thought of: nothing of it is ever written."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pygit2

from gitops.core.patch import patch
from gitops.core.paths import directories_above
from gitops.core.text import printable
from gitops.core.tree import Oid, diff
from gitops.errors import GitOpsError
from gitops.git.commits import NOBODY, short
from gitops.git.faults import blaming
from gitops.git.history import is_ancestor, walk
from gitops.git.objects import ObjectStore
from gitops.git.repository import Repository
from gitops.git.stored import KINDS

_NAMED = 10  # paths, of those that conflict


class ConflictError(GitOpsError):
    """Git cannot merge the two by itself."""


def merged(repo: Repository, base: Oid, head: Oid) -> Oid:
    """Return the commit that merging *head* into *base* comes to, staged and never flushed. ConflictError."""
    if is_ancestor(repo, head, base):
        return base
    if is_ancestor(repo, base, head):
        return head
    objects = repo.objects
    parents = [objects.read_commit(base), objects.read_commit(head)]
    tree = _merged_tree(repo, base, head)
    when = max(parent.committed for parent in parents)
    return objects.commit(tree, [base, head], NOBODY, when, f"Merge {short(head)} into {short(base)}")


def _merged_tree(repo: Repository, base: Oid, head: Oid) -> Oid:
    ours, theirs = (pygit2.Oid(raw=oid) for oid in (base, head))
    with blaming(repo.common_dir):
        before = repo.handle.merge_base(ours, theirs)
        if before is None:
            raise ConflictError(
                f"{short(base)} and {short(head)} have no history in common, so that nothing can be merged: "
                "is the clone shallow?"
            )
        tree = _apart(repo.objects, before.raw, base, head) if _is_all(repo, before.raw, base, head) else None
        return tree or _by_git(repo, ours, theirs)


def _is_all(repo: Repository, before: Oid, base: Oid, head: Oid) -> bool:
    """Whether all that the two have in common led to *before*: not so, where each was merged into the other."""
    own = {commit.oid: commit.parents for commit in walk(repo, head, base)}
    shared = {parent for parents in own.values() for parent in parents} - own.keys()
    return all(is_ancestor(repo, parent, before) for parent in shared)


def _apart(objects: ObjectStore, before: Oid, base: Oid, head: Oid) -> Oid | None:
    """Merge what each side changed in other places than the other, without a look at the whole; None if it did not."""
    was, ours, theirs = (objects.commit_tree(commit) for commit in (before, base, head))
    there = {change.path for change in diff(objects, was, ours)}
    above = {folder for path in there for folder in directories_above(path)}
    come = {change.path: change.new for change in diff(objects, was, theirs)}
    if any(path in above or not there.isdisjoint([path, *directories_above(path)]) for path in come):
        return None
    return patch(objects, ours, come)


def _by_git(repo: Repository, ours: pygit2.Oid, theirs: pygit2.Oid) -> Oid:
    """Merge in a repository beside this one, which has its objects and keeps the new ones to itself."""
    with tempfile.TemporaryDirectory() as folder:
        beside = pygit2.init_repository(folder, bare=True)
        beside.odb.add_disk_alternate(str(repo.objects.folder))
        index = beside.merge_commits(ours, theirs)
        if index.conflicts is not None:
            raise ConflictError(_told(sorted({side.path for sides in index.conflicts for side in sides if side})))
        tree = index.write_tree(beside)
        _stage(beside, Path(folder), repo)
    return bytes(tree.raw)


def _stage(beside: pygit2.Repository, folder: Path, repo: Repository) -> None:
    """Stage what is new there, where it is loose."""
    for path in (folder / "objects").glob("??/*"):
        oid = pygit2.Oid(hex=path.parent.name + path.name)
        kind, content = beside.odb.read(oid)
        repo.objects.put(oid.raw, KINDS[int(kind)], content)


def _told(paths: Sequence[str]) -> str:
    named = ", ".join(map(printable, paths[:_NAMED])) + (", …" if len(paths) > _NAMED else "")
    return f"{len(paths)} {'file conflicts' if len(paths) == 1 else 'files conflict'}: {named}; merge or rebase first"
