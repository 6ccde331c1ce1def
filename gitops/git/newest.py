"""The newest commit of a kind in a log. What was found is remembered: to ask again costs what came since."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gitops.core.tree import Oid
from gitops.git import history
from gitops.git.commits import CommitInfo
from gitops.git.repository import Repository

Wanted = Callable[[str], bool]
"""Tells by its message whether a commit is of the kind."""

Found = tuple[Oid | None, bool]
"""A commit, if there is one, and whether none of the kind came in beside the first parents that lead to it."""

_REMEMBERED = 64  # tips of each kind


def newest(repo: Repository, tip: Oid, wanted: Wanted) -> CommitInfo | None:
    """Return the newest commit that led to *tip* and whose message is *wanted*.

    It is mostly near the tip: what the first one among the first parents reaches is older, and not looked at.
    """
    known = repo.newest.setdefault(wanted, {})
    found = known.pop(tip, None) or _grown(repo, tip, wanted, known) or _find(repo, tip, wanted)
    known[tip] = found
    if len(known) > _REMEMBERED:
        del known[next(iter(known))]
    commit, _ = found
    return repo.objects.read_commit(commit) if commit else None


def _grown(repo: Repository, tip: Oid, wanted: Wanted, known: dict[Oid, Found]) -> Found | None:
    """Return the answer of a known tip if what came on top of it changes nothing; None when that is not certain."""
    merged, oid = False, tip
    while oid not in known:
        commit = repo.objects.read_commit(oid)
        if wanted(commit.message) or not commit.parents:
            return None
        merged = merged or len(commit.parents) > 1
        oid = commit.parents[0]
    if not merged:
        return known[oid]
    brought = any(wanted(commit.message) for commit in history.walk(repo, tip, oid))
    _, alone = known[oid]
    return known[oid] if alone and not brought else None


def _find(repo: Repository, tip: Oid, wanted: Wanted) -> Found:
    commit: CommitInfo | None = repo.objects.read_commit(tip)
    while commit and not wanted(commit.message):
        commit = repo.objects.read_commit(commit.parents[0]) if commit.parents else None
    beside = next(_beside(repo, tip, commit, wanted), None)
    if beside is None:
        return (commit.oid if commit else None), True
    if commit is None:
        return beside.oid, False
    upon = next((found.oid for found in _upon(repo, tip, commit) if wanted(found.message)), None)
    return upon or max(commit, beside, key=lambda found: found.committed).oid, False


def _upon(repo: Repository, tip: Oid, commit: CommitInfo) -> list[CommitInfo]:
    """List what was built on *commit* and led to *tip*, children before parents: `git log --ancestry-path`."""
    found, oids = [], {commit.oid}
    for other in reversed(list(history.walk(repo, tip, commit.oid))):
        if not oids.isdisjoint(other.parents):
            oids.add(other.oid)
            found.append(other)
    return found[::-1]


def _beside(repo: Repository, tip: Oid, commit: CommitInfo | None, wanted: Wanted) -> Iterator[CommitInfo]:
    """List the wanted commits that came in beside *commit*, without those it was built on.

    A walk stops by dates: where a clock went back it may go on below its end.
    """
    for other in history.walk(repo, tip, commit.oid if commit else None):
        if wanted(other.message) and not (commit and history.is_ancestor(repo, other.oid, commit.oid)):
            yield other
