"""The own documents of Destinations: canaries, and where they were before a move."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from gitops.core import layout
from gitops.core.aggregate import Aggregate
from gitops.core.delivery import DestinationDelivery, Drift, left_by_move
from gitops.core.keys import Key
from gitops.core.ledger import Ledger
from gitops.core.paths import join
from gitops.core.placing import Context, Decided
from gitops.core.removal import Removal
from gitops.core.targets import Target
from gitops.core.tree import BLOB, Change, Oid
from gitops.core.world import ClusterObject


class OwnDocuments:
    """Delivers what belongs to the Destinations themselves."""

    def __init__(
        self, context: Context, decided: Mapping[Key, Decided], ledger: Ledger, removal: Removal, drift: Drift
    ) -> None:
        self._context, self._decided = context, decided
        self._ledger, self._removal, self._drift = ledger, removal, drift

    def deliver(self, aggregated: Mapping[str, Aggregate]) -> list[DestinationDelivery]:
        """Look at the Destinations whose own documents may have to change."""
        return [self._deliver(known, aggregated.get(known.key.name)) for known in self._looked_at(aggregated)]

    def _looked_at(self, aggregated: Mapping[str, Aggregate]) -> Iterator[ClusterObject]:
        world, survey = self._context.world, self._context.survey
        for key, known in survey.objects.items():
            target = survey.targets.get(key.name)
            if key.kind == "Destination" and (
                world.blank
                or target is None
                or known is not world.objects.get(key)
                or target != world.places.targets.get(key.name)
                or key in world.unfinished
                or key.name in aggregated
                or _drifted(target, self._drift)
            ):
                yield known

    def _deliver(self, known: ClusterObject, aggregate: Aggregate | None) -> DestinationDelivery:
        target, recorded = self._context.survey.targets.get(known.key.name), known.recorded
        before = recorded.branch(self._context.survey.home)
        if target is None:
            left = recorded.inventory() if known.keeps_documents else {}
            return replace(self._own(known, None, before, left), occupied=self._is_occupied(known.key.name))
        if target.writable is None:
            return self._own(known, target, before, recorded.inventory())
        canaries = layout.canaries(target).items()
        inventory = {join(target.directory, path): self._context.objects.add(BLOB, raw) for path, raw in canaries}
        delivery = self._own(known, target, target.writable.branch, inventory)
        if aggregate is None:
            return delivery
        return replace(delivery, parts=aggregate.parts, joined_on=aggregate.branch, remains=aggregate.remains)

    def _is_occupied(self, name: str) -> bool:
        """Whether a Work still has a placement on the removed Destination *name*."""
        if any(key not in self._decided for key in self._context.world.index.on(name)):
            return True
        return any(d.state and name in d.state.destinations for d in self._decided.values())

    def _own(
        self, known: ClusterObject, target: Target | None, branch: str, inventory: Mapping[str, Oid]
    ) -> DestinationDelivery:
        changes: tuple[Change, ...] = ()
        if target and target.writable:
            changes = self._ledger.book(known.key, known.key.name, branch, self._ledger.present(branch, inventory))
        waiting = left_by_move(known.recorded, branch, self._context.survey.home)
        old = {p: oid for p, oid in known.recorded.inventory().items() if not waiting and p not in inventory}
        restored = self._drift.among(branch, changes)
        for at, left in [*known.recorded.superseded().items(), (branch, old)]:
            changes += self._remove(known.key, at, left)
        return DestinationDelivery(known, target, branch, inventory, changes, waiting, restored=restored)

    def _remove(self, key: Key, branch: str, inventory: Mapping[str, Oid]) -> tuple[Change, ...]:
        gone = self._ledger.absent(branch, self._removal.removable(branch, inventory))
        return self._ledger.book(key, key.name, branch, gone)


def _drifted(target: Target, drift: Drift) -> bool:
    """Whether others changed something where *target* has its documents."""
    if target.location is None:
        return False
    branch = target.location.branch
    return branch in drift.lost or any(map(target.holds, drift.paths.get(branch, frozenset())))
