"""One Work: its groups, where they go, and what each placement wants to deliver there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gitops.api.work import Work
from gitops.core import definitions, documents, layout, memory, scheduling
from gitops.core.definitions import Effective
from gitops.core.documents import Group, Refusal, Render
from gitops.core.manifests import Key
from gitops.core.memory import RecordedPlacement, RecordedWork
from gitops.core.naming import group_id
from gitops.core.ownership import Claim
from gitops.core.recovery import Traces
from gitops.core.scheduling import Assignment
from gitops.core.survey import Survey
from gitops.core.targets import Target
from gitops.core.tree import DIRECTORY, Objects
from gitops.core.world import Placement, WorkState, World


@dataclass(frozen=True)
class Decided:
    """A Work before claims are settled: recorded, the definition in effect, and the new state (None: removed)."""

    key: Key
    recorded: RecordedWork
    effective: Effective
    state: WorkState | None

    def record_of(self, placement: Placement) -> RecordedPlacement:
        """Return what is recorded of a placement; nothing when it is new."""
        return self.recorded.placements.get(placement.name, RecordedPlacement())


@dataclass(frozen=True)
class Context:
    """What deciding a Work needs besides the Work."""

    world: World
    survey: Survey
    objects: Objects
    renderer: Render
    traces: Traces = field(default_factory=Traces)

    def decide(self, key: Key) -> Decided:
        """Decide one Work, as if no other claimed what it claims."""
        recorded = memory.work(self.objects, self.survey.seen.status, key.namespace, key.name)
        problem = self.survey.troubles.why(key, recorded)
        found = definitions.effective(self.survey.catalog, self.objects, key, recorded, problem)
        return Decided(key, recorded, found, self._state(key, recorded, found))

    def _state(self, key: Key, recorded: RecordedWork, found: Effective) -> WorkState | None:
        if found.manifest is None or not isinstance(found.manifest.obj, Work):
            return None
        work = found.manifest.obj
        groups = self._groups(key, found, work)
        schedule = scheduling.schedule(
            key.namespace,
            key.name,
            groups,
            single=bool(work.spec.resource_name),
            existing=self._existing(recorded) if self.survey.seen.status else self._recovered(key, work, groups),
            matcher=self.survey.matcher,
            unready=self.survey.unready,
        )
        by_id = {group.id: group for group in groups}
        placements = tuple(self._placement(work, by_id[a.group], a, recorded) for a in schedule.assignments)
        return WorkState(found.manifest, found.entry, groups, placements, schedule.unscheduled, found.manifest.path)

    def _groups(self, key: Key, found: Effective, work: Work) -> tuple[Group, ...]:
        known = self.world.works.get(key)
        if known and known.entry == found.entry and known.source == (found.manifest and found.manifest.path):
            trees = [g.documents.tree for g in known.groups if g.documents and not g.documents.refusal]
            if all(tree in self.objects for tree in trees) and all(g.documents for g in known.groups):
                return known.groups
        folder = found.entry.oid if found.entry and found.entry.mode == DIRECTORY else None
        return documents.groups(work, folder, self.objects)

    def _existing(self, recorded: RecordedWork) -> dict[str, list[str]]:
        """Return where each group's recorded placements are, less those that are gone with their documents."""
        existing: dict[str, list[str]] = {}
        for placement in recorded.placements.values():
            name = placement.destination
            if name in self.survey.targets or self.survey.cleanup.get(name) == "none":
                existing.setdefault(placement.group, []).append(name)
        return existing

    def _recovered(self, key: Key, work: Work, groups: tuple[Group, ...]) -> dict[str, list[str]]:
        """Return the Destinations on which the documents of each group stand, now that no status tells."""
        return {g.id: self.traces.destinations(key, work, g, self.survey.targets, self.objects) for g in groups}

    def _placement(self, work: Work, group: Group, assignment: Assignment, recorded: RecordedWork) -> Placement:
        name = f"{work.metadata.name}.{assignment.destination}-{group.short}"
        blank = Placement(name, group.id, assignment.destination, assignment.misplaced, "", None, None, Claim())
        target = self.survey.targets.get(assignment.destination)
        if target is None:  # removed, and its policy is to leave the documents behind
            return blank
        root = layout.place(work, group.short, target.mode)
        if target.reason:
            return replace(blank, root=root, refusal=Refusal("WorkloadsFailedWrite", target.message))
        made = documents.render(group, _scope(work, group, target), self.renderer, self.objects)
        if refused := layout.refusal(target, root, made):
            held = holdings(recorded.placements.get(name, RecordedPlacement()), root, target, self.objects)
            return replace(blank, root=root, refusal=refused, claim=held)
        return replace(blank, root=root, documents=made, claim=layout.claim(target, root, made))


def _scope(work: Work, group: Group, target: Target) -> Mapping[str, Any]:
    if group.documents is not None:
        return {}
    directory = next(
        (g.directory for g in work.spec.workload_groups if (g.id or group_id(g.directory)) == group.id), "."
    )
    spec = {"promiseName": work.spec.promise_name, "resourceName": work.spec.resource_name}
    meta = work.metadata
    return {
        "work": {
            "metadata": {
                "name": meta.name,
                "namespace": meta.namespace,
                "labels": dict(meta.labels),
                "annotations": dict(meta.annotations),
            },
            "spec": spec,
        },
        "destination": {
            "metadata": {"name": target.name, "labels": dict(target.labels)},
            "spec": {"path": target.path, "filepath": {"mode": target.mode}},
        },
        "group": {"id": group.id, "directory": directory},
        "values": {**work.spec.values, **target.values},
    }


def holdings(recorded: RecordedPlacement, root: str, target: Target, objects: Objects) -> Claim:
    """Return what a placement at *root* holds from before: its recorded files, and for an agent the objects in them."""
    inventory = recorded.inventory()
    prefix = f"{target.directory}/" if target.directory else ""
    own = [path.removeprefix(prefix) for path in inventory if path.startswith(prefix)]
    if target.mode == layout.NESTED and any(path.startswith(f"{root}/") for path in own):
        own = [root]
    if target.mode == layout.AGGREGATED or not own:
        return Claim()
    claim = layout.path_claim(own, shared_from=2 if target.mode == layout.NESTED else 1)
    if target.agent == "none":
        return claim
    found = tuple((path, oid) for path, oid in inventory.items() if oid in objects)
    made = documents.finish(found, objects)
    return Claim(claim.exclusive | layout.object_claim(made.objects).exclusive, claim.shared)
