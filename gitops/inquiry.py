"""What only the log can tell: in which commits definitions and documents last changed, and whose they were."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from gitops.core import concern, messages
from gitops.core.delivery import PlacementDelivery
from gitops.core.manifests import Key
from gitops.core.plan import Plan
from gitops.core.provenance import Provenance
from gitops.core.record import CommitName
from gitops.core.recovery import Logged
from gitops.core.strays import Written
from gitops.core.tree import Oid
from gitops.core.urls import is_elsewhere
from gitops.git import history
from gitops.git.commits import CommitInfo
from gitops.git.history import Lineage
from gitops.git.repository import Repository
from gitops.git.trailers import trailers


def sources(repo: Repository, tip: Oid, plan: Plan, traced: Mapping[Key, Provenance]) -> dict[str, CommitName]:
    """Return the commits of new and changed definitions, and those that removed one, by path."""
    paths = {origin.path for origin in traced.values()} | set(removed_sources(plan).values())
    return _named(repo, tip, paths - {""})


def before(repo: Repository, tip: Oid, file: str) -> Oid | None:
    """Return the tree as it was before *file* last changed; None where it was never another."""
    commit = history.last_changed(repo, tip, {file}).get(file)
    return repo.objects.commit_tree(commit.parents[0]) if commit and commit.parents else None


def removed_sources(plan: Plan) -> dict[Key, str]:
    """Return the files in which objects stood that are not defined any more."""
    works = [(key, d.recorded) for key, d in plan.decided.items() if d.effective.removed]
    others = [(key, o.recorded) for key, o in plan.survey.objects.items() if o.effective.removed]
    return {key: recorded.text("source") for key, recorded in [*works, *others]}


def meddlers(repo: Repository, plan: Plan) -> dict[tuple[str, str], CommitName]:
    """Return the commits in which others changed documents that this pass restores, by (branch, path)."""
    named: dict[tuple[str, str], CommitName] = {}
    for name, branch in plan.branches.items():
        paths = {path for made in plan.delivery.placements if made.branch == name for path in made.restored}
        paths |= {path for made in plan.delivery.destinations if made.branch == name for path in made.restored}
        if branch.tip:
            named |= {(name, path): commit for path, commit in _named(repo, branch.tip, paths).items()}
    return named


def known_versions(repo: Repository, plan: Plan, left: Oid | None) -> dict[tuple[Key, str], Oid]:
    """Return the versions of documents that are in place though status does not know it, by (Work, placement).

    Status may name a commit that is in the history no more where that is not what it was, or the status is not the one
    that this daemon *left*, if it left any. Of a Work that nobody can read it stays as it is.
    """
    named: dict[tuple[Key, str], Oid] = {}
    retold = concern.retold(repo.objects, left, plan.survey.seen.status) if left else set()
    for name, branch in plan.branches.items():
        if not branch.tip or branch.failure:
            continue
        asked = list(_unversioned(repo, plan, name, branch.tip, retold))
        found = history.last_changed(repo, branch.tip, {path for made in asked for path in made.version_paths})
        for made in asked:
            if commits := [found[path] for path in made.version_paths if path in found]:
                named[made.work, made.name] = _newest(repo, commits).oid
    return named


def _unversioned(
    repo: Repository, plan: Plan, name: str, tip: Oid, retold: Collection[Key]
) -> Iterator[PlacementDelivery]:
    """List the placements on a branch whose documents stand there in a version that status does not tell for sure."""
    past = None if repo.objects.is_shallow else Lineage(repo).follow(tip)
    rewritten = plan.branches[name].lost or plan.branches[plan.survey.seen.home].lost
    elsewhere = is_elsewhere(name)  # who tells of it may have seen more of it than we
    for made in plan.delivery.placements:
        if made.branch == name and made.version_paths and not plan.is_orphan(made.work):
            doubted = rewritten or (made.work in retold and not elsewhere)
            if not made.version_is_in(past if doubted else None):
                yield made


def placed(repo: Repository, tip: Oid) -> Logged:
    """Return where the log took each Work since it was last withdrawn, as far as commits speak of one Work, and whom
    the last commit that names a place was made for.
    """
    named: dict[Key, set[str]] = {}
    writers: dict[str, tuple[Key, ...]] = {}
    ended: set[Key] = set()
    for commit in history.walk(repo, tip):
        found = trailers(commit.message) if messages.is_documents(commit.message) else []
        works = _works(found)
        for place in _values(found, messages.PLACE):
            writers.setdefault(place, works)
        if len(works) != 1:
            continue
        if commit.message.startswith("withdraw("):
            ended.update(works)
        elif works[0] not in ended:
            named.setdefault(works[0], set()).update(_values(found, messages.DESTINATION))
    return Logged(named, writers)


def writers(repo: Repository, plan: Plan, past: Lineage, url: str) -> dict[str, dict[str, Written | None]]:
    """Return who last changed the files that are nobody's, as far as it was one of our commits for this repository.

    That is told by the *url* that it names, or by its source commit: one of the *past* where there is a url, and so
    perhaps clones of which only some have what people took from the history; any that is here where there is none.
    """
    known = past if url else repo.objects

    def written(commit: CommitInfo | None) -> Written | None:
        if commit is None or not messages.is_documents(commit.message):
            return None
        found, source = trailers(commit.message), messages.source_of(commit.message)
        if not (source and source in known) and not (url and (messages.REPOSITORY, url) in found):
            return None
        return Written(_works(found), frozenset(_values(found, messages.DESTINATION)))

    named: dict[str, dict[str, Written | None]] = {}
    for name, paths in plan.strays.items():
        tip = plan.branches[name].tip
        found = history.last_changed(repo, tip, paths) if tip else {}
        told = {commit.oid: written(commit) for commit in found.values()}
        named[name] = {path: told[found[path].oid] if path in found else None for path in paths}
    return named


def _works(found: Iterable[tuple[str, str]]) -> tuple[Key, ...]:
    """Return the Works that trailers name."""
    works = (value.partition("/") for value in _values(found, messages.WORK))
    return tuple(Key("Work", namespace, name) for namespace, _, name in works)


def _values(found: Iterable[tuple[str, str]], name: str) -> Iterator[str]:
    return (value for key, value in found if key == name)


def _newest(repo: Repository, commits: Iterable[CommitInfo]) -> CommitInfo:
    """Return the one that was built on the others; where lines of history met, the one with the latest date."""
    newest, *others = sorted(set(commits), key=lambda commit: (commit.committed, commit.oid))
    for other in others:
        newest = newest if history.is_ancestor(repo, other.oid, newest.oid) else other
    return newest


def _named(repo: Repository, tip: Oid, paths: Iterable[str]) -> dict[str, CommitName]:
    asked = set(paths)
    found = history.last_changed(repo, tip, asked) if asked else {}
    return {path: CommitName(commit.oid, commit.author_name) for path, commit in found.items()}
