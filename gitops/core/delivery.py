"""What a pass writes: for each placement, for each Destination, and gathered into the units that become commits."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from types import MappingProxyType
from typing import NamedTuple

from gitops.core import edits
from gitops.core.below import Additions
from gitops.core.edits import Tally
from gitops.core.keys import Key
from gitops.core.recorded import Inventories, Recorded, RecordedPlacement
from gitops.core.targets import Target
from gitops.core.tree import Change, Entry, Oid
from gitops.core.world import ClusterObject, Placement

Roots = Mapping[str, Oid | None]
_NOTHING: Inventories = MappingProxyType({})


@dataclass(frozen=True)
class Drift:
    """What others changed since the last pass, by branch.

    `paths` are the files that differ from `left`, the tree of the newest commit of ours there. `touched` are those that
    differ from what this daemon itself saw last: also what another daemon wrote since, or somebody who poses as one.
    Of the branches that are `lost` it is not known what changed: all that stands there is looked at.
    """

    paths: Mapping[str, frozenset[str]] = field(default_factory=dict)
    lost: frozenset[str] = frozenset()
    touched: Mapping[str, frozenset[str]] = field(default_factory=dict)
    left: Roots = field(default_factory=dict)

    def among(self, branch: str, changes: Iterable[Change]) -> tuple[str, ...]:
        """Return the paths of *changes* that put back what others changed."""
        drifted = self.paths.get(branch, frozenset())
        return tuple(change.path for change in changes if change.path in drifted) if drifted else ()


class PlacementDelivery(NamedTuple):
    """What happens to one placement; `placement` is None when it is withdrawn.

    Afterwards the files of `inventory` are its own in `branch`, at or below `place`. `changes` are the files that have
    to be written or removed for that, in the commit of `unit`: a Work, or a Destination that moves. `restored` are the
    paths among them that others had changed. `superseded` are files that a move left on other branches, which a next
    pass removes. `altered` is a document that others changed, and that nobody can make again.

    Of a `steady` placement nothing changes, not even its status: that was not read, and `recorded` is empty.
    """

    work: Key
    name: str
    placement: Placement | None
    recorded: RecordedPlacement
    branch: str
    place: str
    inventory: Mapping[str, Oid]
    unit: Key
    changes: Sequence[Change] = ()
    restored: tuple[str, ...] = ()
    superseded: Inventories = _NOTHING
    altered: str = ""
    steady: bool = False

    @property
    def destination(self) -> str:
        """The name of its Destination."""
        return self.placement.destination if self.placement else self.recorded.destination

    @property
    def moved(self) -> bool:
        """Whether its documents leave the place where they were."""
        before = self.recorded.inventory()
        below = f"{self.place}/" if self.place else ""
        return bool(before and self.inventory) and not any(p == self.place or p.startswith(below) for p in before)

    def astray(self, targets: Mapping[str, Target]) -> bool:
        """Whether it is held back with files outside the present directory of its Destination."""
        if self.placement is None or self.delivered:
            return False
        target = targets.get(self.destination)
        if target is None or target.writable is None:
            return False
        return self.branch != target.writable.branch or not all(map(target.holds, self.inventory))

    @property
    def owner(self) -> Key:
        """The Work whose documents these are."""
        return self.work

    @property
    def branches(self) -> frozenset[str]:
        """The branch of its documents, and those on which a move has left some."""
        return frozenset((self.branch, *self.recorded.superseded()))

    @property
    def version_paths(self) -> tuple[str, ...]:
        """The paths whose last change in the log is its version, unless this pass makes one; else empty."""
        if self.steady or self.changes or not self.inventory:
            return ()
        below = all(path.startswith(f"{self.place}/") for path in self.inventory)
        nested = below and self.placement and self.placement.offer.root
        return (self.place,) if nested else tuple({**self.recorded.inventory(), **self.inventory})

    def version_is_in(self, past: Container[Oid] | None) -> bool:
        """Whether status tells for sure the version of its documents: a commit of the *past*; None: any commit.

        Of a placement that has no documents to deliver, no version at all is as sure.
        """
        version = self.recorded.commit("versionID")
        same = not self.superseded and self.recorded.inventory() == dict(self.inventory)
        return same and (past is None or version in past if version else not self.delivered)

    @property
    def delivered(self) -> bool:
        """Whether its documents are where they should be after this pass."""
        return self.placement is not None and self.placement.offer.documents is not None


@dataclass(frozen=True)
class DestinationDelivery:
    """What happens to a Destination's own documents.

    `target` is None when it is removed; `occupied` tells whether placements stay on it all the same. `parts` are the
    lengths of the parts of its aggregate, which stands on the branch `joined_on`; None when that was not looked at.
    `remains` are files that a next pass rewrites, when it removes those that are `superseded`.
    """

    object: ClusterObject
    target: Target | None
    branch: str
    inventory: Mapping[str, Oid]
    changes: tuple[Change, ...] = ()
    superseded: Inventories = field(default_factory=dict)
    occupied: bool = True
    restored: tuple[str, ...] = ()
    parts: Mapping[str, int] | None = None
    joined_on: str = ""
    remains: Inventories = field(default_factory=dict)

    @property
    def owner(self) -> Key:
        """The Destination whose documents these are."""
        return self.object.key

    @property
    def recorded(self) -> Recorded:
        """The Destination as its status file remembers it."""
        return self.object.recorded

    @property
    def branches(self) -> frozenset[str]:
        """The branch of its documents, and those on which a move has left some."""
        return frozenset((self.branch, *self.recorded.superseded()))


@dataclass
class Unit:
    """One commit's worth of changes on one branch: of a Work, or of a Destination that moved or has an aggregate."""

    key: Key
    branch: str
    edits: list[tuple[str, Entry | None]] = field(default_factory=list)
    booked: list[Sequence[Change]] = field(default_factory=list)
    placements: list[PlacementDelivery] = field(default_factory=list)
    destinations: set[str] = field(default_factory=set)
    authors: set[Key] = field(default_factory=set)
    places: set[str] = field(default_factory=set)

    @property
    def works(self) -> set[Key]:
        """The Works whose documents it commits; `authors` are those whose part of an aggregate changed."""
        own = {self.key} if self.key.kind == "Work" else set()
        return own | {placed.work for placed in self.placements} | self.authors


def tally(units: Sequence[Unit], gone: Container[str] = ()) -> Tally:
    """Count the files that *units* add, change and remove, but for those that were *gone* before."""
    added = sum(len(changes) for unit in units for changes in unit.booked if isinstance(changes, Additions))
    found = edits.tally(change for change in _altered(units) if change.new or change.path not in gone)
    return found._replace(added=found.added + added)


def removed(units: Sequence[Unit]) -> Iterator[str]:
    """List the files that *units* remove."""
    return (change.path for change in _altered(units) if change.new is None)


def _altered(units: Iterable[Unit]) -> Iterable[Change]:
    booked = (changes for unit in units for changes in unit.booked if not isinstance(changes, Additions))
    return {change.path: change for changes in booked for change in changes}.values()


class UnitId(NamedTuple):
    """Which unit, on which branch."""

    branch: str
    key: Key


@dataclass(frozen=True)
class Delivery:
    """All that is written in a pass.

    `strays` are files, by branch, of which it is not certain yet whose they are; `moved` the Destinations of which all
    documents get another place.
    """

    placements: tuple[PlacementDelivery, ...]
    destinations: tuple[DestinationDelivery, ...]
    units: Mapping[UnitId, Unit]
    strays: Mapping[str, frozenset[str]] = field(default_factory=dict)
    moved: frozenset[str] = frozenset()

    @property
    def each(self) -> Iterator[PlacementDelivery | DestinationDelivery]:
        """What happens to each placement, and to each Destination."""
        return chain(self.placements, self.destinations)


def left_by_move(recorded: Recorded, branch: str, home: str) -> Inventories:
    """Return the files that a move to *branch* leaves on another branch: they are removed once the new ones stand."""
    before = recorded.branch(home)
    return {before: recorded.inventory()} if before != branch and recorded.inventory() else _NOTHING
