"""Commits and branches as people name them to Git, here and as remotes had them when they were fetched."""

from __future__ import annotations

from typing import NamedTuple

import pygit2

from gitops.core.text import printable
from gitops.core.tree import Oid
from gitops.errors import NotFoundError
from gitops.git.repository import HEADS, Repository

REMOTES = "refs/remotes/"


class Revision(NamedTuple):
    """A commit that somebody named, and the full name of the branch; empty when it was named otherwise."""

    oid: Oid
    ref: str


def revision(repo: Repository, name: str) -> Revision:
    """Find the commit that *name* means to Git: a branch, a tag, an id, `HEAD~2`. NotFoundError."""
    try:
        found, reference = repo.handle.revparse_ext(name)
        commit = found.peel(pygit2.Commit)
    except (KeyError, ValueError, pygit2.GitError) as error:
        raise NotFoundError(f"{printable(name)} is no commit here: fetch it, or give a branch or an id") from error
    return Revision(commit.id.raw, reference.name if reference else "")


def branches(repo: Repository, beside: str) -> dict[str, Oid]:
    """Return the branches of the remote whose branch is the ref *beside*, as they were fetched; none for other refs."""
    remote = beside.removeprefix(REMOTES).partition("/")[0]
    above = f"{REMOTES}{remote}/"
    if not beside.startswith(above):
        return {}
    found = (ref for ref in repo.handle.references.iterator() if ref.name.startswith(above))
    return {ref.name.removeprefix(above): ref.target.raw for ref in found if isinstance(ref.target, pygit2.Oid)}


def branch(ref: str) -> str:
    """Return the name of a branch, here or on a remote, without where it is; empty for other refs."""
    if ref.startswith(REMOTES):
        return ref.removeprefix(REMOTES).partition("/")[2]
    return ref.removeprefix(HEADS) if ref.startswith(HEADS) else ""
