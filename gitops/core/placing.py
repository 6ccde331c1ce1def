"""One Work: its groups, where they go, and what each placement wants to deliver there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from gitops.api.work import Work
from gitops.core import catalog as catalogs
from gitops.core import definitions, documents, memory, scheduling
from gitops.core.definitions import Effective
from gitops.core.documents import Group, Render
from gitops.core.manifests import Key
from gitops.core.memory import RecordedPlacement, RecordedWork
from gitops.core.offers import Offers
from gitops.core.recovery import Traces
from gitops.core.scheduling import Assignment
from gitops.core.survey import Survey
from gitops.core.tree import DIRECTORY, Entry, Objects, Oid
from gitops.core.world import Offer, Placement, WorkState, World

_NEW = RecordedPlacement()


@dataclass(frozen=True)
class Decided:
    """A Work before claims are settled: recorded, the definition in effect, and the new state (None: removed).

    `before` are the placements that the last pass of this daemon left, by name: known only when nothing else of the
    Work has changed since, neither its definition nor its status.
    """

    key: Key
    recorded: RecordedWork
    effective: Effective
    state: WorkState | None
    before: Mapping[str, Placement] = field(default_factory=dict)

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

    def expect(self, keys: Sequence[Key]) -> None:
        """Make ready to decide these Works, in this order. It only makes that faster."""
        _, now = self._folders
        self.objects.expect([folder.oid for key in keys if (folder := now(key)) and folder.is_tree])
        self.objects.expect([oid for key in keys for oid in self._wanted(key)])

    def _wanted(self, key: Key) -> Iterator[Oid]:
        """List what is read to decide a Work: its status, and its definition."""
        (_, now), catalog = self._folders, self.survey.catalog
        folder = now(key)
        for file, entry in (self.objects.tree(folder.oid) if folder and folder.is_tree else {}).items():
            if file == memory.WORK_FILE or key not in self.world.works:
                yield entry.oid
        for path in catalog.by_key.get(key, ()):
            if path not in catalog.fresh and not catalog.units[path].entry.is_tree:
                yield catalog.units[path].entry.oid

    def decide(self, key: Key) -> Decided:
        """Decide one Work, as if no other claimed what it claims."""
        before, (_, now) = self._left(key), self._folders
        folder = now(key)
        if before and folder:
            recorded = memory.work_of(self.objects, folder.oid, before)
        else:
            recorded = memory.work(self.objects, self.survey.seen.status, key.namespace, key.name)
        problem = self.survey.troubles.why(key, recorded)
        found = definitions.effective(self.survey.catalog, self.objects, key, recorded, problem)
        return Decided(key, recorded, found, self._state(key, recorded, found, before), before)

    def _left(self, key: Key) -> dict[str, Placement]:
        """Return the placements that the last pass left of a Work, unless something else of it changed since then."""
        state, (then, now) = self.world.works.get(key), self._folders
        if state is None or key in self.world.unfinished or now(key) is None or then(key) != now(key):
            return {}
        path = catalogs.unit_path(state.source)
        unit, catalog = self.survey.catalog.units.get(path), self.survey.catalog
        same = unit and unit.entry == state.entry and not unit.problems
        alone = catalog.by_key.get(key) == (path,) and catalog.count(key) == 1
        return {placement.name: placement for placement in state.placements} if same and alone else {}

    @cached_property
    def _folders(self) -> tuple[Callable[[Key], Entry | None], Callable[[Key], Entry | None]]:
        """What tells the status folder of a Work: the one that the last pass saw or left, and the present one."""
        then, now = self.world.status, self.survey.seen.status
        return memory.folders(self.objects, then), memory.folders(self.objects, now)

    def _state(
        self, key: Key, recorded: RecordedWork, found: Effective, before: Mapping[str, Placement]
    ) -> WorkState | None:
        if found.manifest is None or not isinstance(found.manifest.obj, Work):
            return None
        work = found.manifest.obj
        single, groups = bool(work.spec.resource_name), self._groups(key, found, work)
        is_known = self.survey.seen.status is not None
        existing = self._existing(recorded, before) if is_known else self._recovered(key, work, groups)
        schedule = scheduling.schedule(
            key.namespace,
            key.name,
            groups,
            single=single,
            existing=existing,
            matcher=self.survey.places.matcher,
            unready=self.survey.places.unready,
        )
        offers = Offers(work, recorded, self.renderer, self.objects)
        placements = tuple(self._placements(work, groups, schedule.assignments, offers))
        if offers.refused:  # for all, also for those that came before it showed
            placements = tuple(self._placements(work, groups, schedule.assignments, offers))
        return WorkState(single, found.entry, groups, placements, schedule.unscheduled, found.manifest.path)

    def _groups(self, key: Key, found: Effective, work: Work) -> tuple[Group, ...]:
        known = self.world.works.get(key)
        if known and known.entry == found.entry and known.source == (found.manifest and found.manifest.path):
            trees = [g.documents.tree for g in known.groups if g.documents and not g.documents.refusal]
            if all(tree in self.objects for tree in trees) and all(g.documents for g in known.groups):
                return known.groups
        folder = found.entry.oid if found.entry and found.entry.mode == DIRECTORY else None
        return documents.groups(work, folder, self.objects)

    def _existing(self, recorded: RecordedWork, before: Mapping[str, Placement]) -> dict[str, list[str]]:
        """Return where each group's recorded placements are, less those that are gone with their documents."""
        existing: dict[str, list[str]] = {}
        for placement in before.values() or recorded.placements.values():
            name = placement.destination
            if name in self.survey.targets or name in self.survey.places.kept:
                existing.setdefault(placement.group, []).append(name)
        return existing

    def _recovered(self, key: Key, work: Work, groups: tuple[Group, ...]) -> dict[str, list[str]]:
        """Return the Destinations on which the documents of each group stand, now that no status tells."""
        return {g.id: self.traces.destinations(key, work, g) for g in groups}

    def _placements(
        self, work: Work, groups: tuple[Group, ...], assignments: Iterable[Assignment], offers: Offers
    ) -> Iterator[Placement]:
        by_id = {group.id: group for group in groups}
        for own, destination, misplaced in assignments:
            group, target = by_id[own], self.survey.targets.get(destination)
            name = f"{work.metadata.name}.{destination}-{group.short}"
            # A Destination that was removed, with the policy to leave the documents behind, has no target.
            offer = offers.of(group, target, name) if target else Offer()
            yield Placement(name, own, destination, misplaced, offer)
