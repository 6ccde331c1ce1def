"""deliver(): decided placements against what stands in the branches: the edits of each Work and each Destination."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property

from gitops.core import edits, layout
from gitops.core.aggregate import Aggregate, aggregates, completed
from gitops.core.catalog import RESERVED
from gitops.core.delivery import Delivery, DestinationDelivery, Drift, PlacementDelivery, Roots, Unit, UnitId
from gitops.core.edits import Edits
from gitops.core.manifests import Key
from gitops.core.memory import Recorded, RecordedPlacement
from gitops.core.paths import directories_above, join
from gitops.core.placing import Context, Decided
from gitops.core.targets import Target
from gitops.core.tree import BLOB, Change, Oid
from gitops.core.world import Object, Placement


def deliver(context: Context, decided: Mapping[Key, Decided], roots: Roots, drift: Drift) -> Delivery:
    """Compare what was decided with what stands in *roots*, the trees of the branches."""
    return _Deliverer(context, decided, roots, drift).run()


class _Deliverer:
    def __init__(self, context: Context, decided: Mapping[Key, Decided], roots: Roots, drift: Drift) -> None:
        self._context, self._decided, self._roots, self._drift = context, decided, roots, drift
        self._objects, self._survey = context.objects, context.survey
        self._units: dict[UnitId, Unit] = {}
        self._placed: list[PlacementDelivery] = []
        self._moved = {o.key.name: self._has_moved(o) for o in self._survey.objects.values() if o.key.kind == "Destination"}

    def run(self) -> Delivery:
        placements = [self._placement(d, p) for d in self._decided.values() for p in (d.state.placements if d.state else ())]
        placements += [self._withdrawn(d, r) for d in self._decided.values() for r in self._gone(d)]
        aggregated = aggregates(self._survey, self._objects, placements)
        units = {name: self._book_aggregate(name, aggregate) for name, aggregate in aggregated.items()}
        placements = [completed(p, aggregated.get(p.destination), units.get(p.destination), self._drift) for p in placements]
        self._placed = placements
        destinations = [self._destination(o, aggregated.get(o.key.name)) for o in self._looked_at(aggregated)]
        placements = [self._settled(p) for p in placements]
        return Delivery(tuple(placements), tuple(destinations), {k: u for k, u in self._units.items() if u.edits})

    # placements

    def _placement(self, decided: Decided, placement: Placement) -> PlacementDelivery:
        recorded = decided.record_of(placement)
        target = self._survey.targets.get(placement.destination)
        if target is None or target.location is None or target.reason:
            branch, inventory = recorded.text("branch") or self._survey.seen.home, recorded.inventory()
            return self._delivery(decided, placement, recorded, branch, "", inventory, {})
        branch, place = target.location.branch, join(target.directory, placement.root)
        if placement.documents is None:
            return self._held(decided, placement, recorded, branch, place)
        root = self._roots.get(branch)
        inventory = {join(place, path): oid for path, oid in placement.documents.files}
        if target.mode == layout.NESTED:
            tree = placement.documents.tree if placement.documents.files else None
            wanted = edits.directory(self._objects, root, place, tree)
        elif target.mode == layout.FLAT:
            wanted = edits.present(self._objects, root, inventory)
        else:
            inventory, wanted = {}, {}
        return self._delivery(decided, placement, recorded, branch, place, inventory, wanted)

    def _held(
        self, decided: Decided, placement: Placement, recorded: RecordedPlacement, branch: str, place: str
    ) -> PlacementDelivery:
        """Keep the last good documents in place: they are known by id, and still in the history."""
        inventory = recorded.inventory()
        branch = recorded.text("branch") or (self._survey.seen.home if inventory else branch)
        own = {path: oid for path, oid in inventory.items() if oid in self._objects and not self._is_aggregate(branch, path)}
        wanted = edits.present(self._objects, self._roots.get(branch), own)
        return self._delivery(decided, placement, recorded, branch, place, inventory, wanted)

    def _delivery(
        self,
        decided: Decided,
        placement: Placement,
        recorded: RecordedPlacement,
        branch: str,
        place: str,
        inventory: Mapping[str, Oid],
        wanted: Edits,
    ) -> PlacementDelivery:
        unit = self._unit_of(decided.key, placement.destination)
        changes = tuple(edits.touched(self._objects, self._roots.get(branch), wanted))
        made = PlacementDelivery(
            decided.key, placement.name, placement, recorded, branch, place, inventory, unit, changes,
            self._drift.among(branch, changes), self._superseded(recorded, branch),
        )  # fmt: skip
        self._book(made, branch, wanted, changes)
        return made

    def _gone(self, decided: Decided) -> Iterator[RecordedPlacement]:
        """List the recorded placements that the Work has no more; an unreadable Work keeps all of them."""
        if decided.state is None and not decided.effective.removed:
            return
        kept = {p.name for p in decided.state.placements} if decided.state else set()
        yield from (r for name, r in decided.recorded.placements.items() if name not in kept)

    def _withdrawn(self, decided: Decided, recorded: RecordedPlacement) -> PlacementDelivery:
        assert recorded.status is not None
        branch = recorded.text("branch") or self._survey.seen.home
        unit = self._unit_of(decided.key, recorded.destination)
        place = posixpath.commonpath(parents) if (parents := {path.rpartition("/")[0] for path in recorded.inventory()}) else ""
        return PlacementDelivery(decided.key, recorded.status.name, None, recorded, branch, place, {}, unit)

    def _superseded(self, recorded: Recorded, branch: str) -> dict[str, dict[str, Oid]]:
        """Return what is left to remove in other branches: first the new place is written, the old one next."""
        before = recorded.text("branch") or self._survey.seen.home
        return {before: recorded.inventory()} if before != branch and recorded.inventory() else {}

    def _settled(self, made: PlacementDelivery) -> PlacementDelivery:
        """Remove what the placement had and will not have any more."""
        for branch, inventory in made.recorded.superseded().items():
            kept = made.inventory if branch == made.branch else {}  # it has come back since
            self._prune(made, branch, {path: oid for path, oid in inventory.items() if path not in kept})
        before = made.recorded.text("branch") or self._survey.seen.home
        if before != made.branch:
            return made
        old = {path: oid for path, oid in made.recorded.inventory().items() if path not in made.inventory}
        changes = (*made.changes, *self._prune(made, made.branch, old))
        return replace(made, changes=changes)

    def _prune(self, made: PlacementDelivery, branch: str, inventory: Mapping[str, Oid]) -> tuple[Change, ...]:
        own = [path for path in inventory if self._may_remove(branch, path)]
        wanted = edits.absent(self._objects, self._roots.get(branch), own)
        changes = tuple(edits.touched(self._objects, self._roots.get(branch), wanted))
        self._book(made, branch, wanted, changes)
        return changes

    def _may_remove(self, branch: str, path: str) -> bool:
        """Status is untrusted: never remove a definition, or what another placement or a Destination claims."""
        first = path.split("/")[0]
        if first.startswith(".") or (branch in (self._survey.seen.source_branch, self._survey.seen.home) and first in RESERVED):
            return False
        if (branch, path) in self._kept or any((branch, above) in self._kept_files for above in directories_above(path)):
            return False
        return not any(self._claimed(target, path) for target in self._targets_at(branch, path))

    def _claimed(self, target: Target, path: str) -> bool:
        own = path.removeprefix(f"{target.directory}/")
        if own in layout.canaries(target) or (target.mode == layout.AGGREGATED and own == target.filename):
            return True
        holders = {key for token in layout.tokens(target, path) for key in self._context.world.index.holders(token)}
        return any(target.name in self._context.world.works[key].destinations for key in holders - self._decided.keys())

    @cached_property
    def _kept_files(self) -> frozenset[tuple[str, str]]:
        """What the decided placements have after this pass, in each branch."""
        return frozenset((made.branch, path) for made in self._placed for path in made.inventory)

    @cached_property
    def _kept(self) -> frozenset[tuple[str, str]]:
        """The same with the directories above: a file where such a directory comes gives way by itself."""
        return self._kept_files.union((branch, above) for branch, path in self._kept_files for above in directories_above(path))

    # Destinations

    def _looked_at(self, aggregated: Mapping[str, Aggregate]) -> Iterator[Object]:
        """List the Destinations whose own documents may have to change."""
        world, survey = self._context.world, self._survey
        for key, known in survey.objects.items():
            if key.kind != "Destination":
                continue
            target = survey.targets.get(key.name)
            if (
                not world.seen
                or target is None
                or known is not world.objects.get(key)
                or target != world.targets.get(key.name)
                or key in world.unfinished
                or key.name in aggregated
                or (target and self._drift_in(target))
            ):
                yield known

    def _drift_in(self, target: Target) -> bool:
        if target.location is None:
            return False
        paths = self._drift.paths.get(target.location.branch, frozenset())
        return target.location.branch in self._drift.lost or any(path.startswith(f"{target.directory}/") or not target.directory for path in paths)

    def _destination(self, known: Object, aggregate: Aggregate | None) -> DestinationDelivery:
        target = self._survey.targets.get(known.key.name)
        recorded = known.recorded
        before = recorded.text("branch") or self._survey.seen.home
        if target is None:
            leave = recorded.text("cleanup") != "all"
            made = self._own(known, None, before, recorded.inventory() if leave else {}, {})
            return replace(made, occupied=self._occupied(known.key.name))
        if target.reason or target.location is None:
            return self._own(known, target, before, recorded.inventory(), recorded.sizes())
        inventory = {
            join(target.directory, path): self._objects.add(BLOB, content) for path, content in layout.canaries(target).items()
        }
        made = self._own(known, target, target.location.branch, inventory, {})
        return replace(made, parts=aggregate.parts if aggregate else recorded.sizes())

    def _occupied(self, name: str) -> bool:
        if self._context.world.index.on(name) - self._decided.keys():
            return True
        stay = (d.recorded.placements.values() for d in self._decided.values() if not d.state and not d.effective.removed)
        kept = {p.destination for placements in stay for p in placements}
        return name in kept or any(d.state and name in d.state.destinations for d in self._decided.values())

    def _own(
        self, known: Object, target: Target | None, branch: str, inventory: Mapping[str, Oid], parts: Mapping[str, int]
    ) -> DestinationDelivery:
        root = self._roots.get(branch)
        wanted: Edits = {}
        if target is not None and not target.reason:
            wanted = edits.present(self._objects, root, inventory)
        changes = tuple(edits.touched(self._objects, root, wanted))
        self._book_destination(known.key, branch, wanted, changes)
        superseded = self._superseded(known.recorded, branch)
        old = {} if superseded else {path: oid for path, oid in known.recorded.inventory().items() if path not in inventory}
        for at, left in [*known.recorded.superseded().items(), (branch, old)]:
            changes += self._remove_own(known.key, at, left)
        return DestinationDelivery(known, target, branch, inventory, parts, changes, superseded)

    def _remove_own(self, key: Key, branch: str, inventory: Mapping[str, Oid]) -> tuple[Change, ...]:
        root = self._roots.get(branch)
        gone = edits.absent(self._objects, root, [path for path in inventory if self._may_remove(branch, path)])
        removed = tuple(edits.touched(self._objects, root, gone))
        self._book_destination(key, branch, gone, removed)
        return removed

    def _book_aggregate(self, name: str, aggregate: Aggregate) -> Unit | None:
        """Commit an aggregate with the one Work that changed it, or else with its Destination."""
        root = self._roots.get(aggregate.branch)
        wanted = aggregate.edits(self._objects, root)
        alone = len(aggregate.authors) == 1 and not self._moved.get(name)
        key = aggregate.authors[0] if alone else Key("Destination", "", name)
        changes = tuple(edits.touched(self._objects, root, wanted))
        unit = self._book_destination(key, aggregate.branch, wanted, changes, name)
        if unit:
            unit.authors = aggregate.authors
        return unit

    # units

    def _unit_of(self, work: Key, destination: str) -> Key:
        return Key("Destination", "", destination) if self._moved.get(destination) else work

    def _has_moved(self, known: Object) -> bool:
        """Whether a changed path, mode, filename or store moves the documents: then the Destination commits, not its Works."""
        target, recorded = self._survey.targets.get(known.key.name), known.recorded
        if target is None or target.location is None or target.reason or not recorded.text("mode"):
            return False
        before = (recorded.text("branch") or self._survey.seen.home, recorded.text("path"), recorded.text("mode"), recorded.text("filename"))
        return before != (target.location.branch, target.directory, target.mode, target.layout[3])

    def _book(self, made: PlacementDelivery, branch: str, wanted: Edits, changes: tuple[Change, ...]) -> None:
        if wanted and branch in self._roots:
            unit = self._units.setdefault(UnitId(branch, made.unit), Unit(made.unit, branch))
            unit.edits += wanted.items()
            unit.changes += changes
            unit.placements.append(made)
            unit.destinations.add(made.destination)

    def _book_destination(self, key: Key, branch: str, wanted: Edits, changes: tuple[Change, ...], name: str = "") -> Unit | None:
        if not wanted or branch not in self._roots:
            return None
        unit = self._units.setdefault(UnitId(branch, key), Unit(key, branch))
        unit.edits += wanted.items()
        unit.changes += changes
        unit.destinations.add(name or key.name)
        return unit

    def _targets_at(self, branch: str, path: str) -> Iterator[Target]:
        for target in self._survey.targets.values():
            at = target.location and not target.reason and target.location.branch == branch
            if at and (not target.directory or path.startswith(f"{target.directory}/")):
                yield target

    def _is_aggregate(self, branch: str, path: str) -> bool:
        return any(
            t.mode == layout.AGGREGATED and path == join(t.directory, t.filename) for t in self._targets_at(branch, path)
        )


