"""One Work: its groups, where they go, and what each placement wants to deliver there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gitops.api.work import Work
from gitops.core import definitions, documents, memory, scheduling
from gitops.core.definitions import Effective
from gitops.core.documents import Group, Render
from gitops.core.manifests import Key
from gitops.core.memory import RecordedPlacement, RecordedWork
from gitops.core.offers import Offers
from gitops.core.recovery import Traces
from gitops.core.scheduling import Assignment
from gitops.core.survey import Survey
from gitops.core.tree import DIRECTORY, Objects
from gitops.core.world import Offer, Placement, WorkState, World

_NEW = RecordedPlacement()


@dataclass(frozen=True)
class Decided:
    """A Work before claims are settled: recorded, the definition in effect, and the new state (None: removed)."""

    key: Key
    recorded: RecordedWork
    effective: Effective
    state: WorkState | None

    @property
    def work(self) -> Work:
        """The definition in effect. Only of a Work that has a state."""
        assert self.effective.manifest
        assert isinstance(self.effective.manifest.obj, Work)
        return self.effective.manifest.obj

    def record_of(self, placement: Placement) -> RecordedPlacement:
        """Return what is recorded of a placement; nothing when it is new."""
        return self.recorded.placements.get(placement.name, _NEW)


@dataclass(frozen=True)
class Context:
    """What deciding a Work needs besides the Work."""

    world: World
    survey: Survey
    objects: Objects
    renderer: Render
    traces: Traces

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
        single, groups = bool(work.spec.resource_name), self._groups(key, found, work)
        schedule = scheduling.schedule(
            key.namespace,
            key.name,
            groups,
            single=single,
            existing=self._existing(recorded) if self.survey.seen.status else self._recovered(key, work, groups),
            matcher=self.survey.places.matcher,
            unready=self.survey.places.unready,
        )
        placements = tuple(self._placements(work, groups, schedule.assignments, recorded))
        return WorkState(single, found.entry, groups, placements, schedule.unscheduled, found.manifest.path)

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
            if name in self.survey.targets or self.survey.places.cleanup.get(name) == "none":
                existing.setdefault(placement.group, []).append(name)
        return existing

    def _recovered(self, key: Key, work: Work, groups: tuple[Group, ...]) -> dict[str, list[str]]:
        """Return the Destinations on which the documents of each group stand, now that no status tells."""
        return {g.id: self.traces.destinations(key, work, g) for g in groups}

    def _placements(
        self, work: Work, groups: tuple[Group, ...], assignments: Iterable[Assignment], recorded: RecordedWork
    ) -> Iterator[Placement]:
        offers = Offers(work, recorded, self.renderer, self.objects)
        by_id = {group.id: group for group in groups}
        for own, destination, misplaced in assignments:
            group, target = by_id[own], self.survey.targets.get(destination)
            name = f"{work.metadata.name}.{destination}-{group.short}"
            # A Destination that was removed, with the policy to leave the documents behind, has no target.
            offer = offers.of(group, target, name) if target else Offer()
            yield Placement(name, own, destination, misplaced, offer)
