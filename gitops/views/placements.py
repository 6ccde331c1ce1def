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

    @property
    def full_name(self) -> str:
        """The placement with its namespace, which is that of the Work."""
        return f"{self.work.partition('/')[0]}/{self.placement}"


def placements(plan: Plan) -> list[Row]:
    """List the placements that a pass would change, or whose condition it would change."""
    return sorted(row for delivery in plan.delivery.placements if not delivery.steady and (row := _row(delivery, plan)))


def _row(delivery: PlacementDelivery, plan: Plan) -> Row | None:
    told = _withdrawn(delivery, plan) if delivery.placement is None else _kept(delivery, plan)
    if told is None:
        return None
    action, reason = told
    return Row(action, delivery.work.namespaced_name, delivery.name, delivery.destination, reason)


def _withdrawn(delivery: PlacementDelivery, plan: Plan) -> tuple[str, str] | None:
    """Tell of a placement that goes; while a branch fails it waits, once what could be removed is."""
    if delivery.branch in plan.failures or not (delivery.changes or delivery.branches.isdisjoint(plan.failures)):
        return None
    if plan.decided[delivery.work].effective.removed:
        return "withdraw", "the Work is removed"
    if _is_removed(delivery, plan):
        return "withdraw", "the Destination is removed"
    return "withdraw", "the Work does not place it there any more"


def _kept(delivery: PlacementDelivery, plan: Plan) -> tuple[str, str] | None:
    """Tell of a placement that stays or comes: first what changes in its conditions, then in its documents."""
    before, placement = delivery.recorded, delivery.placement
    assert placement is not None
    written = before.condition(conditions.WRITTEN)
    refusal = _refusal(delivery, plan)
    if refusal and (written is None or (written.reason, written.message) != refusal[:2]):
        return "hold", f"{refusal.reason}: {refusal.message}"
    if before.status and placement.misplaced and not before.misplaced:
        gone = "is removed" if _is_removed(delivery, plan) else "no longer matches its selectors"
        return "misplace", f"the Destination {gone}; the documents stay"
    if before.misplaced and not placement.misplaced:
        return "settle", "the Destination matches its selectors again"
    if delivery.branch not in plan.failures and (told := _delivered(delivery, plan, is_held=refusal is not None)):
        return told
    if written and written.status == "False" and not refusal and delivery.delivered:
        return "release", "nothing holds it back any more"
    return None


def _delivered(delivery: PlacementDelivery, plan: Plan, *, is_held: bool) -> tuple[str, str] | None:
    """Tell what happens to the documents of a placement; one that *is_held* keeps its last good ones."""
    if delivery.recorded.status is None or (delivery.changes and not delivery.recorded.inventory()):
        return "place", "its selectors match"
    if not is_held and (delivery.moved or delivery.destination in plan.delivery.moved):
        return "move", "the place of its documents changed"
    if count := len(delivery.restored):
        files = "1 file changed outside gitops is" if count == 1 else f"{count} files changed outside gitops are"
        return "update", f"{files} restored"
    return ("update", "its documents changed") if delivery.changes else None


def _refusal(delivery: PlacementDelivery, plan: Plan) -> Refusal | None:
    """Return why the documents of a placement are not written, as its status will say."""
    assert delivery.placement is not None
    failure = plan.failures.get(delivery.branch) if delivery.delivered or delivery.changes else None
    return Refusal("WorkloadsFailedWrite", str(failure)) if failure else delivery.placement.offer.refusal


def _is_removed(delivery: PlacementDelivery, plan: Plan) -> bool:
    """Whether the Destination of a placement is not defined any more."""
    return delivery.destination not in plan.survey.targets


def pending(plan: Plan) -> list[Row]:
    """List the groups that no Destination matches, and the definitions that are invalid."""
    return [row for key, decided in plan.decided.items() for row in _waiting(key.namespaced_name, decided)]


def _waiting(work: str, decided: Decided) -> Iterator[Row]:
    if decided.effective.problem:
        yield Row("invalid", work, "", "", str(decided.effective.problem))
    for group in decided.state.unscheduled if decided.state else ():
        yield Row("pending", work, "", "", f"no matching destination for workloadGroup {group}")
