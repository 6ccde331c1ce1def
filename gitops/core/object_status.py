"""The status of Destinations and state stores as Kratix has it, and the problems that belong to no object."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gitops.api.destination import Destination
from gitops.api.meta import API_VERSION
from gitops.api.status import Condition, Status
from gitops.core import conditions, memory, urls, yaml
from gitops.core.conditions import false, true
from gitops.core.delivery import DestinationDelivery
from gitops.core.events import DESTINATION, NORMAL, WARNING, Transition
from gitops.core.failures import Failure, Step
from gitops.core.problems import Problem
from gitops.core.provenance import Provenance
from gitops.core.record import Facts, Record, restored, waiting
from gitops.core.recorded import REMOVED
from gitops.core.targets import Store, Target
from gitops.core.world import ClusterObject


def record_destination(
    record: Record, delivery: DestinationDelivery, provenance: Provenance, facts: Facts
) -> Status | None:
    """Record one Destination; one that was removed stays as long as it leaves placements behind."""
    known, before = delivery.object, delivery.object.recorded.status
    file = memory.object_file(known.key)
    done = known.cleanup == "all" or not delivery.occupied
    reached = delivery.branches.isdisjoint(facts.failures)
    if known.effective.removed and done and reached:
        record.remove(file)
        text = f"{REMOVED} {facts.removed.get(known.key) or 'an unknown commit'}; {_ended(delivery, facts)}"
        record.happen(known.key, [Transition(WARNING, "DestinationNotReady", DESTINATION, text)])
        return None
    ready = _destination_ready(delivery, facts)
    extra = _source(known, provenance, facts) | _placing(delivery, facts)
    good = Transition(NORMAL, "DestinationReady", DESTINATION, "Destination is Ready")
    happened = _change(before, ready, good, "DestinationNotReady")
    if delivery.branch not in facts.failures:
        happened += restored(delivery.branch, delivery.restored, DESTINATION, facts)
    return record.add(file, before, _status(known, provenance, ready, extra), happened)


def _ended(delivery: DestinationDelivery, facts: Facts) -> str:
    if delivery.object.cleanup != "all":
        return "nothing is placed there any more"
    if delivery.branch in facts.unfound:
        return f"its documents stay in {urls.shown(delivery.branch)}, to which no state store leads any more"
    return "its documents are removed"


def _destination_ready(delivery: DestinationDelivery, facts: Facts) -> Condition:
    known, target = delivery.object, delivery.target
    if known.effective.removed:
        return _left_behind(known, facts)
    if known.effective.problem:
        return false(conditions.READY, "InvalidDefinition", str(known.effective.problem))
    assert target is not None
    if target.reason:
        return false(conditions.READY, target.reason, target.message)
    if failure := facts.failures.get(delivery.branch):
        return _unwritable(target, failure)
    if target.canary:
        return true(conditions.READY, "TestDocumentsWritten", "Test documents written to State Store")
    return true(conditions.READY, "DestinationReady", "Destination is ready")


def _unwritable(target: Target, failure: Failure) -> Condition:
    if failure.step is Step.WRITE:
        text = f"Failed to write test documents to State Store: {failure}"
        return false(conditions.READY, "StateStoreWriteFailed", text)
    return false(conditions.READY, "StateStoreNotReady", f"{target.store}: not ready: {failure.cause}")


def _left_behind(known: ClusterObject, facts: Facts) -> Condition:
    """A removed Destination stays as it was first recorded, whatever the log tells of its file since."""
    last = known.recorded.condition(conditions.READY)
    if last and known.recorded.removed:
        return last
    commit = facts.removed.get(known.key) or "an unknown commit"
    return false(conditions.READY, "DestinationNotReady", f"{REMOVED} {commit}; its documents are left behind")


def _placing(delivery: DestinationDelivery, facts: Facts) -> dict[str, object]:
    """What must be remembered: where its documents are, and what becomes of them when it is removed."""
    target, recorded = delivery.target, delivery.object.recorded
    failed = delivery.branch in facts.failures
    parts = recorded.sizes() if delivery.parts is None or delivery.joined_on in facts.failures else delivery.parts
    if target is None or target.reason or failed:
        kept = ("path", "stateStore", "branch", "mode", "filename", "cleanup", "parts", "inventory")
        extra = {**(recorded.status.extra if recorded.status else {}), "parts": dict(parts)}
        if cleanup := target.cleanup if target else delivery.object.cleanup:
            extra["cleanup"] = cleanup
        found = {name: extra[name] for name in kept if extra.get(name, {}) != {}}
        return found | waiting(recorded, recorded.superseded() if failed else {}, facts)
    extra = {"path": target.directory, "stateStore": target.store}
    if delivery.branch != facts.home:
        extra["branch"] = delivery.branch
    extra["mode"] = target.mode
    if target.aggregate:
        extra["filename"] = target.filename
    extra["cleanup"] = target.cleanup
    if parts:
        extra["parts"] = dict(parts)
    if delivery.inventory:
        extra["inventory"] = {path: oid.hex() for path, oid in sorted(delivery.inventory.items())}
    return extra | waiting(recorded, delivery.superseded, facts)


def record_store(
    record: Record, known: ClusterObject, store: Store | None, provenance: Provenance, facts: Facts
) -> Status | None:
    """Record one state store."""
    before, file = known.recorded.status, memory.object_file(known.key)
    if known.effective.removed:
        record.remove(file)
        return None
    ready = _store_ready(known, store, facts)
    extra = {"status": "Ready" if ready.status == "True" else "NotReady"} | _source(known, provenance, facts)
    good = Transition(NORMAL, "Ready", f"{known.key.kind}Controller", f'{known.key.kind} "{known.key.name}" is ready')
    happened = _change(before, ready, good, "NotReady")
    return record.add(file, before, _status(known, provenance, ready, extra), happened)


def _store_ready(known: ClusterObject, store: Store | None, facts: Facts) -> Condition:
    if known.effective.problem:
        return false(conditions.READY, "InvalidDefinition", str(known.effective.problem))
    assert store is not None
    if store.location is None:
        return false(conditions.READY, store.reason, store.message)
    if failure := facts.failures.get(store.location.branch):
        return _unusable(failure)
    return true(conditions.READY, "StateStoreReady", "State store is ready")


def _unusable(failure: Failure) -> Condition:
    if failure.step is Step.SECRET:
        return false(conditions.READY, "SecretNotFound", failure.cause)
    if failure.step is Step.REACH:
        return false(conditions.READY, "ErrorInitialisingWriter", f"unable to clone repository: {failure.cause}")
    text = f"Error validating state store permissions: write permission validation failed: {failure.cause}"
    return false(conditions.READY, "ErrorValidatingPermissions", text)


def _status(known: ClusterObject, provenance: Provenance, ready: Condition, extra: Mapping[str, object]) -> Status:
    manifest, before = known.effective.manifest, known.recorded.status
    labels = manifest.obj.metadata.labels if manifest else before.labels if before else {}
    return Status(
        kind=known.key.kind,
        name=known.key.name,
        labels=labels,
        generation=max(provenance.generation, 1),
        spec=_spec(known),
        conditions=(ready,),
        extra=extra,
    )


def _spec(known: ClusterObject) -> dict[str, object]:
    """The state store of a Destination, which kubectl has columns for; the last one known when it is removed."""
    definition = known.effective.manifest and known.effective.manifest.obj
    if not isinstance(definition, Destination):
        return dict(known.recorded.status.spec) if known.recorded.status else {}
    ref = definition.spec.state_store_ref
    return {"stateStoreRef": {"kind": ref.kind, "name": ref.name}} if ref else {}


def _source(known: ClusterObject, provenance: Provenance, facts: Facts) -> dict[str, object]:
    recorded, effective = known.recorded, known.effective
    kept = effective.manifest is None or effective.last_good
    commit = facts.sources.get(provenance.path)
    observed = commit.oid.hex() if commit and not kept else recorded.text("observedCommit")
    invalid = effective.problem.path if effective.problem else ""
    source = (recorded.text("source") or invalid) if kept else effective.source
    found = {"observedCommit": observed, "source": source, "invalid": invalid}
    extra: dict[str, object] = {"observedGeneration": max(provenance.generation, 1)}
    return extra | {name: value for name, value in found.items() if value}


def _change(before: Status | None, ready: Condition, good: Transition, bad: str) -> list[Transition]:
    """Tell of an object that became *ready*, which is *good*, or came to another cause why it is not: *bad*."""
    last = before.condition(conditions.READY) if before else None
    if ready.status == "True":
        return [good] if last is None or last.status != "True" else []
    if last and (last.status, last.message) == ("False", ready.message):
        return []
    return [Transition(WARNING, bad, good.source, ready.message)]


def repository_file(problems: Iterable[Problem]) -> bytes | None:
    """Return `status/repository.yaml`: what is wrong with files and belongs to no object; None when nothing is."""
    rows = [{"file": p.path, "line": p.line, "message": p.message} for p in problems]
    if not rows:
        return None
    file = {
        "apiVersion": API_VERSION,
        "kind": "Repository",
        "metadata": {"name": "repository"},
        "status": {"problems": rows},
    }
    return yaml.dump(file)
