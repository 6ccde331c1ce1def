"""Settling claims: which of the decided Works contend with others, and whose placements are held back for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from gitops.core import layout, ownership
from gitops.core.manifests import Key
from gitops.core.offers import holdings
from gitops.core.ownership import Claim, Claimant, Conflict, Owner
from gitops.core.placing import Context, Decided
from gitops.core.targets import Target
from gitops.core.world import Index, Offer, Placement, WorkState

_Contest = tuple[Decided, Placement]


def affected(context: Context, decided: Decided) -> set[Key]:
    """Return the other Works whose outcome may change with this one's: on a shared Destination, for a shared token."""
    index, works = context.world.index, context.world.works
    states = [s for s in (works.get(decided.key), decided.state) if s]
    destinations = frozenset().union(*(s.destinations for s in states))
    found = {key for s in states for key in index.contenders(s.claims) if works[key].destinations & destinations}
    for name in destinations:
        target = context.survey.targets.get(name)
        if target and target.mode == layout.AGGREGATED:
            found |= index.on(name)
    return found - {decided.key}


def settle(context: Context, decided: Mapping[Key, Decided]) -> dict[Key, Decided]:
    """Return *decided* with the placements held back that lost a claim."""
    contests = _contests(context, decided)
    lost: dict[Key, dict[str, tuple[Conflict, Claim]]] = {}
    for name, contest in contests.items():
        _settle_destination(context, context.survey.targets[name], contest, lost)
    names = {_owner(key, p): f"{key.namespace}/{p.name}" for c in contests.values() for d, p in c for key in (d.key,)}
    return {key: _held_back(d, lost[key], names) if key in lost else d for key, d in decided.items()}


def _contests(context: Context, decided: Mapping[Key, Decided]) -> dict[str, list[_Contest]]:
    """Return the placements that may be in each other's way, by Destination."""
    index = Index()
    for key, work in decided.items():
        index.replace(key, None, work.state)
    contests: dict[str, list[_Contest]] = {}
    for key, work in decided.items():
        state = work.state
        if state is None or not (len(state.groups) > 1 or _contended(index, key, state)):
            continue
        for placement in state.placements:
            if (
                placement.destination in context.survey.targets
                and not context.survey.targets[placement.destination].reason
            ):
                contests.setdefault(placement.destination, []).append((work, placement))
    return contests


_CANARIES = frozenset(
    token
    for mode in (layout.NESTED, layout.FLAT)
    for token in layout.canary_claim(mode).exclusive
)  # fmt: skip


def _contended(index: Index, key: Key, state: WorkState) -> bool:
    claims = state.claims
    return any(other != key for other in index.contenders(claims)) or not _CANARIES.isdisjoint(
        claims.exclusive | claims.shared
    )


def _settle_destination(
    context: Context,
    target: Target,
    contest: Iterable[_Contest],
    lost: dict[Key, dict[str, tuple[Conflict, Claim]]],
) -> None:
    reserved: dict[Owner, Claim] = {("Destination", target.name): layout.reserved(target)}
    holds: dict[Owner, Claim] = {}
    claimants: list[Claimant] = []
    for decided, placement in contest:
        owner, offer = _owner(decided.key, placement), placement.offer
        holds[owner] = holdings(decided.record_of(placement), offer.root, target, context.objects)
        claimants.append(Claimant(owner, offer.claim if offer.documents else holds[owner], holds[owner]))
    keys = {_owner(d.key, p): (d.key, p.name) for d, p in contest if p.offer.documents}
    for owner, conflict in ownership.resolve(claimants, reserved).items():
        if owner in keys:
            key, name = keys[owner]
            lost.setdefault(key, {})[name] = (conflict, holds[owner])


def _owner(key: Key, placement: Placement) -> Owner:
    return (key.namespace, key.name, placement.group, placement.destination)


def _held_back(decided: Decided, lost: Mapping[str, tuple[Conflict, Claim]], names: Mapping[Owner, str]) -> Decided:
    assert decided.state is not None
    placements = []
    for placement in decided.state.placements:
        if placement.name in lost:
            conflict, holds = lost[placement.name]
            refusal = layout.lost(conflict.token, names.get(conflict.owner) or " ".join(conflict.owner))
            offer = placement.offer
            claim = Claim(offer.claim.exclusive | holds.exclusive, offer.claim.shared | holds.shared)
            placement = placement._replace(offer=Offer(offer.root, None, refusal, claim))
        placements.append(placement)
    return replace(decided, state=replace(decided.state, placements=tuple(placements)))
