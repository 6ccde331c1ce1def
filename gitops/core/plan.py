"""decide(): from what was seen to what should be, and the edits that lead there. `gitops plan` is this alone.

Only the Works are decided anew whose definition, Destinations, documents or rivals changed since *world* was left.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from gitops.core import claims, layout, memory
from gitops.core.catalog import RESERVED
from gitops.core.delivering import deliver
from gitops.core.delivery import Delivery, Drift
from gitops.core.documents import Render
from gitops.core.failures import Failure
from gitops.core.manifests import Key
from gitops.core.placing import Context, Decided
from gitops.core.recovery import Logged, Traces
from gitops.core.strays import Written
from gitops.core.survey import Survey
from gitops.core.tree import Objects, Oid, diff, subtree
from gitops.core.world import World

_AHEAD = 1000  # Works


class Branch(NamedTuple):
    """An output branch: its tip, the tree that is there now, and the tree that the last pass left (None: not known).

    The last pass may have been another daemon's, or somebody's who says so; `seen` is the tree that *this* daemon saw.
    `logged` is what its log tells of placements; it is asked for only when all status is lost. `lost` tells
    that it is not built on what *this* daemon left: all that stands there is to be looked at. `failure` says why
    nothing can be written there. `writers` tells of files that are nobody's, once the log was asked for them.
    """

    tip: Oid | None
    root: Oid | None
    left: Oid | None
    logged: Logged
    lost: bool
    failure: Failure | None = None
    seen: Oid | None = None
    writers: Mapping[str, Written | None] = MappingProxyType({})

    def refusing(self, failure: Failure, *, lost: bool) -> Branch:
        """Return it as one that nothing can be written to: what differs from what was left there stays as it is."""
        return Branch(self.tip, self.root, None, self.logged, lost, failure)


@dataclass(frozen=True)
class Plan:
    """What a pass will do. `decided` has the Works that were looked at, `deliveries` what is written for them."""

    survey: Survey
    decided: Mapping[Key, Decided]
    delivery: Delivery
    branches: Mapping[str, Branch] = field(default_factory=dict)

    @property
    def failures(self) -> dict[str, Failure]:
        """The branches that nothing can be written to, as was known before."""
        return {name: branch.failure for name, branch in self.branches.items() if branch.failure}

    @property
    def unfinished(self) -> frozenset[Key]:
        """The Works and Destinations of which a next pass must remove documents from a branch that they have left."""
        works = {made.work for made in self.delivery.placements if made.superseded}
        return frozenset(works | {made.object.key for made in self.delivery.destinations if made.superseded})

    @property
    def astray(self) -> frozenset[Key]:
        """The Works that are held back with documents where a Destination was before: nothing else leads to them."""
        return frozenset(made.work for made in self.delivery.placements if made.astray(self.survey.targets))

    @property
    def unseen(self) -> frozenset[str]:
        """Branches of stores that are gone, on which documents still stand: look at them, and decide again."""
        recorded: list[memory.Recorded] = [made.recorded for made in self.delivery.placements if made.recorded.status]
        recorded += [made.object.recorded for made in self.delivery.destinations]
        return frozenset(name for found in recorded for name in found.branches()) - self.branches.keys()

    @property
    def strays(self) -> dict[str, frozenset[str]]:
        """The files that are nobody's, by branch: ask the log who wrote them, and decide again."""
        asked = {name: branch.writers.keys() for name, branch in self.branches.items() if not branch.failure}
        found = {name: paths - asked[name] for name, paths in self.delivery.strays.items() if name in asked}
        return {name: paths for name, paths in found.items() if paths}

    @property
    def unsure(self) -> frozenset[str]:
        """The branches with files of ours of which it is not certain that nobody wants them."""
        found = self.delivery.strays.items()
        return frozenset(name for name, paths in found if any(map(self.branches[name].writers.get, paths)))

    def is_orphan(self, work: Key) -> bool:
        """Whether status alone tells of a Work, and nobody has its definition."""
        state = self.decided[work].state
        return state is not None and state.orphan

    def on(self, branches: Collection[str]) -> frozenset[Key]:
        """Return the Works and Destinations that have or had documents on one of these branches."""
        if not branches:
            return frozenset()
        made = self.delivery.placements
        works = {m.work for m in made if not {m.branch, *m.recorded.superseded()}.isdisjoint(branches)}
        own = self.delivery.destinations
        return frozenset(
            works | {m.object.key for m in own if not {m.branch, *m.object.recorded.superseded()}.isdisjoint(branches)}
        )


def decide(world: World, survey: Survey, branches: Mapping[str, Branch], objects: Objects, renderer: Render) -> Plan:
    """Decide what a pass does. Pure: equal arguments give an equal plan, and nothing is written."""
    roots = {name: branch.root for name, branch in branches.items()}
    traces = Traces(roots, {name: branch.logged for name, branch in branches.items()}, survey.targets, objects)
    context = Context(world, survey, objects, renderer, traces)
    drift = Drift(
        {name: _changed(objects, survey, name, branch.left, branch.root) for name, branch in branches.items()},
        frozenset(name for name, branch in branches.items() if branch.lost),
        {name: _changed(objects, survey, name, branch.seen, branch.root) for name, branch in branches.items()},
        {name: branch.left for name, branch in branches.items()},
    )
    writers = {name: branch.writers for name, branch in branches.items()}
    decided = _closure(context, _dirty(context, drift))
    decided = claims.settle(context, decided)
    return Plan(survey, decided, deliver(context, decided, roots, drift, writers), branches)


def _closure(context: Context, first: Iterable[Key]) -> dict[Key, Decided]:
    """Decide the Works *first*, and all others whose outcome depends on theirs."""
    decided: dict[Key, Decided] = {}
    waiting, expected = sorted(first), 0
    while waiting:
        if len(decided) >= expected:
            expected = len(decided) + _AHEAD
            context.expect(waiting[: -_AHEAD - 1 : -1])
        key = waiting.pop()
        if key in decided:
            continue
        decided[key] = context.decide(key)
        if context.world.seen:
            waiting += claims.affected(context, decided[key]) - decided.keys()
    return dict(sorted(decided.items()))


def _dirty(context: Context, drift: Drift) -> set[Key]:
    world, survey = context.world, context.survey
    if not world.seen:
        defined = {key for key in (*survey.catalog.by_key, *survey.troubles.of) if key.kind == "Work"}
        return defined | set(memory.works(context.objects, survey.seen.status))
    found = {key for key in survey.advance.keys if key.kind == "Work"}
    found |= _in_broken_files(world, survey)
    found |= _status_changed(context.objects, world.status, survey.seen.status)
    found |= {key for name in _rejoined(world, survey) for key in world.index.on(name)}
    found |= _retargeted(world, survey) | {key for key in world.unfinished if key.kind == "Work"}
    found |= {key for name in _on(survey, drift.lost) for key in world.index.on(name)}
    for branch in drift.paths:
        for path in drift.paths[branch] | drift.touched[branch]:
            found |= _owners(world, survey, branch, path)
    return found


def _rejoined(world: World, survey: Survey) -> Iterator[str]:
    """List the aggregated Destinations of whose file status tells other parts than the last pass left."""
    for name, target in survey.targets.items():
        key = Key("Destination", "", name)
        last, known = world.objects.get(key), survey.objects[key]
        changed = last and known is not last and known.recorded.sizes() != last.recorded.sizes()
        if changed and target.mode == layout.AGGREGATED:
            yield name


def _on(survey: Survey, branches: Collection[str]) -> Iterator[str]:
    """List the Destinations that have their documents on one of these branches, or had them there."""
    for key, known in survey.objects.items():
        target = survey.targets.get(key.name)
        own = {known.recorded.branch(survey.seen.home)} | (
            {target.location.branch} if target and target.location else set()
        )
        if key.kind == "Destination" and not own.isdisjoint(branches):
            yield key.name


def _in_broken_files(world: World, survey: Survey) -> set[Key]:
    """Return the Works that unreadable files, now or before this change, may hold, and those that were never read."""
    troubled = {unit.file for unit in world.catalog.troubled.values()}
    files = survey.advance.files & (survey.troubles.files.keys() | troubled)
    invalid = {key for key, verdict in world.verdicts.unready.items() if verdict.category == "Invalid"}
    if files:
        return invalid | {key for key, state in world.works.items() if state.source in files}
    return {key for key in invalid if key not in world.works or world.works[key].orphan}


def _status_changed(objects: Objects, old: Oid | None, new: Oid | None) -> set[Key]:
    """Return the Works whose remembered status is not the one that the last pass left: another daemon was faster."""
    found = set()
    for change in diff(objects, subtree(objects, old, "works"), subtree(objects, new, "works")):
        namespace, name, *_ = (*change.path.split("/"), "", "")
        found.add(Key("Work", namespace, name))
    return found


def _retargeted(world: World, survey: Survey) -> set[Key]:
    """Return the Works that changed Destinations may concern: placed there, or matching now or before."""
    before, after = world.places.targets, survey.targets
    changed = {n for n in before.keys() | after.keys() if before.get(n) != after.get(n)}
    changed |= world.places.kept ^ survey.places.kept
    found = {key for name in changed for key in world.index.on(name)}
    if world.places.matcher is not survey.places.matcher:
        found |= {key for key in world.works if _rematched(world, survey, key)}
    return found


def _rematched(world: World, survey: Survey, key: Key) -> bool:
    state = world.works[key]
    return any(
        (not state.single or group.id in state.unscheduled)
        and world.places.matcher.match(group.selector) != survey.places.matcher.match(group.selector)
        for group in state.groups
    )


def _changed(objects: Objects, survey: Survey, name: str, then: Oid | None, now: Oid | None) -> frozenset[str]:
    """Return the files that changed in the state stores of one branch, since it had the tree *then* (None: unknown)."""
    if then is None or then == now:
        return frozenset()
    return frozenset(_changes(objects, survey, name, then, now))


def _changes(objects: Objects, survey: Survey, name: str, then: Oid, now: Oid | None) -> Iterator[str]:
    stores = {s.location.path for s in survey.places.stores.values() if s.location and s.location.branch == name}
    for path in sorted(stores):
        prefix = f"{path}/" if path else ""
        for change in diff(objects, subtree(objects, then, path), subtree(objects, now, path), prefix):
            if name not in (survey.seen.source_branch, survey.seen.home) or change.path.split("/")[0] not in RESERVED:
                yield change.path


def _owners(world: World, survey: Survey, branch: str, path: str) -> set[Key]:
    """Return the Works to whose placements *path* belongs."""
    found: set[Key] = set()
    for target in survey.targets_at(branch, path):
        if target.mode == layout.AGGREGATED:
            found |= world.index.on(target.name)
            continue
        for token in layout.tokens(target, path):
            found |= {key for key in world.index.holders(token) if target.name in world.works[key].destinations}
    return found
