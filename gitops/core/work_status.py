"""The status of a Work: are all of its groups placed, and all of its placements written (Kratix reference, 4.1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from gitops.api.status import Condition, Status
from gitops.core import conditions, memory
from gitops.core.conditions import false, true
from gitops.core.delivery import PlacementDelivery
from gitops.core.events import NORMAL, SCHEDULER, WARNING, WORK, Transition
from gitops.core.keys import Key
from gitops.core.placement_status import record_departure, record_placement
from gitops.core.placing import Decided
from gitops.core.problems import Problem
from gitops.core.provenance import Provenance
from gitops.core.record import Facts, Record
from gitops.core.stencil import Stencil


def record_work(
    record: Record, decided: Decided, deliveries: Sequence[PlacementDelivery], provenance: Provenance, facts: Facts
) -> Status | None:
    """Record one Work and its placements, or remove the status of a Work that is gone. Return the Work's status."""
    if decided.effective.removed:
        return _record_removal(record, decided, deliveries, facts)
    placements: dict[str, Status] = {}
    stencil = Stencil(record, decided, provenance.generation, facts)
    for delivery in deliveries:
        if delivery.steady:
            if delivery.branch not in facts.failures:
                continue
            delivery = delivery._replace(recorded=decided.recorded.placement(delivery.name))
        if delivery.placement:
            alike = stencil.record(delivery)
            placements[delivery.name] = alike or record_placement(
                record, decided, delivery, provenance.generation, facts
            )
        elif left := record_departure(record, delivery, facts):
            placements[delivery.name] = left
    wrong = _what_is_wrong(decided, placements)
    status = _work_status(wrong, decided, provenance, facts)
    happened = [*_operations(deliveries, placements, facts), *_work_transitions(wrong, decided, status)]
    file = memory.work_file(decided.key.namespace, decided.key.name)
    return record.add(file, decided.recorded.status, status, happened)


def _record_removal(
    record: Record, decided: Decided, deliveries: Sequence[PlacementDelivery], facts: Facts
) -> Status | None:
    """Forget the placements whose documents are gone, and with the last of them the Work. Return what stays told."""
    happened = [_deleted(delivery, facts) for delivery in deliveries if delivery.branches.isdisjoint(facts.failures)]
    failing = tuple(delivery.name for delivery in deliveries if record_departure(record, delivery, facts))
    before, key = decided.recorded.status, decided.key
    if not failing or before is None:
        record.remove(memory.work_folder(key.namespace, key.name))
        record.happen(key, happened)
        return None
    if sorted(failing) != _recorded_failing(decided):
        happened.append(Transition(WARNING, "WorkplacementsFailing", WORK, _failing(failing)))
    ready = false(conditions.READY, "WorkplacementsFailing", _failing(failing))
    kept = tuple(c for c in before.conditions if c.type == conditions.SCHEDULED)
    after = before._replace(conditions=(*kept, ready))
    return record.add(memory.work_file(key.namespace, key.name), before, after, happened)


def _deleted(delivery: PlacementDelivery, facts: Facts) -> Transition:
    """Name the commit that removed the definition of the Work, or else of the Destination."""
    destination = Key("Destination", "", delivery.destination)
    if delivery.work in facts.removed:
        return _reconciled(delivery, "deleted", f" (definition removed in {facts.removed[delivery.work]})")
    if destination in facts.removed:
        return _reconciled(delivery, "deleted", f" ({destination} removed in {facts.removed[destination]})")
    return _reconciled(delivery, "deleted")


def _reconciled(delivery: PlacementDelivery, operation: str, tail: str = "") -> Transition:
    message = f"workplacement reconciled: {delivery.name}, operation: {operation}{tail}"
    return Transition(NORMAL, "WorkplacementReconciled", SCHEDULER, message)


class _Wrong(NamedTuple):
    """What is wrong with a Work: groups and placements, as its conditions list them."""

    problem: Problem | None
    unscheduled: tuple[str, ...]
    misplaced: tuple[str, ...]
    failing: tuple[str, ...]


def _what_is_wrong(decided: Decided, placements: Mapping[str, Status]) -> _Wrong:
    state = decided.state
    if state is None:
        return _Wrong(decided.effective.problem, (), (), ())
    misplaced = {p.group for p in state.placements if p.misplaced}
    failing = tuple(name for name, status in placements.items() if _fails(status))
    ordered = tuple(group.id for group in state.groups if group.id in misplaced)
    return _Wrong(decided.effective.problem, state.unscheduled, ordered, failing)


def _fails(status: Status | None) -> bool:
    found = status.condition(conditions.WRITTEN) if status else None
    return found is not None and found.status == "False"


def _work_conditions(wrong: _Wrong, before: Status | None) -> Iterator[Condition]:
    ids, lost = ",".join(wrong.unscheduled), ",".join(wrong.misplaced)
    scheduled = true(conditions.SCHEDULED, "AllWorkplacementsScheduled", "All workplacements scheduled successfully")
    if wrong.unscheduled:
        text = f"No matching destination found for workloadGroups: [{ids}]"
        scheduled = false(conditions.SCHEDULED, "UnscheduledWorkloadGroups", text)
    elif wrong.misplaced:
        scheduled = false(conditions.SCHEDULED, "DestinationSelectorMismatch", _mismatch(lost))
    if wrong.problem and before is None:
        scheduled = false(conditions.SCHEDULED, "InvalidDefinition", str(wrong.problem))
    yield scheduled
    if wrong.problem:
        yield false(conditions.READY, "InvalidDefinition", str(wrong.problem))
    elif wrong.unscheduled:
        yield false(conditions.READY, "UnscheduledWorkloadGroups", "Pending")
    elif wrong.failing:
        yield false(conditions.READY, "WorkplacementsFailing", _failing(wrong.failing))
    elif wrong.misplaced:
        yield false(conditions.READY, "Misplaced", "Misplaced")
    else:
        yield true(conditions.READY, "AllWorkplacementsScheduled", "Ready")


def _mismatch(ids: str) -> str:
    return f"Target destination no longer matches destinationSelectors for workloadGroups: [{ids}]"


def _failing(names: tuple[str, ...]) -> str:
    return f"Workplacements failed to write: [{','.join(names)}]"


def _work_status(wrong: _Wrong, decided: Decided, provenance: Provenance, facts: Facts) -> Status:
    state, recorded = decided.state, decided.recorded
    if state is None or state.orphan:
        return _unreadable(decided)
    commit = facts.sources.get(provenance.path)
    observed = commit.oid.hex() if commit else recorded.text("observedCommit")
    extra: dict[str, object] = {"observedGeneration": provenance.generation}
    if observed:
        extra["observedCommit"] = observed
    extra["source"] = recorded.text("source") if decided.effective.last_good else state.source
    if problem := decided.effective.problem:
        extra["invalid"] = problem.path
    if state.groups:
        extra["workPlacements"] = len(state.groups)
    if created := len(state.groups) - len(state.unscheduled):
        extra["workPlacementsCreated"] = created
    return Status(
        kind="Work",
        name=decided.key.name,
        namespace=decided.key.namespace,
        labels=state.outline.labels,
        generation=provenance.generation,
        conditions=tuple(_work_conditions(wrong, recorded.status)),
        extra=extra,
    )


def _unreadable(decided: Decided) -> Status:
    """An invalid Work of which no good definition is known: what was recorded of it stays."""
    before, problem = decided.recorded.status, decided.effective.problem
    assert problem is not None
    wanted = (
        decided.recorded.condition(conditions.SCHEDULED)
        or false(conditions.SCHEDULED, "InvalidDefinition", str(problem)),
        false(conditions.READY, "InvalidDefinition", str(problem)),
    )
    extra = {**(before.extra if before else {"source": problem.path}), "invalid": problem.path}
    labels, generation = (before.labels, before.generation) if before else ({}, 1)
    return Status("Work", decided.key.name, decided.key.namespace, labels, generation, {}, wanted, extra)


def _work_transitions(wrong: _Wrong, decided: Decided, status: Status) -> Iterator[Transition]:
    """List what is other with the Work, which now has *status*, than was recorded."""
    for group in wrong.unscheduled:
        if group not in _recorded_unscheduled(decided):
            message = f"waiting for a destination with labels for workloadGroup: {group}"
            yield Transition(WARNING, "NoMatchingDestination", SCHEDULER, message)
    if wrong.misplaced and set(wrong.misplaced) != _recorded_misplaced(decided):
        yield Transition(WARNING, "DestinationSelectorMismatch", SCHEDULER, _mismatch(",".join(wrong.misplaced)))
    yield from _outcomes(decided, wrong, status)


def _operations(
    deliveries: Sequence[PlacementDelivery], placements: Mapping[str, Status], facts: Facts
) -> Iterator[Transition]:
    for delivery in deliveries:
        before = delivery.recorded.status
        if delivery.steady:
            continue
        if delivery.placement is None:
            if delivery.branches.isdisjoint(facts.failures):
                yield _deleted(delivery, facts)
        elif before is None:
            yield _reconciled(delivery, "created")
        elif dict(placements[delivery.name].spec) != dict(before.spec):
            yield _reconciled(delivery, "updated")


def _recorded_unscheduled(decided: Decided) -> list[str]:
    """Return the groups that are recorded as waiting."""
    found = decided.recorded.condition(conditions.SCHEDULED)
    if found is None or found.reason != "UnscheduledWorkloadGroups":
        return []
    return found.message.partition("[")[2].rstrip("]").split(",")


def _recorded_misplaced(decided: Decided) -> set[str]:
    """Return the groups of which a placement is recorded as misplaced."""
    if decided.before:
        return {placement.group for placement in decided.before.values() if placement.misplaced}
    return {recorded.group for recorded in decided.recorded.placements.values() if recorded.misplaced}


def _recorded_failing(decided: Decided) -> list[str]:
    """Return the placements that are recorded as not written."""
    return [name for name, recorded in sorted(decided.recorded.placements.items()) if _fails(recorded.status)]


def _outcomes(decided: Decided, wrong: _Wrong, status: Status) -> Iterator[Transition]:
    last, ready = (decided.recorded.condition(kind) for kind in (conditions.SCHEDULED, conditions.READY))
    now = status.condition(conditions.SCHEDULED)
    if now and now.status == "True" and (last is None or last.status != "True"):
        yield Transition(NORMAL, now.reason, SCHEDULER, now.message)
    if wrong.failing and sorted(wrong.failing) != _recorded_failing(decided):
        yield Transition(WARNING, "WorkplacementsFailing", WORK, _failing(wrong.failing))
    if wrong.problem and (ready is None or (ready.reason, ready.message) != ("InvalidDefinition", str(wrong.problem))):
        yield Transition(WARNING, "InvalidDefinition", WORK, str(wrong.problem))
