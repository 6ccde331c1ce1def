"""Why a Work is where it is: each Destination was chosen for a group, or ruled out, and the first rule says why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gitops.core import selectors
from gitops.core.documents import Group
from gitops.core.placing import Decided
from gitops.core.survey import Survey
from gitops.core.targets import Target
from gitops.core.world import Placement, WorkState


class Verdict(NamedTuple):
    """What became of one Destination, and the rule; *missed* counts the requirements that it does not meet."""

    destination: str
    chosen: bool
    rule: str
    missed: int = 0


class Explained(NamedTuple):
    """One group: what it asks for, all Destinations, and those that are *nearest* to a match without being one."""

    group: str
    selector: str
    verdicts: tuple[Verdict, ...]
    nearest: tuple[str, ...]


def explain(decided: Decided, survey: Survey) -> list[Explained]:
    """Explain a Work that was decided, group by group; nothing of one without a definition that was ever good."""
    return [_explained(decided.state, group, survey) for group in decided.state.groups] if decided.state else []


def _explained(state: WorkState, group: Group, survey: Survey) -> Explained:
    verdicts = tuple(_verdicts(state, group, survey))
    missed = [v.missed for v in verdicts if v.missed and not v.chosen]
    nearest = tuple(v.destination for v in verdicts if not v.chosen and v.missed == min(missed, default=-1))
    return Explained(group.id, str(group.selector), verdicts, nearest)


def _verdicts(state: WorkState, group: Group, survey: Survey) -> Iterator[Verdict]:
    placed = {placement.destination: placement for placement in state.placements if placement.group == group.id}
    for name in sorted(survey.targets.keys() | placed.keys()):
        target = survey.targets.get(name)
        missed = selectors.misses(group.selector, target) if target else []
        if name in placed:
            yield Verdict(name, True, _chosen(placed[name], target, missed), len(missed))
        elif missed:
            yield Verdict(name, False, missed[0], len(missed))
        else:
            yield Verdict(name, False, _passed_over(name, sorted(placed), survey))


def _chosen(placement: Placement, target: Target | None, missed: list[str]) -> str:
    if target is None:
        return "it was removed, and its documents are left there"
    if placement.misplaced:
        return f"it matched once, and stays: {missed[0]}" if missed else "it matched once, and stays"
    if refusal := placement.offer.refusal:
        return f"its selectors match; held back: {refusal.reason}: {refusal.message}"
    return "its selectors match"


def _passed_over(name: str, placed: list[str], survey: Survey) -> str:
    """Say why a Destination that matches was not chosen: a resource request goes to one alone."""
    why = "it is not ready" if name in survey.places.unready else "one is enough"
    return f"its selectors match; a resource request goes to one Destination, {', '.join(placed)}: {why}"
