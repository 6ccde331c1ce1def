"""The one file of an aggregated Destination: the parts of its placements, joined by (namespace, name, group).

A placement that is held back keeps its last part, cut from the last file by the lengths that status remembers. When its
Destination is no aggregate any more, that part alone stays behind in the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from gitops.core import layout
from gitops.core.delivery import Drift, PlacementDelivery, superseded
from gitops.core.keys import Key
from gitops.core.ledger import Ledger
from gitops.core.parts import Parts, part_name
from gitops.core.survey import Survey
from gitops.core.targets import Target
from gitops.core.tree import BLOB, FILE, Change, Edits, Entry, Objects, Oid, lookup


class Aggregate(NamedTuple):
    """The file of one Destination.

    `parts` are the lengths in bytes by placement, `authors` the Works for which it changes if it does. It is *owned*
    while there is a placement, be it without documents, and if it was written before: what stands there then is nobody
    else's. A file that stays behind is not owned: whatever is to stand there goes first.
    """

    branch: str
    path: str
    oid: Oid | None
    parts: Mapping[str, int]
    authors: tuple[Key, ...]
    owned: bool

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
    for made in placements if shared else ():
        if made.destination in shared and _is_in(survey.targets[made.destination], parts, made):
            of.setdefault(made.destination, []).append(made)
    makers = ((survey.targets[name], _Maker(survey, parts, objects, drift, found)) for name, found in of.items())
    return {t.name: maker.joined(t) if t.aggregate else maker.left(t) for t, maker in makers}


def _is_in(target: Target, parts: Parts, made: PlacementDelivery) -> bool:
    return target.mode == layout.AGGREGATED or _name(made) in parts.sizes(target.name)


class _Maker:
    """Makes the aggregate of the placements *found* on one Destination."""

    def __init__(
        self, survey: Survey, parts: Parts, objects: Objects, drift: Drift, found: Iterable[PlacementDelivery]
    ) -> None:
        self._survey, self._parts, self._objects, self._drift = survey, parts, objects, drift
        self._found = sorted(found, key=lambda m: (m.work, m.placement.group if m.placement else ""))

    def joined(self, target: Target) -> Aggregate:
        """Make the file of a Destination that is an aggregate."""
        last = self._parts.of(target.name, {_name(m): m.recorded for m in self._found})
        now = {_name(m): part for m in self._found if (part := _part(self._objects, m, last)) is not None}
        assert target.location
        assert target.aggregate
        owned = bool(last) or any(m.delivered for m in self._found)
        return self._made(target.location.branch, target.aggregate, last, now, owned=owned)

    def left(self, target: Target) -> Aggregate:
        """Make what stays behind in the file of one that was: also what is on its way to another branch, until then."""
        held = {_name(m): m for m in self._found if m.placement and not m.delivered}
        last = self._parts.of(target.name, {name: m.recorded for name, m in held.items()})
        places = [(m.branch, path) for name, m in held.items() if name in last for path in m.inventory]
        if not places or any(other is not target for other in self._survey.targets_at(*places[0])):
            return self._made("", "", last, {}, owned=False)  # another Destination may have the place by now
        staying = [_name(m) for m in self._found if _name(m) in held or m.superseded]
        return self._made(*places[0], last, {name: last[name] for name in staying if name in last}, owned=False)

    def _made(
        self, branch: str, path: str, last: Mapping[str, bytes], now: Mapping[str, bytes], *, owned: bool
    ) -> Aggregate:
        oid = self._objects.add(BLOB, layout.SEPARATOR.join(now.values())) if now else None
        gone = {m.work for m in self._found if not self._is_left(m)}  # nobody can compare for sure
        changed = gone | {m.work for m in self._found if now.get(_name(m)) != last.get(_name(m))}
        everybody = {m.work for m in self._found if _name(m) in now}  # what others changed is restored for all
        sizes = {name: len(part) for name, part in now.items()}
        return Aggregate(branch, path, oid, sizes, tuple(sorted(changed or everybody)), owned)

    def _is_left(self, made: PlacementDelivery) -> bool:
        """Whether the file that status tells of is in the history, and so in every clone."""
        left = self._drift.left.get(made.recorded.branch(self._survey.seen.home))
        inventory = made.recorded.inventory().items()
        return all(lookup(self._objects, left, path) == Entry(FILE, oid) for path, oid in inventory)


def _name(made: PlacementDelivery) -> str:
    return part_name(made.work.namespace, made.name)


def _part(objects: Objects, made: PlacementDelivery, last: Mapping[str, bytes]) -> bytes | None:
    if made.placement is None:
        return None
    if made.placement.offer.documents is None:
        return last.get(_name(made))
    found = [objects.blob(oid) for _, oid in made.placement.offer.documents.files]
    return layout.SEPARATOR.join(found) if found else None


def completed(
    made: PlacementDelivery, aggregate: Aggregate, unit: Key, changes: tuple[Change, ...], drift: Drift, home: str
) -> PlacementDelivery:
    """Give a placement in an aggregate that as its inventory, and what *unit* commits of it."""
    if not (aggregate.owned if made.delivered else _name(made) in aggregate.parts):
        return made  # withdrawn, or with documents of its own: delivered, or held back where they stood before
    own = aggregate.oid if _name(made) in aggregate.parts else None
    mine = changes if own else ()
    return made._replace(
        branch=aggregate.branch,  # one that is held back goes along with a Destination that moves
        superseded=superseded(made.recorded, aggregate.branch, home),
        inventory={aggregate.path: own} if own else {},
        place=aggregate.path,
        changes=mine,
        unit=unit if mine else made.unit,
        restored=drift.among(aggregate.branch, mine),
        lost="" if own else made.lost,
    )
