"""What the daemon keeps in mind between two passes, so that a pass costs what changed.

All of it can be computed from the repository again: `World()` is the state of somebody who has seen nothing.
A decision reads it and never changes it; `adopt` takes over a decision once it has been written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from gitops.core.catalog import Catalog
from gitops.core.definitions import Effective
from gitops.core.documents import Documents, Group, Refusal
from gitops.core.failures import Failure
from gitops.core.keys import Key
from gitops.core.outline import Outline
from gitops.core.overview import Verdicts
from gitops.core.ownership import Claim
from gitops.core.places import Places
from gitops.core.recorded import Recorded
from gitops.core.rest import Rest
from gitops.core.tree import Entry, Oid


class Offer(NamedTuple):
    """What a group has for a Destination: at *root*, its `documents`, or the `refusal` that says why there are none.

    `claim` is what they need for themselves there.
    """

    root: str = ""
    documents: Documents | None = None
    refusal: Refusal | None = None
    claim: Claim = Claim()


class Placement(NamedTuple):
    """A decided placement."""

    name: str
    group: str
    destination: str
    misplaced: bool
    offer: Offer


@dataclass(frozen=True, slots=True)
class WorkState:
    """A decided Work: what it says, where that stands, its groups and placements.

    Without an *entry* it is an orphan: no history has a good definition of it any more, and nobody but status tells of
    its placements.
    """

    outline: Outline
    entry: Entry | None
    groups: tuple[Group, ...]
    placements: tuple[Placement, ...]
    unscheduled: tuple[str, ...]
    source: str

    @property
    def orphan(self) -> bool:
        return self.entry is None

    @property
    def claims(self) -> Claim:
        """All that its placements need for themselves."""
        return Claim.union({p.offer.claim for p in self.placements})

    @property
    def destinations(self) -> frozenset[str]:
        """Where it has placements."""
        return frozenset(p.destination for p in self.placements)


@dataclass(frozen=True, slots=True)
class ClusterObject:
    """A Destination or a state store: its definition in effect, and what its status file *entry* remembers.

    Of a Destination that is removed *last_policy* is the one with which it went, as far as history tells.
    """

    key: Key
    effective: Effective
    recorded: Recorded
    entry: Entry | None
    last_policy: str = ""

    @property
    def source(self) -> str:
        """The file in which its last good definition stands."""
        return self.recorded.text("source")

    @property
    def cleanup(self) -> str:
        """What becomes of the documents of a Destination that is removed: its last word, also if no pass heard it."""
        return self.last_policy or self.recorded.text("cleanup")

    @property
    def keeps_documents(self) -> bool:
        """Whether a Destination without a definition in effect leaves alone what was delivered to it.

        It does if that was its policy, and unless it was removed for certain: of one that is invalid the last good
        definition may be in a history that people have rewritten.
        """
        return self.effective.problem is not None or self.cleanup != "all"


class Index:
    """Which Works claim a token, and which have placements on a Destination."""

    def __init__(self) -> None:
        self._exclusive: dict[str, set[Key]] = {}
        self._shared: dict[str, set[Key]] = {}
        self._on: dict[str, set[Key]] = {}

    def on(self, destination: str) -> frozenset[Key]:
        """Return the Works that have a placement on *destination*."""
        return frozenset(self._on.get(destination, ()))

    def contenders(self, claim: Claim) -> Iterator[Key]:
        """List the Works that may stand in the way of *claim* (also the claimant itself)."""
        for token in claim.exclusive:
            yield from self._exclusive.get(token, ())
            yield from self._shared.get(token, ())
        for token in claim.shared:
            yield from self._exclusive.get(token, ())

    def count(self, destination: str) -> int:
        """Return how many Works have a placement on *destination*."""
        return len(self._on.get(destination, ()))

    def holders(self, token: str) -> frozenset[Key]:
        """Return the Works with an exclusive claim to *token*."""
        return frozenset(self._exclusive.get(token, ()))

    def replace(self, key: Key, old: WorkState | None, new: WorkState | None) -> None:
        """Forget *old* and remember *new*."""
        for where, gone, come in zip(
            (self._exclusive, self._shared, self._on), _tokens(old), _tokens(new), strict=True
        ):
            for token in gone - come:
                _discard(where, token, key)
            for token in come - gone:
                _insert(where, token, key)


def _tokens(state: WorkState | None) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    return (*state.claims, state.destinations) if state else (frozenset(), frozenset(), frozenset())


def _insert(where: dict[str, set[Key]], token: str, key: Key) -> None:
    where.setdefault(token, set()).add(key)


def _discard(where: dict[str, set[Key]], token: str, key: Key) -> None:
    if found := where.get(token):
        found.discard(key)
        if not found:
            del where[token]


@dataclass
class World:
    """The memory of a daemon. `status` is the tree, `tips` are the commits, that its last pass saw or left.

    `source` is the tip of the source branch that it saw; None in the memory of somebody who has seen nothing.

    `places` were resolved from the objects *surveyed*; since then the pass has written the status of some, as in
    `objects`. `unfinished` are those with documents where they should not be any more: to be looked at in each pass.
    `rest` is where all stood when the last pass left nothing to do. `news` counts what was adopted.
    """

    catalog: Catalog = field(default_factory=Catalog)
    objects: Mapping[Key, ClusterObject] = field(default_factory=dict)
    surveyed: Mapping[Key, ClusterObject] = field(default_factory=dict)
    places: Places = field(default_factory=Places)
    works: dict[Key, WorkState] = field(default_factory=dict)
    index: Index = field(default_factory=Index)
    verdicts: Verdicts = field(default_factory=Verdicts)
    status: Oid | None = None
    source: Oid | None = None
    tips: Mapping[str, Oid] = field(default_factory=dict)
    unfinished: frozenset[Key] = frozenset()
    failing: Mapping[str, Failure] = field(default_factory=dict)
    rest: Rest | None = None
    news: int = 0

    @property
    def blank(self) -> bool:
        """Whether no pass has left anything in mind."""
        return self.source is None

    def without_works(self) -> World:
        """Return the memory of all but the Works; they can be adopted again."""
        return replace(self, works={}, index=Index(), news=0)

    def adopt(self, works: Mapping[Key, WorkState | None]) -> None:
        """Take over what was decided about some Works; None was removed."""
        self.news += len(works)
        for key, state in works.items():
            self.index.replace(key, self.works.get(key), state)
            if state is None:
                self.works.pop(key, None)
            else:
                self.works[key] = state
