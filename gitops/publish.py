"""Turning a plan into commits: documents commits on each branch, the status commit on top of the home branch's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gitops.core import delivery, messages
from gitops.core.delivery import Unit, UnitId
from gitops.core.keys import Key
from gitops.core.messages import Source
from gitops.core.patch import patch
from gitops.core.plan import Plan
from gitops.core.record import CommitName
from gitops.core.sketch import Sketch
from gitops.core.survey import Survey
from gitops.core.tree import EMPTY, Oid
from gitops.git.commits import Identity
from gitops.git.repository import Repository
from gitops.git.signing import ssh_signer

MANY = 50  # changed Works in a pass; above, `granularity: auto` makes one documents commit for all


@dataclass(frozen=True)
class Chain:
    """Commits on top of a branch: its new tip and tree, and the documents commit of each unit."""

    tip: Oid | None
    root: Oid | None
    versions: Mapping[UnitId, Oid]


class Publisher:
    """Makes commits: who, when, and how signed."""

    def __init__(self, repo: Repository, sketch: Sketch, survey: Survey, now: datetime) -> None:
        """Commit in *repo* what was sketched, as the settings and state stores of *survey* want it, dated *now*."""
        self._repo, self._sketch, self._when = repo, sketch, int(now.timestamp())
        wanted = survey.seen.settings.commit
        self._granularity = wanted.granularity
        self._author, self._authors = Identity.parse(wanted.author), _authors(survey)
        self._sign = ssh_signer(Path(wanted.signing_key)) if wanted.signing_key else None

    def documents(self, name: str, plan: Plan, source: Source, removed: dict[Key, CommitName]) -> Chain:
        """Commit all units on the branch called *name* on its tip: one commit each, or one for all of them."""
        units, tip, root = plan.delivery.units, plan.branches[name].tip, plan.branches[name].root
        own = [unit for at, unit in sorted(units.items()) if at.branch == name]
        versions: dict[UnitId, Oid] = {}
        gone: set[str] = set()
        works = len({at.key for at in units if at.key.kind == "Work"})
        for group in self._groups(own, works > MANY):
            before, root = root, patch(self._sketch, root, [edit for unit in group for edit in unit.edits])
            if tip is None or root != before:  # Works that leave an aggregate whose Destination is gone take it once
                selectors = plan.selectors(group[0]) if len(group) == 1 else ()
                message = messages.documents(group, source, removed, selectors, gone)
                tip = self.commit(tip, root, message, self._authors.get(name))
            gone.update(delivery.removed(group))
            versions |= {UnitId(name, unit.key): tip for unit in group}
        return Chain(tip, root, versions)

    def _groups(self, units: Sequence[Unit], many: bool) -> list[list[Unit]]:
        if self._granularity == "pass" or (self._granularity == "auto" and many):
            return [list(units)] if units else []
        return [[unit] for unit in units]

    def commit(self, parent: Oid | None, root: Oid, message: str, author: Identity | None = None) -> Oid:
        """Stage a commit of the tree *root*, with all objects that are only sketched so far."""
        if root != EMPTY:
            self._sketch.supply(root)
        parents = [parent] if parent else []
        return self._repo.objects.commit(root, parents, author or self._author, self._when, message, self._sign)


def _authors(survey: Survey) -> dict[str, Identity]:
    """Return the authors that state stores name, by branch; of several stores on one, the first by name does."""
    authors: dict[str, Identity] = {}
    for definition, store in survey.git_stores():
        location, author = store.location, definition.spec.git_author
        if location and author and location.branch != survey.home:
            authors.setdefault(location.branch, Identity(author.name, author.email))
    return authors
