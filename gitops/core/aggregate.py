"""The one file of an aggregated Destination: the parts of its placements, joined by (namespace, name, group).

A placement that is held back keeps its last part, cut from the last file by the lengths that status remembers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from gitops.core import layout
from gitops.core.delivery import Drift, PlacementDelivery, superseded
from gitops.core.edits import Edits
from gitops.core.ledger import Ledger
from gitops.core.manifests import Key
from gitops.core.parts import Parts, part_name
from gitops.core.paths import join
from gitops.core.survey import Survey
from gitops.core.targets import Target
from gitops.core.tree import BLOB, FILE, Change, Entry, Objects, Oid, lookup


class Aggregate(NamedTuple):
    """The file of one Destination.

    `parts` are the lengths in bytes by placement, `authors` the Works for which it changes if it does. It is *owned*
    while there is a placement, be it without documents, and if it was written before: what stands there then is nobody
    else's.
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
    """Make the aggregate of each aggregated Destination that has one of *placements*: then they are all of its."""
    of: dict[str, list[PlacementDelivery]] = {}
    for made in placements:
        target = survey.targets.get(made.destination)
        if target and target.mode == layout.AGGREGATED and not target.reason:
            of.setdefault(made.destination, []).append(made)
    return {name: _aggregate(survey, parts, objects, survey.targets[name], found, drift) for name, found in of.items()}


def _aggregate(
    survey: Survey, parts: Parts, objects: Objects, target: Target, found: list[PlacementDelivery], drift: Drift
) -> Aggregate:
    found.sort(key=lambda m: (m.work.namespace, m.work.name, m.placement.group if m.placement else ""))
    last = parts.of(target.name, {_name(m): m.recorded for m in found})
    now = {_name(m): part for m in found if (part := _part(objects, m, last)) is not None}
    oid = objects.add(BLOB, layout.SEPARATOR.join(now.values())) if now else None
    gone = {m.work for m in found if not _is_left(m, survey.seen.home, objects, drift)}  # nobody can compare for sure
    changed = gone | {m.work for m in found if now.get(_name(m)) != last.get(_name(m))}
    authors = sorted(changed or {m.work for m in found if _name(m) in now})  # what others changed is restored for all
    sizes = {name: len(part) for name, part in now.items()}
    assert target.location
    path = join(target.directory, target.filename)
    owned = bool(last) or any(m.delivered for m in found)
    return Aggregate(target.location.branch, path, oid, sizes, tuple(authors), owned)


def _is_left(made: PlacementDelivery, home: str, objects: Objects, drift: Drift) -> bool:
    """Whether the file that status tells of is in the history, and so in every clone."""
    left = drift.left.get(made.recorded.branch(home))
    return all(lookup(objects, left, path) == Entry(FILE, oid) for path, oid in made.recorded.inventory().items())


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
    """Give a placement of an aggregated Destination the aggregate as its inventory, and what *unit* commits of it."""
    if made.placement is None or (made.placement.offer.documents is None and _name(made) not in aggregate.parts):
        return made  # withdrawn, or held back with documents that stand where the Destination had them before
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
