"""What a plan says of placements: what happens to each, and why; and of the groups and Works that wait."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gitops.core import conditions
from gitops.core.delivery import PlacementDelivery
from gitops.core.documents import Refusal
from gitops.core.placing import Decided
from gitops.core.plan import Plan

SIGNS = {
    "place": "+",
    "update": "~",
    "move": ">",
    "withdraw": "-",
    "misplace": "!",
    "hold": "!",
    "settle": "=",
    "release": "=",
}


class Row(NamedTuple):
    """What happens to one placement, and why."""

    action: str
    work: str
    placement: str
    destination: str
    reason: str


def placements(plan: Plan) -> list[Row]:
    """List the placements that a pass would change, or whose condition it would change."""
    return sorted(row for made in plan.delivery.placements if not made.steady and (row := _row(made, plan)))


def _row(made: PlacementDelivery, plan: Plan) -> Row | None:
    told = _withdrawn(made, plan) if made.placement is None else _kept(made, plan)
    if told is None:
        return None
    action, reason = told
    return Row(action, f"{made.work.namespace}/{made.work.name}", made.name, made.destination, reason)


def _withdrawn(made: PlacementDelivery, plan: Plan) -> tuple[str, str] | None:
    """Tell of a placement that goes; while a branch fails it waits, once what could be removed is."""
    if made.branch in plan.failures or not (made.changes or made.branches.isdisjoint(plan.failures)):
        return None
    if plan.decided[made.work].effective.removed:
        return "withdraw", "the Work is removed"
    if _is_removed(made, plan):
        return "withdraw", "the Destination is removed"
    return "withdraw", "the Work does not place it there any more"


def _kept(made: PlacementDelivery, plan: Plan) -> tuple[str, str] | None:
    """Tell of a placement that stays or comes: first what changes in its conditions, then in its documents."""
    before, placement = made.recorded.status, made.placement
    assert placement is not None
    written = before.condition(conditions.WRITTEN) if before else None
    scheduled = before.condition(conditions.SCHEDULED) if before else None
    was_misplaced = scheduled is not None and scheduled.status == "False"
    refusal = _refusal(made, plan)
    if refusal and (written is None or (written.reason, written.message) != refusal[:2]):
        return "hold", f"{refusal.reason}: {refusal.message}"
    if before and placement.misplaced and not was_misplaced:
        gone = "is removed" if _is_removed(made, plan) else "no longer matches its selectors"
        return "misplace", f"the Destination {gone}; the documents stay"
    if was_misplaced and not placement.misplaced:
        return "settle", "the Destination matches its selectors again"
    if made.branch not in plan.failures and (told := _delivered(made, plan, is_held=refusal is not None)):
        return told
    if written and written.status == "False" and not refusal and made.delivered:
        return "release", "nothing holds it back any more"
    return None


def _delivered(made: PlacementDelivery, plan: Plan, *, is_held: bool) -> tuple[str, str] | None:
    """Tell what happens to the documents of a placement; one that *is_held* keeps its last good ones."""
    if made.recorded.status is None or (made.changes and not made.recorded.inventory()):
        return "place", "its selectors match"
    if not is_held and (made.moved or made.destination in plan.delivery.moved):
        return "move", "the place of its documents changed"
    if count := len(made.restored):
        files = "1 file changed outside gitops is" if count == 1 else f"{count} files changed outside gitops are"
        return "update", f"{files} restored"
    return ("update", "its documents changed") if made.changes else None


def _refusal(made: PlacementDelivery, plan: Plan) -> Refusal | None:
    """Return why the documents of a placement are not written, as its status will say."""
    assert made.placement is not None
    failure = plan.failures.get(made.branch) if made.delivered or made.changes else None
    return Refusal("WorkloadsFailedWrite", str(failure)) if failure else made.placement.offer.refusal


def _is_removed(made: PlacementDelivery, plan: Plan) -> bool:
    """Whether the Destination of a placement is not defined any more."""
    return made.destination not in plan.survey.targets


def pending(plan: Plan) -> list[Row]:
    """List the groups that no Destination matches, and the definitions that are invalid."""
    return [row for key, decided in plan.decided.items() for row in _waiting(f"{key.namespace}/{key.name}", decided)]


def _waiting(work: str, decided: Decided) -> Iterator[Row]:
    if decided.effective.problem:
        yield Row("invalid", work, "", "", str(decided.effective.problem))
    for group in decided.state.unscheduled if decided.state else ():
        yield Row("pending", work, "", "", f"no matching destination for workloadGroup {group}")
