"""Turning a plan into commits: documents commits on each branch, the status commit on top of the home branch's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gitops.api.settings import Settings
from gitops.core import messages
from gitops.core.delivery import Unit, UnitId
from gitops.core.manifests import Key
from gitops.core.messages import Source
from gitops.core.record import CommitName
from gitops.core.sketch import Sketch
from gitops.core.tree import EMPTY, Oid, patch
from gitops.git.commits import Identity, Sign
from gitops.git.repository import Repository

MANY = 50  # changed Works in a pass; above, `granularity: auto` makes one documents commit for all


@dataclass(frozen=True)
class Chain:
    """Commits on top of a branch: its new tip and tree, and the documents commit of each unit."""

    tip: Oid | None
    root: Oid | None
    versions: Mapping[UnitId, Oid]


class Publisher:
    """Makes commits: who, when, and how signed."""

    def __init__(
        self, repo: Repository, sketch: Sketch, settings: Settings, authors: Mapping[str, Identity], when: int,
        sign: Sign | None,
    ) -> None:  # fmt: skip
        """*authors* are those of single branches, where not all commits are by the author of *settings*."""
        self._repo, self._sketch, self._when, self._sign = repo, sketch, when, sign
        self._granularity = settings.commit.granularity
        self._author, self._authors = Identity.parse(settings.commit.author), authors

    def documents(
        self, branch: str, tip: Oid | None, root: Oid | None, units: Mapping[UnitId, Unit], source: Source,
        removed: dict[Key, CommitName],
    ) -> Chain:  # fmt: skip
        """Commit all units of *branch* on *tip*: one commit each, or one for all of them."""
        own = [unit for at, unit in sorted(units.items()) if at.branch == branch]
        versions: dict[UnitId, Oid] = {}
        works = len({at.key for at in units if at.key.kind == "Work"})
        for group in self._groups(own, works > MANY):
            root = patch(self._sketch, root, [edit for unit in group for edit in unit.edits])
            tip = self.commit(tip, root, messages.documents(group, source, removed), self._authors.get(branch))
            versions |= {UnitId(branch, unit.key): tip for unit in group}
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
