"""Succession: what a removed Destination left behind goes to the Destination that has its place now.

Where all documents of a placement on the removed one are where the same Work delivers to another one, that is their
owner, and the placement that was left behind is gone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from gitops.core import layout
from gitops.core.keys import Key
from gitops.core.placing import Context, Decided
from gitops.core.survey import Survey
from gitops.core.world import Placement


def settle(context: Context, decided: Mapping[Key, Decided]) -> dict[Key, Decided]:
    """Return *decided* without the placements that others of their Work have succeeded."""
    return {key: _settled(context.survey, work) for key, work in decided.items()}


def _settled(survey: Survey, work: Decided) -> Decided:
    if work.state is None or work.state.destinations <= survey.targets.keys():
        return work
    heirs = [p for p in work.state.placements if p.destination in survey.targets and p.offer.documents is not None]
    kept = [p for p in work.state.placements if not _is_succeeded(survey, work, p, heirs)]
    return replace(work, state=replace(work.state, placements=tuple(kept)))


def _is_succeeded(survey: Survey, work: Decided, placement: Placement, heirs: Collection[Placement]) -> bool:
    recorded = work.recorded.placement(placement.name)
    left, branch = recorded.inventory(), recorded.branch(survey.home)
    if placement.destination in survey.targets or not left:
        return False
    return all(any(_delivers(survey, heir, branch, path) for heir in heirs) for path in left)


def _delivers(survey: Survey, heir: Placement, branch: str, path: str) -> bool:
    """Whether *path* is where a placement has its documents."""
    target = next((t for t in survey.targets_at(branch, path) if t.name == heir.destination), None)
    if target is None:
        return False
    if target.aggregate:
        return path == target.aggregate
    return not heir.offer.claim.exclusive.isdisjoint(layout.tokens(target, path))
