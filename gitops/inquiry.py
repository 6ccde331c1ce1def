"""What only the log can tell: in which commits definitions and documents last changed, and whose they were."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gitops.core import messages
from gitops.core.manifests import Key
from gitops.core.plan import Plan
from gitops.core.provenance import Provenance
from gitops.core.record import CommitName
from gitops.core.tree import Oid
from gitops.git import history
from gitops.git.commits import CommitInfo
from gitops.git.repository import Repository
from gitops.git.trailers import trailers


def sources(repo: Repository, tip: Oid, plan: Plan, traced: Mapping[Key, Provenance]) -> dict[str, CommitName]:
    """Return the commits of new and changed definitions, and those that removed one, by path."""
    paths = {origin.path for origin in traced.values()} | set(removed_sources(plan).values())
    return _named(repo, tip, paths - {""})


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


def known_versions(repo: Repository, plan: Plan) -> dict[tuple[Key, str], Oid]:
    """Return the versions of documents that are in place though status does not know it, by (Work, placement)."""
    named: dict[tuple[Key, str], Oid] = {}
    for name, branch in plan.branches.items():
        asked = [made for made in plan.delivery.placements if made.branch == name and made.version_paths]
        if not asked or not branch.tip:
            continue
        found = history.last_changed(repo, branch.tip, {path for made in asked for path in made.version_paths})
        for made in asked:
            if commits := [found[path] for path in made.version_paths if path in found]:
                named[made.work, made.name] = _newest(commits).oid
    return named


def placed(repo: Repository, tip: Oid) -> dict[Key, frozenset[str]]:
    """Return where the log took each Work since it was last withdrawn, as far as commits speak of one Work."""
    named: dict[Key, set[str]] = {}
    ended: set[Key] = set()
    for commit in history.walk(repo, tip):
        found = trailers(commit.message) if messages.is_documents(commit.message) else []
        works = [value.partition("/") for key, value in found if key == messages.WORK]
        if len(works) != 1:
            continue
        work = Key("Work", works[0][0], works[0][2])
        if commit.message.startswith("withdraw("):
            ended.add(work)
        elif work not in ended:
            named.setdefault(work, set()).update(value for key, value in found if key == messages.DESTINATION)
    return {work: frozenset(names) for work, names in named.items()}


def _newest(commits: Iterable[CommitInfo]) -> CommitInfo:
    return max(commits, key=lambda commit: (commit.committed, commit.oid))


def _named(repo: Repository, tip: Oid, paths: Iterable[str]) -> dict[str, CommitName]:
    asked = set(paths)
    found = history.last_changed(repo, tip, asked) if asked else {}
    return {path: CommitName(commit.oid, commit.author_name) for path, commit in found.items()}
