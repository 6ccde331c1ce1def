"""Which files may be removed. Status, which says whose they were, is untrusted: what anybody claims now stays."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import cached_property

from gitops.core import layout
from gitops.core.catalog import RESERVED
from gitops.core.delivery import PlacementDelivery
from gitops.core.keys import Key
from gitops.core.paths import directories_above
from gitops.core.placing import Context
from gitops.core.targets import Target
from gitops.core.tree import Oid


class Removal:
    """Decides whether a file may go: what the placements of this pass (*placed*) have after it stays.

    So does what any other Work has, of which the memory tells, and what belongs to a Destination itself.
    """

    def __init__(self, context: Context, decided: Collection[Key], placed: Iterable[PlacementDelivery]) -> None:
        self._context, self._decided, self._placed = context, frozenset(decided), list(placed)

    def removable(self, branch: str, inventory: Mapping[str, Oid]) -> list[str]:
        """Return the paths of *inventory* that may be removed from *branch*."""
        return [path for path in inventory if self.may_remove(branch, path)]

    def may_remove(self, branch: str, path: str) -> bool:
        """Whether nobody has a claim to a file, and it stands where documents may."""
        survey, first = self._context.survey, path.split("/")[0]
        if first.startswith("."):
            return False
        if branch in (survey.seen.source_branch, survey.home) and first in (*RESERVED, path):
            return False  # a file at the top of these branches is people's, as no Destination may have the root
        if self.keeps(branch, path):
            return False
        return not any(self._is_claimed(target, path) for target in survey.targets_at(branch, path))

    def keeps(self, branch: str, path: str) -> bool:
        """Whether a placement has *path* after this pass, or something above or below it."""
        return (branch, path) in self._kept or any((branch, at) in self._files for at in directories_above(path))

    def _is_claimed(self, target: Target, path: str) -> bool:
        if path == target.aggregate or target.relative(path) in layout.canaries(target):
            return True
        index, works = self._context.world.index, self._context.world.works
        holders = {key for token in layout.tokens(target, path) for key in index.holders(token)}
        return any(target.name in works[key].destinations for key in holders - self._decided)

    @cached_property
    def _files(self) -> frozenset[tuple[str, str]]:
        """The files of the placements after this pass, in each branch."""
        return frozenset((placed.branch, path) for placed in self._placed for path in placed.inventory)

    @cached_property
    def _kept(self) -> frozenset[tuple[str, str]]:
        """The same with the directories above: a file where such a directory comes gives way by itself."""
        return self._files.union((branch, above) for branch, path in self._files for above in directories_above(path))
