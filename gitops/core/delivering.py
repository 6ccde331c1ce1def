"""deliver(): decided placements against what stands in the branches: the edits of each Work and each Destination."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from gitops.api.destination import AGGREGATED, FLAT, NESTED
from gitops.core import layout
from gitops.core.aggregate import Aggregate, Booked, aggregates, completed
from gitops.core.below import Additions, Below
from gitops.core.delivery import Delivery, Drift, PlacementDelivery, Roots, left_by_move
from gitops.core.documents import Documents
from gitops.core.keys import Key
from gitops.core.ledger import Ledger
from gitops.core.own_documents import OwnDocuments
from gitops.core.parts import part_name
from gitops.core.paths import common_directory, join
from gitops.core.placing import Context, Decided
from gitops.core.recorded import UNRECORDED, RecordedPlacement
from gitops.core.removal import Removal
from gitops.core.strays import Strays, Writers
from gitops.core.targets import Location, Target
from gitops.core.tree import DIRECTORY, Change, Edits, Entry, Oid
from gitops.core.world import Placement


def deliver(context: Context, decided: Mapping[Key, Decided], roots: Roots, drift: Drift, writers: Writers) -> Delivery:
    """Compare what was decided with what stands in *roots*, the trees of the branches."""
    ledger, home = Ledger(context.survey, context.objects, roots), context.survey.home
    placements = list(_Placements(context, ledger, drift).deliver(decided))
    aggregated = aggregates(context.survey, context.parts, context.objects, placements, drift)
    booked = {name: _book_aggregate(ledger, name, aggregate) for name, aggregate in aggregated.items()}
    if aggregated:
        placements = [
            completed(d, aggregated[at], booked[at], drift, home) if (at := d.destination) in aggregated else d
            for d in placements
        ]
        _tell(ledger, placements, booked)
    removal = Removal(context, decided, placements)
    destinations = OwnDocuments(context, decided, ledger, removal, drift).deliver(aggregated)
    pruned = [_pruned(delivery, ledger, removal, home) for delivery in placements]
    strays = Strays(context, decided, ledger, removal, drift, pruned).withdraw(writers)
    return Delivery(tuple(pruned), tuple(destinations), ledger.units, strays, ledger.moved)


class _Wanted(NamedTuple):
    """Where the documents of a placement are to be, which, and the *edits* to that end; *changes* if they are known.

    `altered` is a document that is not as it was, and that nobody can make again.
    """

    at: Location
    inventory: Mapping[str, Oid]
    edits: Edits
    changes: Sequence[Change] | None = None
    altered: str = ""


class _Placements:
    def __init__(self, context: Context, ledger: Ledger, drift: Drift) -> None:
        self._survey, self._home, self._objects = context.survey, context.survey.home, context.objects
        self._targets, self._parts = context.world.places.targets, context.parts
        self._ledger, self._drift = ledger, drift
        self._places: dict[str, Location | None] = {}

    def deliver(self, decided: Mapping[Key, Decided]) -> Iterator[PlacementDelivery]:
        """Deliver what is placed, then name what is not placed any more."""
        for work in decided.values():
            yield from (self._placement(work, p) for p in (work.state.placements if work.state else ()))
        for work in decided.values():
            yield from (self._withdrawn(work, recorded) for recorded in _gone(work))

    def _placement(self, decided: Decided, placement: Placement) -> PlacementDelivery:
        if decided.before.get(placement.name) == placement and (steady := self._steady(decided, placement)):
            return steady
        recorded = decided.recorded.placement(placement.name)
        at, inventory, edits, known, altered = self._wanted(decided, placement, recorded)
        changes = self._ledger.changes(at.branch, edits) if known is None else known
        delivery = PlacementDelivery(
            decided.key,
            placement.name,
            placement,
            recorded,
            at.branch,
            at.path,
            inventory,
            self._ledger.unit_of(decided.key, placement.destination),
            changes,
            self._drift.among(at.branch, changes),
            left_by_move(recorded, at.branch, self._home),
            altered,
        )
        self._ledger.book_placement(delivery, at.branch, edits, changes)
        return delivery

    def _wanted(self, decided: Decided, placement: Placement, recorded: RecordedPlacement) -> _Wanted:
        """Want what a placement offers, or else what stood there, as far as that may be put back."""
        target = self._survey.targets.get(placement.destination)
        root, documents, *_ = placement.offer
        if target is None or target.writable is None:
            return _Wanted(Location(recorded.branch(self._home), ""), recorded.inventory(), {})
        at = Location(target.writable.branch, join(target.directory, root))
        if documents is not None:
            return self._offered(target, at, documents, recorded)
        if decided.orphan:
            return self._orphaned(recorded, at)
        return self._held(decided, placement, recorded, at)

    def _offered(self, target: Target, at: Location, documents: Documents, recorded: RecordedPlacement) -> _Wanted:
        """Want the documents that the placement offers now."""
        if target.mode == AGGREGATED:
            return _Wanted(at, {}, {})  # `completed` with the aggregate
        inventory: Mapping[str, Oid] = Below(at.path, documents.files)
        if recorded.inventory() and recorded.inventory() == inventory:
            inventory = recorded.inventory()  # is in memory already
        if target.mode == FLAT:
            return _Wanted(at, inventory, self._ledger.present(at.branch, inventory))
        if documents.files and self._ledger.is_new(at.branch, target.directory):
            return _Wanted(at, inventory, {at.path: Entry(DIRECTORY, documents.tree)}, Additions(inventory))
        tree = documents.tree if documents.files else None
        return _Wanted(at, inventory, self._ledger.directory(at.branch, at.path, tree))

    def _steady(self, decided: Decided, placement: Placement) -> PlacementDelivery | None:
        """Return a placement that is as the last pass left it, in a Destination that is, with documents as they are."""
        at, (root, documents, *_) = self._unmoved(placement.destination), placement.offer
        if at is None or documents is None:
            return None
        branch, path = at.branch, join(at.path, root)
        if self._drift.touched.get(branch) and self._ledger.directory(branch, path, documents.tree):
            return None
        return PlacementDelivery(
            decided.key,
            placement.name,
            placement,
            UNRECORDED,
            branch,
            path,
            Below(path, documents.files),
            decided.key,
            steady=True,
        )

    def _unmoved(self, destination: str) -> Location | None:
        """Return where the documents of a Destination are directories of their own, if they stand where they stood."""
        if destination not in self._places:
            target, place = self._survey.targets.get(destination), None
            if target and target.location and target.mode == NESTED and target == self._targets.get(destination):
                place = Location(target.location.branch, target.directory)
            self._places[destination] = None if place and place.branch in self._drift.lost else place
        return self._places[destination]

    def _held(self, decided: Decided, placement: Placement, recorded: RecordedPlacement, at: Location) -> _Wanted:
        """Keep the last good documents in place: they are known by id, and still in the history."""
        target = self._survey.targets[placement.destination]
        inventory = {p: oid for p, oid in recorded.inventory().items() if not layout.gives_way(target, p)}
        branch = recorded.branch(self._home) if inventory else at.branch
        own = {p: oid for p, oid in inventory.items() if oid in self._objects and self._is_own(placement, branch, p)}
        part = self._parts.one(target.name, part_name(decided.key.namespace, placement.name), recorded)
        edits = self._ledger.present(branch, own if part is None else {})  # a part stands in an aggregate
        return _Wanted(Location(branch, at.path), inventory, edits)

    def _orphaned(self, recorded: RecordedPlacement, at: Location) -> _Wanted:
        """Leave the documents of an orphan alone: the history that had them may be gone like its definition."""
        inventory, branch = recorded.inventory(), recorded.branch(self._home)
        altered = min(self._ledger.present(branch, inventory), default="")
        return _Wanted(Location(branch, at.path), inventory, {}, altered=altered)

    def _withdrawn(self, decided: Decided, recorded: RecordedPlacement) -> PlacementDelivery:
        assert recorded.status is not None
        branch, name = recorded.branch(self._home), recorded.status.name
        place = _place(common_directory(recorded.inventory()), name.rpartition("-")[2])
        return PlacementDelivery(decided.key, name, None, recorded, branch, place, {}, decided.key)

    def _is_own(self, placement: Placement, branch: str, path: str) -> bool:
        """Whether no other Destination has the place by now, and no aggregate is there, in which others have parts."""
        at = self._survey.targets_at(branch, path)
        return all(target.name == placement.destination and target.aggregate != path for target in at)


def _place(common: str, short: str) -> str:
    """Return the directory of a placement whose files have *common* as theirs: it ends in the short id, if any does."""
    above, found, _ = f"/{common}".partition(f"/{short}/")
    return f"{above}/{short}".removeprefix("/") if found else common


def _gone(decided: Decided) -> Iterator[RecordedPlacement]:
    """List, by name, the recorded placements that the Work has no more."""
    kept = {p.name for p in decided.state.placements} if decided.state else set()
    recorded = decided.recorded.placements
    yield from (recorded[name] for name in sorted(recorded) if name not in kept)


def _book_aggregate(ledger: Ledger, name: str, aggregate: Aggregate) -> Booked:
    """Commit an aggregate with the one Work that changed it, or else with its Destination."""
    alone = len(aggregate.authors) == 1 and name not in ledger.moved
    key = aggregate.authors[0] if alone else Key("Destination", "", name)
    return Booked(key, ledger.book(key, name, aggregate.branch, aggregate.edits(ledger), aggregate.authors))


def _tell(ledger: Ledger, placements: Iterable[PlacementDelivery], booked: Mapping[str, Booked]) -> None:
    """Let the commit of an aggregate that one Work changed tell what happens to the placements of that Work."""
    for delivery in placements:
        aggregate = booked.get(delivery.destination)
        if aggregate and aggregate.changes and aggregate.unit == delivery.work:
            ledger.tell(delivery)


def _pruned(delivery: PlacementDelivery, ledger: Ledger, removal: Removal, home: str) -> PlacementDelivery:
    """Remove what the placement had and will not have any more."""
    if delivery.recorded.status is None:
        return delivery

    def prune(branch: str, inventory: Mapping[str, Oid]) -> tuple[Change, ...]:
        kept = delivery.inventory if branch == delivery.branch else {}  # what was left there may have come back since
        left = {path: oid for path, oid in inventory.items() if path not in kept}
        gone = ledger.absent(branch, removal.removable(branch, left))
        changes = ledger.changes(branch, gone)
        ledger.book_placement(delivery, branch, gone, changes)
        return changes

    for branch, inventory in delivery.recorded.superseded().items():
        prune(branch, inventory)
    if delivery.recorded.branch(home) != delivery.branch:
        return delivery
    changes = prune(delivery.branch, delivery.recorded.inventory())
    return delivery._replace(changes=(*delivery.changes, *changes)) if changes else delivery
