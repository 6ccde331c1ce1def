"""Settling claims: which of the decided Works contend with others, and whose placements are held back for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from gitops.api.destination import FLAT, NESTED
from gitops.core import layout, ownership
from gitops.core.documents import Refusal
from gitops.core.keys import Key
from gitops.core.offers import holdings
from gitops.core.ownership import Claim, Claimant, Conflict, Owner
from gitops.core.parts import part_name
from gitops.core.placing import Context, Decided
from gitops.core.targets import Target
from gitops.core.world import Index, Offer, Placement, WorkState

_Losses = dict[str, tuple[Refusal, Claim]]
_CANARIES = Claim.union([layout.canary_claim(mode) for mode in (NESTED, FLAT)]).exclusive


class _Contestant(NamedTuple):
    """A placement that may be in the way of another, what it holds from before, and what it brings from elsewhere."""

    decided: Decided
    placement: Placement
    holds: Claim
    brings: Claim

    @property
    def owner(self) -> Owner:
        return (self.decided.key.namespace, self.decided.key.name, self.placement.group, self.placement.destination)

    @property
    def claimant(self) -> Claimant:
        return Claimant(self.owner, self.placement.offer.claim, self.holds, self.brings)


def affected(context: Context, decided: Decided) -> set[Key]:
    """Return the other Works whose outcome may change with this one's: on a shared Destination, for a shared token."""
    index, works = context.world.index, context.world.works
    states = [s for s in (works.get(decided.key), decided.state) if s]
    destinations = frozenset().union(*(s.destinations for s in states), _recorded(decided))
    contenders = {key for s in states for key in index.contenders(s.claims)} - {decided.key}
    found = {key for key in contenders if works[key].destinations & destinations}
    return found.union(*map(index.on, destinations & context.parts.shared)) - {decided.key}


def _recorded(decided: Decided) -> set[str]:
    """Return where a Work has placements as status tells: those that wait to be removed are in no state."""
    return set() if decided.before else {known.destination for known in decided.recorded.placements.values()}


def settle(context: Context, decided: Mapping[Key, Decided]) -> dict[Key, Decided]:
    """Return *decided* with the placements held back that lost a claim."""
    lost = _lost(context, decided)
    return {**decided, **{key: _held_back(decided[key], found) for key, found in lost.items()}}


def _lost(context: Context, decided: Mapping[Key, Decided]) -> dict[Key, _Losses]:
    """Return, by name, the placements of each Work that lose a claim."""
    contests = _contests(context, decided)
    names = {c.owner: f"{c.decided.key.namespace}/{c.placement.name}" for found in contests.values() for c in found}
    lost: dict[Key, _Losses] = {}
    for name, contest in contests.items():
        for one, conflict in _settle_destination(context.survey.targets[name], contest):
            refusal = layout.lost(conflict.token, names.get(conflict.owner) or " ".join(conflict.owner))
            lost.setdefault(one.decided.key, {})[one.placement.name] = (refusal, one.holds)
    return lost


def _contests(context: Context, decided: Mapping[Key, Decided]) -> dict[str, list[_Contestant]]:
    """Return the placements that may be in each other's way, by Destination.

    A placement that is held back keeps what it holds from before. So those that want any of that are contestants, too,
    even if nobody else wants what they want.
    """
    index = Index()
    for key, work in decided.items():
        index.replace(key, None, work.state)
    contests: dict[str, list[_Contestant]] = {}
    waiting = [key for key, work in decided.items() if work.state and _contended(index, key, work.state)]
    seen: set[Key] = set()
    while waiting:
        key = waiting.pop()
        if key in seen:
            continue
        seen.add(key)
        for contestant in _contestants(context, decided[key]):
            contests.setdefault(contestant.placement.destination, []).append(contestant)
            waiting += index.contenders(contestant.holds)
    return contests


def _contestants(context: Context, decided: Decided) -> Iterator[_Contestant]:
    assert decided.state is not None
    for placement in decided.state.placements:
        if target := context.survey.targets.get(placement.destination):
            before = _before(context, target)
            brings = _holdings(context, decided, placement, before) if before != target else Claim()
            yield _Contestant(decided, placement, _holdings(context, decided, placement, target), brings)


def _holdings(context: Context, decided: Decided, placement: Placement, target: Target) -> Claim:
    own, recorded = part_name(decided.key.namespace, placement.name), decided.recorded.placement(placement.name)
    return holdings(own, recorded, placement.offer.root, target, context.parts, context.objects)


def _before(context: Context, target: Target) -> Target:
    """Return a Destination where it was and as it was when its documents were last written."""
    known = context.survey.objects[Key("Destination", "", target.name)].recorded
    return replace(target, directory=known.text("path"), mode=known.text("mode"))


def _contended(index: Index, key: Key, state: WorkState) -> bool:
    claims = state.claims
    return (
        len(state.groups) > 1
        or any(other != key for other in index.contenders(claims))
        or not _CANARIES.isdisjoint(claims.exclusive | claims.shared)
    )


def _settle_destination(target: Target, contest: Iterable[_Contestant]) -> Iterator[tuple[_Contestant, Conflict]]:
    """List those who lose a claim on one Destination, and to whom."""
    reserved: dict[Owner, Claim] = {("Destination", target.name): layout.reserved(target)}
    found = {c.owner: c for c in contest}
    for owner, conflict in ownership.resolve([c.claimant for c in found.values()], reserved).items():
        if found[owner].placement.offer.documents:
            yield found[owner], conflict


def _held_back(decided: Decided, lost: _Losses) -> Decided:
    assert decided.state is not None
    placements = []
    for placement in decided.state.placements:
        if placement.name in lost:
            refusal, holds = lost[placement.name]
            offer = placement.offer
            placement = placement._replace(offer=Offer(offer.root, None, refusal, offer.claim | holds))
        placements.append(placement)
    return replace(decided, state=replace(decided.state, placements=tuple(placements)))
