"""The status of new placements: those of one group are alike but for the Destination, so that one text serves all."""

from __future__ import annotations

from typing import NamedTuple

from gitops.api.status import Status
from gitops.core import statusfile
from gitops.core.delivery import PlacementDelivery
from gitops.core.events import Transition
from gitops.core.keys import Key
from gitops.core.placement_status import placement_file, placement_outcome
from gitops.core.placing import Decided
from gitops.core.record import Facts, Record
from gitops.core.yaml import text

_DESTINATION, _PLACE = "stand-in-for-the-destination", "stand-in/for-the-place"
_MENTIONS = 4  # of the Destination: in the name, a label, the spec and the event
_LONGEST = 400  # characters of a place, and of a path below it; far longer ones are written in another form


class _Cut(NamedTuple):
    """A status with stand-ins for the Destination and the place of the documents."""

    text: str
    status: Status
    version: str
    transitions: tuple[Transition, ...]


class Stencil:
    """Records the new placements of one Work: the first of each kind goes the general way, the others are filled in."""

    def __init__(self, record: Record, decided: Decided, generation: int, facts: Facts) -> None:
        self._record, self._decided = record, decided
        self._generation, self._facts = generation, facts
        self._cuts: dict[tuple[object, ...], _Cut | None] = {}

    def record(self, delivery: PlacementDelivery) -> Status | None:
        """Record a placement like one before it, and return a status that says the same; None when there is none."""
        if not self._is_plain(delivery):
            return None
        assert delivery.placement
        kind = (delivery.placement.group, id(delivery.placement.offer), delivery.branch, delivery.unit)
        if kind not in self._cuts:
            self._cuts[kind] = None  # perhaps it is the only one
            return None
        cut = self._cuts[kind] = self._cuts[kind] or self._cut(delivery)
        if cut is None:
            return None
        self._fill_in(cut, delivery)
        return cut.status

    def _is_plain(self, delivery: PlacementDelivery) -> bool:
        """Whether it is new, delivered, and its names stand in a file as they are."""
        placement = delivery.placement
        assert placement
        new = delivery.recorded.status is None and delivery.delivered and delivery.changes
        odd = placement.misplaced or delivery.restored or delivery.superseded or delivery.branch in self._facts.failures
        if not new or odd or not placement.offer.root or len(delivery.place) > _LONGEST:
            return False
        name, destination, place = delivery.name, placement.destination, delivery.place
        return text(destination) == destination and text(name) == name and text(place) == place

    def _cut(self, delivery: PlacementDelivery) -> _Cut | None:
        placement, before = delivery.placement, len(delivery.place)
        assert placement
        name = f"{self._decided.key.name}.{_DESTINATION}-{delivery.name.rpartition('-')[2]}"
        sample = delivery._replace(
            name=name,
            placement=placement._replace(name=name, destination=_DESTINATION),
            place=_PLACE,
            inventory={_PLACE + path[before:]: oid for path, oid in delivery.inventory.items()},
        )
        status, transitions, version = placement_outcome(self._decided, sample, self._generation, self._facts)
        settled = self._record.settled(None, status, transitions)
        found = statusfile.dump(settled).decode()
        if (found.count(_DESTINATION), found.count(_PLACE)) != (_MENTIONS, len(delivery.inventory)):
            return None  # somebody has called something by these names
        if max(map(len, delivery.inventory)) - before > _LONGEST:
            return None
        return _Cut(found, settled, version, tuple(transitions))

    def _fill_in(self, cut: _Cut, delivery: PlacementDelivery) -> None:
        assert delivery.placement
        destination, key = delivery.placement.destination, Key("WorkPlacement", delivery.work.namespace, delivery.name)
        content = cut.text.replace(_DESTINATION, destination).replace(_PLACE, delivery.place)
        self._record.write(placement_file(delivery.work, delivery.name), content.encode())
        self._record.version(delivery.work, delivery.name, cut.version)
        self._record.happen(
            key, (t._replace(message=t.message.replace(_DESTINATION, destination)) for t in cut.transitions)
        )
