"""The status of a WorkPlacement: whether it is where it should be, and what of it is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gitops.api.status import Condition, Status
from gitops.api.work import PIPELINE_NAME
from gitops.core import conditions, memory
from gitops.core.conditions import false, true
from gitops.core.delivery import PlacementDelivery, UnitId
from gitops.core.events import NORMAL, SCHEDULER, WARNING, WORKPLACEMENT, Transition
from gitops.core.failures import Failure
from gitops.core.keys import Key
from gitops.core.outline import Outline
from gitops.core.placing import Decided
from gitops.core.record import Facts, Record, restored, waiting
from gitops.core.world import Placement

_IN_PLACE = true(conditions.WRITTEN, "WorkloadsWrittenToStateStore", "")


def placement_file(work: Key, name: str) -> str:
    """Return the status file of a WorkPlacement, relative to `status/`."""
    return f"{memory.work_folder(work.namespace, work.name)}/{memory.file_of(name)}"


class Outcome(NamedTuple):
    """The status of a placement without times and events, what happened to it, and the version of its documents."""

    status: Status
    happened: tuple[Transition, ...]
    version: str


def record_placement(
    record: Record, decided: Decided, delivery: PlacementDelivery, generation: int, facts: Facts
) -> Status:
    """Record one placement that stays, and return its status."""
    status, happened, version = placement_outcome(decided, delivery, generation, facts)
    if version != delivery.recorded.text("versionID"):
        record.version(delivery.work, delivery.name, version)
    return record.add(placement_file(delivery.work, delivery.name), delivery.recorded.status, status, happened)


def record_departure(record: Record, delivery: PlacementDelivery, facts: Facts) -> Status | None:
    """Forget a placement that goes; while a branch fails, tell so, and what is left there. Return what stays told."""
    file, before = placement_file(delivery.work, delivery.name), delivery.recorded.status
    failing = sorted(delivery.branches & facts.failures.keys())
    if not failing:
        record.remove(file)
    if not failing or before is None:
        return None
    written = false(conditions.WRITTEN, "WorkloadsFailedWrite", str(facts.failures[failing[0]]))
    ready = false(conditions.READY, written.reason, "Failing")
    after = before._replace(
        conditions=(*(c for c in before.conditions if c.type == conditions.SCHEDULED), ready, written),
        extra=before.extra if delivery.branch in failing else waiting(delivery.recorded, {}, facts),
    )
    return record.add(file, before, after, tuple(_failed(delivery.destination, written, before)))


def placement_outcome(decided: Decided, delivery: PlacementDelivery, generation: int, facts: Facts) -> Outcome:
    """Return what there is to record of one placement that stays."""
    placement, before = delivery.placement, delivery.recorded.status
    assert placement is not None
    assert decided.state is not None
    work = decided.state.outline
    failure = facts.failures.get(delivery.branch) if delivery.delivered or delivery.changes else None
    written = _written(delivery, failure, facts)
    version = _version(delivery, failure, facts)
    spec = _placement_spec(work, placement, generation)
    grown = before is None or dict(before.spec) != spec
    status = Status(
        kind="WorkPlacement",
        name=delivery.name,
        namespace=delivery.work.namespace,
        labels=_placement_labels(work, placement),
        generation=(before.generation if before else 0) + grown,
        spec=spec,
        conditions=_placement_conditions(placement, written),
        extra=_placement_extra(delivery, version, facts) if failure is None else _unwritten_extra(delivery),
    )
    return Outcome(status, tuple(_placement_transitions(delivery, written, version, facts)), version)


def _placement_spec(work: Outline, placement: Placement, generation: int) -> dict[str, object]:
    found = {
        "targetDestinationName": placement.destination,
        "id": placement.group,
        "promiseName": work.promise,
        "resourceName": work.resource,
    }
    return {**{k: v for k, v in found.items() if v}, "generation": generation}


def _placement_labels(work: Outline, placement: Placement) -> dict[str, str]:
    labels = {
        "kratix.io/work": work.name,
        "kratix.io/workload-group-id": placement.group,
        "kratix.io/targetDestinationName": placement.destination,
        PIPELINE_NAME: work.pipeline,
    }
    return labels | ({"kratix.io/misplaced": "true"} if placement.misplaced else {})


def _written(delivery: PlacementDelivery, failure: Failure | None, facts: Facts) -> Condition | None:
    placement = delivery.placement
    assert placement is not None
    if failure:
        return false(conditions.WRITTEN, "WorkloadsFailedWrite", str(failure))
    if refusal := placement.offer.refusal:
        return false(conditions.WRITTEN, refusal.reason, refusal.message)
    if placement.offer.documents is not None:
        return _IN_PLACE
    last = delivery.recorded.condition(conditions.WRITTEN)
    return last if last is None or placement.misplaced or delivery.branch in facts.failures else _kept(delivery, last)


def _kept(delivery: PlacementDelivery, last: Condition) -> Condition:
    """Say of documents that nobody can make again whether they stand as they were recorded."""
    if delivery.altered:
        text = f"{delivery.altered} is not as it was, and no definition tells how that is"
        return false(conditions.WRITTEN, "WorkloadsFailedWrite", text)
    if last.reason == "WorkloadsFailedWrite" and delivery.inventory:
        return _IN_PLACE
    return last


def _placement_conditions(placement: Placement, written: Condition | None) -> tuple[Condition, ...]:
    if placement.misplaced:
        scheduled = false(
            conditions.SCHEDULED,
            "DestinationSelectorMismatch",
            "Target destination no longer matches destinationSelectors",
        )
    else:
        scheduled = true(conditions.SCHEDULED, "ScheduledToDestination", "Scheduled to correct Destination")
    if written and written.status == "False":
        ready = false(conditions.READY, written.reason, "Failing")
    elif placement.misplaced:
        ready = false(conditions.READY, "Misplaced", "Misplaced")
    elif written:
        ready = true(conditions.READY, "WorkloadsWrittenToTargetDestination", "Ready")
    else:
        ready = false(conditions.READY, "ScheduledToDestination", "Pending")
    return (scheduled, ready, written) if written else (scheduled, ready)


def _version(delivery: PlacementDelivery, failure: Failure | None, facts: Facts) -> str:
    if failure is None and delivery.changes:
        return facts.versions[UnitId(delivery.branch, delivery.unit)].hex()
    found = facts.known_versions.get((delivery.work, delivery.name))
    return found.hex() if found and delivery.inventory else delivery.recorded.text("versionID")


def _placement_extra(delivery: PlacementDelivery, version: str, facts: Facts) -> dict[str, object]:
    extra: dict[str, object] = {}
    if version:
        extra["versionID"] = version
    if delivery.branch != facts.home:
        extra["branch"] = delivery.branch
    if delivery.inventory:
        extra["inventory"] = {path: oid.hex() for path, oid in sorted(delivery.inventory.items())}
    return extra | waiting(delivery.recorded, delivery.superseded, facts)


def _unwritten_extra(delivery: PlacementDelivery) -> dict[str, object]:
    """Nothing was written: where its documents are is what it was."""
    extra = delivery.recorded.status.extra if delivery.recorded.status else {}
    return {name: extra[name] for name in ("versionID", "branch", "inventory", "superseded") if name in extra}


def _placement_transitions(
    delivery: PlacementDelivery, written: Condition | None, version: str, facts: Facts
) -> Iterator[Transition]:
    placement, before = delivery.placement, delivery.recorded.status
    assert placement is not None
    name = placement.destination
    if placement.misplaced and not delivery.recorded.misplaced:
        lost = f"labels for destination: {name} no longer match the expected labels"
        message = f"{lost}, marking this workplacement as misplaced"
        yield Transition(WARNING, "DestinationSelectorMismatch", SCHEDULER, message)
    yield from restored(delivery.branch, delivery.restored, WORKPLACEMENT, facts)
    last = before.condition(conditions.WRITTEN) if before else None
    recovered = last and last.status == "False" and written and written.status == "True"
    if version and (recovered or version != delivery.recorded.text("versionID")):
        message = f"successfully written to Destination: {name} with versionID: {version}"
        yield Transition(NORMAL, "WorkloadsWrittenToStateStore", WORKPLACEMENT, message)
    if written and written.status == "False":
        yield from _failed(name, written, before)


def _failed(destination: str, written: Condition, before: Status | None) -> Iterator[Transition]:
    """Tell of a failure unless that is told already."""
    last = before.condition(conditions.WRITTEN) if before else None
    if last is None or (last.status, last.message) != ("False", written.message):
        message = f"failed writing to Destination: {destination} with error: {written.message}"
        yield Transition(WARNING, "FailedWriteToDestination", WORKPLACEMENT, message)
