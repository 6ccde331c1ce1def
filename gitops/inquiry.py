"""What only the log can tell: in which commits definitions and documents last changed, and whose they were."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from gitops.core import catalog, concern, messages
from gitops.core.catalog import Unit
from gitops.core.delivery import PlacementDelivery
from gitops.core.keys import Key
from gitops.core.messages import Trailer
from gitops.core.plan import Plan
from gitops.core.provenance import Provenance
from gitops.core.record import CommitName
from gitops.core.recovery import Logged
from gitops.core.strays import Written
from gitops.core.tree import Entry, Oid, lookup
from gitops.core.urls import is_elsewhere
from gitops.core.world import World
from gitops.git import history
from gitops.git.commits import CommitInfo
from gitops.git.history import Lineage
from gitops.git.repository import Repository
from gitops.git.trailers import trailers


def sources(repo: Repository, tip: Oid, plan: Plan, traced: Mapping[Key, Provenance]) -> dict[str, CommitName]:
    """Return the commits of new and changed definitions, by path."""
    return _named(repo, tip, {origin.path for origin in traced.values()} - {""})


def removals(repo: Repository, tip: Oid, plan: Plan) -> dict[Key, CommitName]:
    """Return the commits that removed what is not defined any more; nothing of what no commit had.

    What was removed before the last pass is not looked for behind the newest change of its file: that may be long ago.
    """
    works = [(key, d.recorded) for key, d in plan.decided.items() if d.effective.removed]
    others = [(key, o.recorded) for key, o in plan.survey.objects.items() if o.effective.removed]
    old = {key: file for key, known in [*works, *others] if known.removed and (file := known.text("source"))}
    new = {key: file for key, known in [*works, *others] if not known.removed and (file := known.text("source"))}
    named = _named(repo, tip, old.values())
    found = {key: CommitName(commit.oid, commit.author_name) for key, commit in _removals(repo, tip, new).items()}
    return {key: named[file] for key, file in old.items() if file in named} | found


def before(repo: Repository, tip: Oid, key: Key, file: str) -> Oid | None:
    """Return the tree as it was before *key* was removed from *file*; None where it was never another."""
    commit = _removals(repo, tip, {key: file}).get(key)
    return repo.objects.commit_tree(commit.parents[0]) if commit and commit.parents else None


def _removals(repo: Repository, tip: Oid, files: Mapping[Key, str]) -> dict[Key, CommitInfo]:
    """Return the newest commits that took objects out of their *files*, in which others may have changed more since.

    Where no file of the log has the object, that is the commit in which the file last changed.
    """
    changed = history.last_changed(repo, tip, files.values()) if files else {}
    stands = _Standing(repo)
    return {
        key: _removal(repo, changed[file], key, file, stands) or changed[file]
        for key, file in files.items()
        if file in changed
    }


def _removal(repo: Repository, changed: CommitInfo, key: Key, file: str, stands: _Standing) -> CommitInfo | None:
    """Go back from the commit that *changed* the *file*, along parents in which *key* does not stand either."""
    commit: CommitInfo | None = changed
    while commit and commit.parents:
        without = next((parent for parent in commit.parents if not stands(parent, key, file)), None)
        if without is None:
            return commit
        commit = history.last_changed(repo, without, {file}).get(file)
    return None


class _Standing:
    """Tells where objects stood; each form of a file is read once, however many objects are asked for."""

    def __init__(self, repo: Repository) -> None:
        self._objects = repo.objects
        self._units: dict[tuple[str, Entry], Unit] = {}

    def __call__(self, commit: Oid, key: Key, file: str) -> bool:
        """Tell whether *key* stood in *file*, be it wrong, or may have, as something in the file has no name."""
        tree, path = self._objects.commit_tree(commit), catalog.unit_path(file)
        entry = lookup(self._objects, tree, path)
        if not (entry and lookup(self._objects, tree, file)):
            return False
        if (path, entry) not in self._units:
            self._units[path, entry] = catalog.read(self._objects, path, entry).unit
        unit = self._units[path, entry]
        return key in unit.keys or any(problem.key in (key, None) for problem in unit.problems)


def meddlers(repo: Repository, plan: Plan) -> dict[tuple[str, str], CommitName]:
    """Return the commits in which others changed documents that this pass restores, by (branch, path)."""
    restored: dict[str, set[str]] = {}
    for delivery in plan.delivery.each:
        if delivery.restored:
            restored.setdefault(delivery.branch, set()).update(delivery.restored)
    tips = {name: tip for name in restored if (tip := plan.branches[name].tip)}
    return {
        (name, path): commit for name, tip in tips.items() for path, commit in _named(repo, tip, restored[name]).items()
    }


def known_versions(repo: Repository, plan: Plan, world: World) -> dict[tuple[Key, str], Oid]:
    """Look up in the log, by (Work, placement), the versions of documents that stay and whose status may be wrong.

    It may name no version yet; or a commit that is gone, where history was rewritten, or where the status is not the
    one that the last pass left in the *world*. Orphans keep the version that is recorded, until they are none any more.
    """
    versions: dict[tuple[Key, str], Oid] = {}
    orphans = {key for key in plan.decided if (known := world.works.get(key)) and known.orphan}
    told = concern.with_other_status(repo.objects, world.status, plan.survey.seen.status) if world.status else set()
    standing: dict[str, list[PlacementDelivery]] = {}
    for delivery in plan.delivery.placements:
        if delivery.version_paths and not plan.decided[delivery.work].orphan:
            standing.setdefault(delivery.branch, []).append(delivery)
    for name, branch in plan.branches.items():
        if not branch.tip or branch.failure or name not in standing:
            continue
        here = not is_elsewhere(name)  # who tells of another repository may have seen more of it than we
        asked = _unversioned(repo, plan, name, standing[name], orphans | told if here else orphans)
        paths = {path for delivery in asked for path in delivery.version_paths}
        changed = history.last_changed(repo, branch.tip, paths)
        for delivery in asked:
            if commits := [changed[path] for path in delivery.version_paths if path in changed]:
                versions[delivery.work, delivery.name] = _newest(repo, commits).oid
    return versions


def _unversioned(
    repo: Repository, plan: Plan, name: str, standing: Iterable[PlacementDelivery], doubted: Collection[Key]
) -> list[PlacementDelivery]:
    """Return the placements *standing* on a branch whose version status does not tell for sure."""
    tip, lost = plan.branches[name].tip, plan.branches[name].lost or plan.branches[plan.survey.home].lost
    past = Lineage(repo).follow(tip) if tip and not repo.objects.is_shallow else None
    return [d for d in standing if not d.version_is_in(past if lost or d.work in doubted else None)]


def placed(repo: Repository, tip: Oid) -> Logged:
    """Read from the log of documents commits where each Work was placed, and which Works wrote each place last.

    From the newest commit back: what is older than a Work's last withdrawal says nothing of where it is now, and only
    of a commit for one Work it is certain which Destinations are whose.
    """
    destinations: dict[Key, set[str]] = {}
    writers: dict[str, tuple[Key, ...]] = {}
    withdrawn: set[Key] = set()
    for commit in history.walk(repo, tip):
        lines = trailers(commit.message) if messages.is_documents(commit.message) else []
        works = _works(lines)
        for place in _values(lines, messages.PLACE):
            writers.setdefault(place, works)
        if len(works) != 1:
            continue
        if commit.message.startswith("withdraw("):
            withdrawn.update(works)
        elif works[0] not in withdrawn:
            destinations.setdefault(works[0], set()).update(_values(lines, messages.DESTINATION))
    return Logged(destinations, writers)


def writers(repo: Repository, plan: Plan, past: Lineage, url: str) -> dict[str, dict[str, Written | None]]:
    """Return for whom we last changed the files that are nobody's, by branch and path; None where somebody else did.

    A commit of ours was made for this repository if it names its *url*, or one of its source commits. A repository that
    has a url may have several clones, and what people took out of its history is in some of them only: there, a source
    commit has to be one of the *past*. Without a url it is enough that the commit is here.
    """
    known = past if url else repo.objects

    def written(commit: CommitInfo | None) -> Written | None:
        if commit is None or not messages.is_documents(commit.message):
            return None
        lines, source = trailers(commit.message), messages.source_of(commit.message)
        if not (source and source in known) and not (url and (messages.REPOSITORY, url) in lines):
            return None
        return Written(_works(lines), frozenset(_values(lines, messages.DESTINATION)))

    by_branch: dict[str, dict[str, Written | None]] = {}
    for name, paths in plan.strays.items():
        tip = plan.branches[name].tip
        changed = history.last_changed(repo, tip, paths) if tip else {}
        read = {commit.oid: written(commit) for commit in changed.values()}  # once, however many files it changed
        by_branch[name] = {path: read[changed[path].oid] if path in changed else None for path in paths}
    return by_branch


def _works(lines: Iterable[Trailer]) -> tuple[Key, ...]:
    """Return the Works that trailers name."""
    works = (value.partition("/") for value in _values(lines, messages.WORK))
    return tuple(Key("Work", namespace, name) for namespace, _, name in works)


def _values(lines: Iterable[Trailer], name: str) -> Iterator[str]:
    return (value for key, value in lines if key == name)


def _newest(repo: Repository, commits: Iterable[CommitInfo]) -> CommitInfo:
    """Return the one that was built on the others; where lines of history met, the one with the latest date."""
    newest, *others = sorted(set(commits), key=lambda commit: (commit.committed, commit.oid))
    for other in others:
        newest = newest if history.is_ancestor(repo, other.oid, newest.oid) else other
    return newest


def _named(repo: Repository, tip: Oid, paths: Iterable[str]) -> dict[str, CommitName]:
    asked = set(paths)
    changed = history.last_changed(repo, tip, asked) if asked else {}
    return {path: CommitName(commit.oid, commit.author_name) for path, commit in changed.items()}
