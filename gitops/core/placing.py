"""One Work: its groups, where they go, and what each placement wants to deliver there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from gitops.api.destination import NESTED
from gitops.core import catalog as catalogs
from gitops.core import definitions, documents, memory, scheduling
from gitops.core.definitions import InEffect, Unread
from gitops.core.documents import Group, Refusal, Render
from gitops.core.keys import Key
from gitops.core.offers import Offers, holdings
from gitops.core.outline import Outline, outline
from gitops.core.parts import Parts, part_name
from gitops.core.recorded import RecordedPlacement, RecordedWork
from gitops.core.recovery import Traces
from gitops.core.scheduling import Assignment
from gitops.core.survey import Survey
from gitops.core.tree import Entry, Objects, Oid
from gitops.core.world import Offer, Placement, WorkState, World


@dataclass(frozen=True)
class Decided:
    """A Work, decided: what status remembers of it, the definition in effect, and its new state (None: removed).

    `before` are the placements that the last pass of this daemon left, by name. They are known only while the status is
    the one that it left, too, and the definition the one that it saw: otherwise status has to be read.
    """

    key: Key
    recorded: RecordedWork
    effective: InEffect
    state: WorkState | None
    before: Mapping[str, Placement] = field(default_factory=dict)

    @property
    def orphan(self) -> bool:
        """Whether status alone tells of its placements, and nobody has a good definition of it."""
        return self.state is not None and self.state.orphan


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
        folder, before = now(key), self._before(key)
        for file, entry in (self.objects.tree(folder.oid) if folder and folder.is_tree else {}).items():
            if file == memory.WORK_FILE or not before:
                yield entry.oid
        known = self._known(key)
        if known and all(group.documents for group in known.groups):
            return
        for path in catalog.by_key.get(key, ()):
            if path not in catalog.fresh and not catalog.units[path].entry.is_tree:
                yield catalog.units[path].entry.oid

    def decide(self, key: Key) -> Decided:
        """Decide one Work, as if no other claimed what it claims."""
        before, (_, now) = self._before(key), self._folders
        folder = now(key)
        if before and folder:
            recorded = memory.work_of(self.objects, folder.oid, before)
        else:
            recorded = memory.work(self.objects, self.survey.seen.status, key.namespace, key.name)
        found = self._effective(key, recorded)
        return Decided(key, recorded, found, self._state(key, recorded, found, before), before)

    def _before(self, key: Key) -> dict[str, Placement]:
        """Return the placements that the last pass left of a Work, unless something else of it changed since then."""
        state, (then, now) = self._known(key), self._folders
        if state is None or key in self.world.unfinished or then(key) != now(key):
            return {}
        return {placement.name: placement for placement in state.placements}

    def _known(self, key: Key) -> WorkState | None:
        """Return what the last pass made of a Work, if its definition is still the same, and the only one."""
        state, catalog = self.world.works.get(key), self.survey.catalog
        if state is None or catalog.count(key) != 1:
            return None
        unit = catalog.units.get(catalogs.unit_path(state.source))
        return state if unit and unit.entry == state.entry else None

    def _effective(self, key: Key, recorded: RecordedWork) -> InEffect:
        """Return the definition in effect, which is read only if it may be another than it was."""
        known, catalog = self._known(key), self.survey.catalog
        if known and known.entry:
            return Unread(key, known.source, known.entry, catalog, self.objects)
        problem = self.survey.troubles.why(key, recorded)
        return definitions.effective(catalog, self.objects, key, recorded, problem)

    @cached_property
    def parts(self) -> Parts:
        """The parts of aggregates, as the last pass left them."""
        return Parts(self.survey, self.objects)

    @cached_property
    def _folders(self) -> tuple[Callable[[Key], Entry | None], Callable[[Key], Entry | None]]:
        """What tells the status folder of a Work: the one that the last pass saw or left, and the present one."""
        then, now = self.world.status, self.survey.seen.status
        return memory.folders(self.objects, then), memory.folders(self.objects, now)

    def _state(
        self, key: Key, recorded: RecordedWork, found: InEffect, before: Mapping[str, Placement]
    ) -> WorkState | None:
        if found.entry is None:
            return self._orphaned(key, recorded) if found.problem and recorded.placements else None
        work, groups = self._read(key, found, found.entry)
        is_known = self.survey.seen.status is not None
        existing = self._existing(recorded, before) if is_known else self._recovered(key, work, groups)
        places = self.survey.places
        schedule = scheduling.schedule(work, groups, existing, places.matcher, places.unready)
        offers = Offers(work, found, recorded, self.renderer, self.objects, self.parts)
        placements = tuple(self._placements(work, groups, schedule.assignments, offers))
        if offers.costly:  # for all, also for those that came before it showed
            placements = tuple(self._placements(work, groups, schedule.assignments, offers))
        return WorkState(work, found.entry, groups, placements, schedule.unscheduled, found.source)

    def _orphaned(self, key: Key, recorded: RecordedWork) -> WorkState:
        """Return a Work of which status alone still tells: it keeps what it has, also from others."""
        some, labels = next(iter(recorded.placements.values())), recorded.status.labels if recorded.status else {}
        places = self.survey.places
        placements = tuple(
            self._kept(key, name, known)
            for name, known in sorted(recorded.placements.items())
            if known.destination in places.targets or known.destination in places.kept
        )
        told = Outline(key.name, key.namespace, labels, some.promise, some.resource)
        return WorkState(told, None, (), placements, (), recorded.text("source"))

    def _kept(self, key: Key, name: str, recorded: RecordedPlacement) -> Placement:
        target = self.survey.targets.get(recorded.destination)
        if target is None:
            return Placement(name, recorded.group, recorded.destination, True, Offer())
        refusal = Refusal("WorkloadsFailedWrite", target.message) if target.reason else None
        own = part_name(key.namespace, name)
        offer = Offer("", None, refusal, holdings(own, recorded, "", target, self.parts, self.objects))
        return Placement(name, recorded.group, recorded.destination, recorded.misplaced, offer)

    def _read(self, key: Key, found: InEffect, entry: Entry) -> tuple[Outline, tuple[Group, ...]]:
        """Return the Work in effect, which stands in *entry*, and its groups. Documents that stand are not read."""
        known = self.world.works.get(key)
        if known and known.entry == entry and self._stand(known):
            return known.outline, known.groups
        work = definitions.work(found)
        return outline(work), documents.groups(work, entry.oid if entry.is_tree else None, self.objects)

    def _stand(self, known: WorkState) -> bool:
        """Whether the documents of all groups are in the repository as trees, the way nested Destinations have them.

        Only of such trees that is asked: to find out that an object is not there, all packs are opened anew.
        """
        found = [(group.documents, [p for p in known.placements if p.group == group.id]) for group in known.groups]
        return all(
            made and (made.refusal or (any(map(self._is_nested, placed)) and made.tree in self.objects))
            for made, placed in found
        )

    def _is_nested(self, placement: Placement) -> bool:
        target = self.survey.targets.get(placement.destination)
        return target is not None and target.mode == NESTED and placement.offer.documents is not None

    def _existing(self, recorded: RecordedWork, before: Mapping[str, Placement]) -> dict[str, list[str]]:
        """Return where each group's recorded placements are, less those that are gone with their documents."""
        existing: dict[str, list[str]] = {}
        targets, kept = self.survey.targets, self.survey.places.kept
        for placement in before.values() or recorded.placements.values():
            name = placement.destination
            if name in targets or name in kept:
                existing.setdefault(placement.group, []).append(name)
        return existing

    def _recovered(self, key: Key, work: Outline, groups: tuple[Group, ...]) -> dict[str, list[str]]:
        """Return the Destinations on which the documents of each group stand, now that no status tells."""
        return {g.id: self.traces.destinations(key, work, g) for g in groups}

    def _placements(
        self, work: Outline, groups: tuple[Group, ...], assignments: Iterable[Assignment], offers: Offers
    ) -> Iterator[Placement]:
        by_id, targets = {group.id: group for group in groups}, self.survey.targets
        for own, destination, misplaced in assignments:
            group, target = by_id[own], targets.get(destination)
            name = f"{work.name}.{destination}-{group.short}"
            # A Destination that was removed, with the policy to leave the documents behind, has no target.
            offer = offers.of(group, target, name) if target else Offer()
            yield Placement(name, own, destination, misplaced, offer)
