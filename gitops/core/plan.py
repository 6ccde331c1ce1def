"""decide(): from what was seen to what should be, and the edits that lead there. `gitops plan` is this alone.

Only the Works are decided anew that a change since *world* was left concerns, and the rivals of those.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from gitops.core import claims, succession
from gitops.core.concern import changed, concerned
from gitops.core.delivering import deliver
from gitops.core.delivery import Delivery, Drift, Unit
from gitops.core.documents import Render
from gitops.core.failures import Failure
from gitops.core.keys import Key
from gitops.core.placing import Context, Decided
from gitops.core.recovery import Logged, Traces
from gitops.core.selectors import Selector
from gitops.core.strays import Written
from gitops.core.survey import Survey
from gitops.core.tree import Objects, Oid
from gitops.core.world import ClusterObject, World

_AHEAD = 1000  # Works


class Branch(NamedTuple):
    """A branch with documents, as a pass finds it.

    `tip` is its newest commit and `root` the tree of that; None while it is unborn. `left` is the tree of the newest
    commit of ours there (this daemon's, another's, or one that only looks like it), and `last_seen` the tree that this
    daemon itself saw or left in its last pass; None where that is not known. What differs from them, others changed.

    A branch is `lost` when it is not built on what this daemon left there: then all that stands on it is looked at.
    `failure` says why nothing can be written there. `logged` is what its log tells of placements, which is read only
    when all status is lost. `writers` tells who last changed the files that are nobody's, once the log was asked.
    """

    tip: Oid | None
    root: Oid | None
    left: Oid | None
    logged: Logged
    lost: bool
    failure: Failure | None = None
    last_seen: Oid | None = None
    writers: Mapping[str, Written | None] = MappingProxyType({})

    def refusing(self, failure: Failure) -> Branch:
        """Return it as one that cannot be written, because of *failure*: all that stands there has to tell of it.

        Without the tree that was `left` there no file counts as changed by others: nothing could be put back anyway.
        """
        return Branch(self.tip, self.root, None, self.logged, lost=True, failure=failure)


@dataclass(frozen=True)
class Plan:
    """What a pass will do. `decided` has the Works that were looked at, `delivery` what is written for them."""

    survey: Survey
    decided: Mapping[Key, Decided]
    delivery: Delivery
    branches: Mapping[str, Branch] = field(default_factory=dict)

    @property
    def sources(self) -> dict[Key, str]:
        """The files whose definitions are in effect, of all that was looked at."""
        known: dict[Key, ClusterObject | Decided] = {**self.survey.objects, **self.decided}
        return {key: found.effective.source for key, found in known.items()}

    @property
    def failures(self) -> dict[str, Failure]:
        """The branches that nothing can be written to, as was known before."""
        return {name: branch.failure for name, branch in self.branches.items() if branch.failure}

    @property
    def unfinished(self) -> frozenset[Key]:
        """The Works and Destinations of which a next pass must remove documents from a branch that they have left."""
        return frozenset(delivery.owner for delivery in self.delivery.each if delivery.superseded)

    @property
    def astray(self) -> frozenset[Key]:
        """The Works that are held back, with last good documents where a Destination was before it moved.

        No index leads from that place to them, so that each pass has to look at them.
        """
        return frozenset(placed.work for placed in self.delivery.placements if placed.astray(self.survey.targets))

    @property
    def unfound(self) -> frozenset[str]:
        """Branches of stores that are gone, on which documents still stand: look at them, and decide again."""
        recorded = (delivery.recorded for delivery in self.delivery.each if delivery.recorded.status)
        return frozenset(name for each in recorded for name in each.branches()) - self.branches.keys()

    @property
    def strays(self) -> dict[str, frozenset[str]]:
        """The files that are nobody's, by branch: ask the log who wrote them, and decide again."""
        asked = {name: branch.writers.keys() for name, branch in self.branches.items() if not branch.failure}
        unasked = {name: paths - asked[name] for name, paths in self.delivery.strays.items() if name in asked}
        return {name: paths for name, paths in unasked.items() if paths}

    @property
    def unsure(self) -> frozenset[str]:
        """The branches with files of ours of which it is not certain that nobody wants them."""
        strays = self.delivery.strays.items()
        return frozenset(name for name, paths in strays if any(map(self.branches[name].writers.get, paths)))

    def selectors(self, unit: Unit) -> list[Selector]:
        """Return the selectors of the groups that the unit of a Work places, each once."""
        placed = {one.placement.group for one in unit.placements if one.placement}
        state = self.decided[unit.key].state if unit.key in self.decided else None
        return list(dict.fromkeys(group.selector for group in (state.groups if state else ()) if group.id in placed))

    def on(self, branches: Collection[str]) -> frozenset[Key]:
        """Return the Works and Destinations that have or had documents on one of these branches."""
        if not branches:
            return frozenset()
        return frozenset(d.owner for d in self.delivery.each if not d.branches.isdisjoint(branches))


def decide(world: World, survey: Survey, branches: Mapping[str, Branch], objects: Objects, renderer: Render) -> Plan:
    """Decide what a pass does. Pure: equal arguments give an equal plan, and nothing is written."""
    roots = {name: branch.root for name, branch in branches.items()}
    traces = Traces(roots, {name: branch.logged for name, branch in branches.items()}, survey.targets, objects)
    context = Context(world, survey, objects, renderer, traces)
    drift = Drift(
        paths={name: changed(objects, survey, name, b.left, b.root) for name, b in branches.items()},
        lost=frozenset(name for name, branch in branches.items() if branch.lost),
        touched={name: changed(objects, survey, name, b.last_seen, b.root) for name, b in branches.items()},
        left={name: branch.left for name, branch in branches.items()},
    )
    writers = {name: branch.writers for name, branch in branches.items()}
    decided = _closure(context, concerned(context, drift))
    decided = succession.settle(context, claims.settle(context, decided))
    return Plan(survey, decided, deliver(context, decided, roots, drift, writers), branches)


def _closure(context: Context, first: Iterable[Key]) -> dict[Key, Decided]:
    """Decide the Works *first*, and all others whose outcome depends on theirs."""
    decided: dict[Key, Decided] = {}
    waiting, expected = sorted(first), 0
    while waiting:
        if len(decided) >= expected:
            expected = len(decided) + _AHEAD
            context.expect(waiting[: -_AHEAD - 1 : -1])
        key = waiting.pop()
        if key in decided:
            continue
        decided[key] = context.decide(key)
        if not context.world.blank:
            waiting += [rival for rival in claims.affected(context, decided[key]) if rival not in decided]
    return dict(sorted(decided.items()))
