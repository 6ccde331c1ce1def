"""record(): the second pure half of a pass: from the plan, and the facts of writing it, to the new `status/`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gitops.api.status import Status
from gitops.core import definitions, memory, object_status, overview, work_status
from gitops.core.delivery import PlacementDelivery
from gitops.core.keys import Key
from gitops.core.overview import Verdict, Verdicts
from gitops.core.patch import patch
from gitops.core.placing import Decided
from gitops.core.plan import Plan
from gitops.core.problems import Problem, in_order
from gitops.core.provenance import Provenance, Tracer
from gitops.core.record import Facts, Record
from gitops.core.targets import store_key
from gitops.core.tree import Objects, Oid
from gitops.core.world import ClusterObject, World

RenderOverview = Callable[[Mapping[str, Any]], tuple[bytes, tuple[Problem, ...]]]
"""Render the overview's scope; also return what is wrong with its template."""


@dataclass(frozen=True)
class NewStatus:
    """What a pass leaves: the tree of `status/`, what happened, and how each Work stands now.

    It is not *worth writing* where nobody ever defined anything.
    """

    tree: Oid
    record: Record
    verdicts: Verdicts
    worth_writing: bool
    problems: tuple[Problem, ...]


def origins(plan: Plan, objects: Objects) -> dict[Key, Provenance]:
    """Trace the definitions of all whose status is written."""
    found: dict[Key, Decided | ClusterObject] = dict(plan.decided)
    found |= {own.object.key: own.object for own in plan.delivery.destinations}
    found |= {key: known for key, known in plan.survey.objects.items() if key.kind != "Destination"}
    seen = plan.survey.seen
    tracer = Tracer(objects, seen.last_source, seen.rewritten)
    return {key: tracer.trace(key, known.effective, known.recorded) for key, known in found.items()}


def record(
    world: World, plan: Plan, traced: Mapping[Key, Provenance], facts: Facts, objects: Objects, render: RenderOverview
) -> NewStatus:
    """Record what was done."""
    record = Record(objects, facts.now)
    verdicts = world.verdicts.after(_works(plan, traced, facts, objects, record))
    others = _others(plan, traced, facts, record)
    problems = in_order(_problems(world, plan, objects))
    scope = overview.scope(verdicts, others, _counts(world, plan), [str(p) for p in problems])
    readme, wrong = render(scope)
    record.write("README.md", readme)
    all_problems = in_order((*problems, *wrong))
    if file := object_status.repository_file(all_problems):
        record.write(memory.REPOSITORY_FILE, file)
    else:
        record.remove(memory.REPOSITORY_FILE)
    worth_writing = bool(verdicts.each or plan.survey.objects or plan.survey.seen.status or problems)
    tree = patch(objects, plan.survey.seen.status, record.files)
    return NewStatus(tree, record, verdicts, worth_writing, tuple(all_problems))


def _works(
    plan: Plan, traced: Mapping[Key, Provenance], facts: Facts, objects: Objects, record: Record
) -> dict[Key, Verdict | None]:
    """Record the Works that were decided, and return how they stand; None has no status any more."""
    deliveries: dict[Key, list[PlacementDelivery]] = {key: [] for key in plan.decided}
    for delivery in plan.delivery.placements:
        deliveries[delivery.work].append(delivery)
    verdicts: dict[Key, Verdict | None] = {}
    folders = memory.folders(objects, plan.survey.seen.status)
    for key, decided in plan.decided.items():
        standing = folders(key)
        with record.folder(memory.work_folder(key.namespace, key.name), standing.oid if standing else None):
            status = work_status.record_work(record, decided, deliveries[key], traced[key], facts)
        verdicts[key] = overview.verdict(status) if status else None
    return verdicts


def _others(plan: Plan, traced: Mapping[Key, Provenance], facts: Facts, record: Record) -> dict[Key, Status]:
    """Record the Destinations that were looked at and the stores, and return how all of them stand."""
    known = plan.survey.objects
    now = {key: found.recorded.status for key, found in known.items()}
    for own in plan.delivery.destinations:
        now[own.object.key] = object_status.record_destination(record, own, traced[own.object.key], facts)
    for key, found in known.items():
        if key.kind != "Destination":
            store = plan.survey.places.stores.get(store_key(key.kind, key.name))
            now[key] = object_status.record_store(record, found, store, traced[key], facts)
    return {key: status for key, status in now.items() if status}


def _problems(world: World, plan: Plan, objects: Objects) -> Iterator[Problem]:
    """List what is wrong and belongs to no object of its own."""
    survey = plan.survey
    yield from (p for p in survey.catalog.problems() if p.key is None or p.key in survey.catalog.by_key)
    asked = survey.catalog.contested | world.verdicts.invalid
    sources = {key: world.works[key].source for key in asked if key in world.works}
    yield from definitions.ignored(survey.catalog, objects, sources | plan.sources)
    yield from survey.seen.settings_problems


def _counts(world: World, plan: Plan) -> dict[str, int]:
    """Count the Works on each Destination, also on one that was removed and left its documents behind."""
    counts = {key.name: world.index.count(key.name) for key in plan.survey.objects if key.kind == "Destination"}
    for key, decided in plan.decided.items():
        states = world.works.get(key), decided.state
        before, after = (state.destinations if state else frozenset[str]() for state in states)
        for name in (before ^ after) & counts.keys():
            counts[name] += 1 if name in after else -1
    return counts
