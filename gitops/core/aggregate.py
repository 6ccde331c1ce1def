"""The one file of an aggregated Destination: the parts of its placements, joined by (namespace, name, group).

A placement that is held back keeps its last part, cut from the last file by the lengths that status remembers. When its
Destination is no aggregate any more, that part alone stays behind in the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from gitops.api.destination import AGGREGATED
from gitops.core import layout
from gitops.core.delivery import Drift, PlacementDelivery, left_by_move
from gitops.core.keys import Key
from gitops.core.ledger import Ledger
from gitops.core.parts import Parts, part_name
from gitops.core.recorded import Inventories
from gitops.core.survey import Survey
from gitops.core.targets import Target
from gitops.core.tree import BLOB, FILE, Change, Edits, Entry, Objects, Oid, lookup


class Aggregate(NamedTuple):
    """The file of one Destination as it shall be; its content is `oid`, or None when no part is left.

    `parts` are the lengths in bytes of the parts by placement, `authors` the Works on whose account it changes, if it
    does. It is `owned` if the Destination is an aggregate, and placements are delivered to it (be it without documents)
    or were: what stands there is nobody else's, and goes with the last part. A file that stays behind on a Destination
    that is no aggregate any more is not owned: what else is to stand there goes first. Without a `path` none stays.

    `remains` is the file after a next pass, of those that stay behind: what moves to another branch is there by then.
    """

    branch: str
    path: str
    oid: Oid | None
    parts: Mapping[str, int]
    authors: tuple[Key, ...]
    owned: bool
    remains: Inventories = MappingProxyType({})

    def edits(self, ledger: Ledger) -> Edits:
        """Return what must change in its branch."""
        if self.oid:
            return ledger.present(self.branch, {self.path: self.oid})
        return ledger.absent(self.branch, [self.path] if self.owned else [])


def aggregates(
    survey: Survey, parts: Parts, objects: Objects, placements: Iterable[PlacementDelivery], drift: Drift
) -> dict[str, Aggregate]:
    """Make the aggregate of each Destination that is one, or was, with *placements* in it: then they are all of its."""
    shared = {name for name in parts.shared & survey.targets.keys() if not survey.targets[name].reason}
    of: dict[str, list[PlacementDelivery]] = {}
    for delivery in placements if shared else ():
        if delivery.destination in shared and _is_in(survey.targets[delivery.destination], parts, delivery):
            of.setdefault(delivery.destination, []).append(delivery)
    makers = ((survey.targets[name], _Maker(survey, parts, objects, drift, found)) for name, found in of.items())
    return {t.name: maker.joined(t) if t.aggregate else maker.remaining(t) for t, maker in makers}


def _is_in(target: Target, parts: Parts, delivery: PlacementDelivery) -> bool:
    return target.mode == AGGREGATED or _name(delivery) in parts.sizes(target.name)


class _Maker:
    """Makes the aggregate of the placements on one Destination."""

    def __init__(
        self, survey: Survey, parts: Parts, objects: Objects, drift: Drift, deliveries: Iterable[PlacementDelivery]
    ) -> None:
        self._survey, self._parts, self._objects, self._drift = survey, parts, objects, drift
        self._deliveries = sorted(deliveries, key=lambda d: (d.work, d.placement.group if d.placement else ""))

    def joined(self, target: Target) -> Aggregate:
        """Make the file of a Destination that is an aggregate."""
        last = self._parts.of(target.name, {_name(d): d.recorded for d in self._deliveries})
        now = {_name(d): part for d in self._deliveries if (part := _part(self._objects, d, last)) is not None}
        assert target.location
        assert target.aggregate
        owned = bool(last) or any(d.delivered for d in self._deliveries)
        return self._aggregate(target.location.branch, target.aggregate, last, now, owned=owned)

    def remaining(self, target: Target) -> Aggregate:
        """Make what stays behind in the file of one that was: also what is on its way to another branch, until then."""
        held = {_name(d): d for d in self._deliveries if d.placement and not d.delivered}
        last = self._parts.of(target.name, {name: d.recorded for name, d in held.items()})
        places = [(d.branch, path) for name, d in held.items() if name in last for path in d.inventory]
        if not places or any(other is not target for other in self._survey.targets_at(*places[0])):
            return self._aggregate("", "", last, {}, owned=False)  # another Destination may have the place by now
        staying = [_name(d) for d in self._deliveries if _name(d) in held or d.superseded]
        found = self._aggregate(*places[0], last, {name: last[name] for name in staying if name in last}, owned=False)
        remaining = layout.SEPARATOR.join(last[name] for name in held if name in last)
        return found._replace(remains={found.branch: {found.path: self._objects.add(BLOB, remaining)}})

    def _aggregate(
        self, branch: str, path: str, last: Mapping[str, bytes], now: Mapping[str, bytes], *, owned: bool
    ) -> Aggregate:
        oid = self._objects.add(BLOB, layout.SEPARATOR.join(now.values())) if now else None
        gone = {d.work for d in self._deliveries if not self._stands(d)}  # nobody can compare for sure
        changed = gone | {d.work for d in self._deliveries if now.get(_name(d)) != last.get(_name(d))}
        everybody = {d.work for d in self._deliveries if _name(d) in now}  # what others changed is restored for all
        sizes = {name: len(part) for name, part in now.items()}
        return Aggregate(branch, path, oid, sizes, tuple(sorted(changed or everybody)), owned)

    def _stands(self, delivery: PlacementDelivery) -> bool:
        """Whether the file that status tells of is in the history, and so in every clone."""
        left = self._drift.left.get(delivery.recorded.branch(self._survey.home))
        inventory = delivery.recorded.inventory().items()
        return all(lookup(self._objects, left, path) == Entry(FILE, oid) for path, oid in inventory)


def _name(delivery: PlacementDelivery) -> str:
    return part_name(delivery.work.namespace, delivery.name)


def _part(objects: Objects, delivery: PlacementDelivery, last: Mapping[str, bytes]) -> bytes | None:
    if delivery.placement is None:
        return None
    if delivery.placement.offer.documents is None:
        return last.get(_name(delivery))
    found = [objects.blob(oid) for _, oid in delivery.placement.offer.documents.files]
    return layout.SEPARATOR.join(found) if found else None


class Booked(NamedTuple):
    """What changes of an aggregate, and in whose commit."""

    unit: Key
    changes: tuple[Change, ...]


def completed(
    delivery: PlacementDelivery, aggregate: Aggregate, booked: Booked, drift: Drift, home: str
) -> PlacementDelivery:
    """Give a placement in an aggregate that file as its inventory, and what is *booked* of it as its changes."""
    if not (aggregate.owned if delivery.delivered else _name(delivery) in aggregate.parts):
        return delivery  # withdrawn, or with documents of its own: delivered, or held back where they stood before
    own = aggregate.oid if _name(delivery) in aggregate.parts else None
    mine = booked.changes if own else ()
    return delivery._replace(
        branch=aggregate.branch,  # one that is held back goes along with a Destination that moves
        superseded=left_by_move(delivery.recorded, aggregate.branch, home),
        inventory={aggregate.path: own} if own else {},
        place=aggregate.path,
        changes=mine,
        unit=booked.unit if mine else delivery.unit,
        restored=drift.among(aggregate.branch, mine if delivery.recorded.inventory() else ()),  # new: nothing was lost
        altered="" if own else delivery.altered,
    )
