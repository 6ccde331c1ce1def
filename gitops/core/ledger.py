"""The book of a pass: who changes what on which branch. Each page of it, a unit, becomes a documents commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gitops.core import edits
from gitops.core.delivery import PlacementDelivery, Roots, Unit, UnitId
from gitops.core.keys import Key
from gitops.core.paths import common_directory
from gitops.core.survey import Survey
from gitops.core.tree import Change, Edits, Objects, Oid, lookup, obstacle
from gitops.core.world import ClusterObject


class Ledger:
    """Compares what is wanted with what stands in *roots*, the trees of the branches, and books the difference.

    `moved` are the Destinations of which a changed path, mode, filename or store moves all documents.
    """

    def __init__(self, survey: Survey, objects: Objects, roots: Roots) -> None:
        self._survey, self._objects, self._roots = survey, objects, roots
        self._units: dict[UnitId, Unit] = {}
        self._new: dict[tuple[str, str], bool] = {}
        destinations = (known for known in survey.objects.values() if known.key.kind == "Destination")
        self.moved = frozenset(known.key.name for known in destinations if self._has_moved(known))

    @property
    def units(self) -> dict[UnitId, Unit]:
        """What is to be committed."""
        return {at: unit for at, unit in self._units.items() if unit.edits}

    def root(self, branch: str) -> Oid | None:
        """Return the tree that stands on *branch*."""
        return self._roots.get(branch)

    def unit_of(self, work: Key, destination: str) -> Key:
        """Return who commits what changes for *work* on *destination*: a Destination that moves does so itself."""
        return Key("Destination", "", destination) if destination in self.moved else work

    def changes(self, branch: str, wanted: Edits) -> tuple[Change, ...]:
        """Return the files that *wanted* changes; none on a branch to which no definition leads any more."""
        if not wanted or branch not in self._roots:
            return ()
        return tuple(edits.touched(self._objects, self._roots[branch], wanted))

    def book_placement(
        self, delivery: PlacementDelivery, branch: str, wanted: Edits, changes: Sequence[Change]
    ) -> None:
        """Book what is *wanted* for a placement, and *changes* because of it."""
        if unit := self._book(delivery.unit, branch, wanted, changes):
            unit.placements.append(delivery)
            unit.destinations.add(delivery.destination)
            unit.places.add(delivery.place if branch == delivery.branch else common_directory(c.path for c in changes))

    def book(
        self, key: Key, destination: str, branch: str, wanted: Edits, authors: tuple[Key, ...] = ()
    ) -> tuple[Change, ...]:
        """Book what changes among the own documents of *destination*, in the commit of *key*; *authors* caused it."""
        changes = self.changes(branch, wanted)
        if unit := self._book(key, branch, wanted, changes):
            unit.destinations.add(destination)
            unit.places.add(common_directory(c.path for c in changes))
            unit.authors |= set(authors)
        return changes

    def tell(self, delivery: PlacementDelivery) -> None:
        """Let the commit of its Work tell what happens to a placement of which nothing is booked by itself."""
        if unit := self._units.get(UnitId(delivery.branch, delivery.work)):
            unit.placements.append(delivery)

    def absent(self, branch: str, paths: list[str]) -> Edits:
        """Want these files gone."""
        return edits.absent(self._objects, self._roots.get(branch), paths)

    def present(self, branch: str, inventory: Mapping[str, Oid]) -> Edits:
        """Want these files there."""
        return edits.present(self._objects, self._roots.get(branch), inventory)

    def directory(self, branch: str, path: str, tree: Oid | None) -> Edits:
        """Want the directory *path* to hold *tree* and nothing else; None: gone."""
        return edits.directory(self._objects, self._roots.get(branch), path, tree)

    def is_new(self, branch: str, directory: str) -> bool:
        """Whether nothing stands in the *directory* of a Destination yet."""
        at = (branch, directory)
        if at not in self._new:
            root = self._roots.get(branch)
            self._new[at] = not (lookup(self._objects, root, directory) or obstacle(self._objects, root, directory))
        return self._new[at]

    def _book(self, key: Key, branch: str, wanted: Edits, changes: Sequence[Change]) -> Unit | None:
        if not wanted or branch not in self._roots:
            return None
        at = UnitId(branch, key)
        unit = self._units.get(at)
        if unit is None:
            unit = self._units[at] = Unit(key, branch)
        unit.edits += wanted.items()
        unit.booked.append(changes)
        return unit

    def _has_moved(self, known: ClusterObject) -> bool:
        target, recorded = self._survey.targets.get(known.key.name), known.recorded
        if target is None or target.writable is None or not recorded.text("mode"):
            return False
        place = recorded.text("path"), recorded.text("mode"), recorded.text("filename")
        before = (recorded.branch(self._survey.home), *place)
        return before != (target.writable.branch, *target.layout[1:])
