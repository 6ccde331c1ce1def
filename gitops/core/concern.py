"""Which Works a change concerns: those whose definition, Destinations, documents or status are not what they were."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from gitops.core import layout, memory
from gitops.core.catalog import RESERVED
from gitops.core.delivery import Drift
from gitops.core.keys import Key
from gitops.core.placing import Context
from gitops.core.survey import Survey
from gitops.core.tree import Objects, Oid, diff, subtree
from gitops.core.world import World


def concerned(context: Context, drift: Drift) -> set[Key]:
    """Return the Works that may come to another outcome than the last pass left, not counting what depends on them."""
    world, survey = context.world, context.survey
    if world.blank:
        defined = {key for key in (*survey.catalog.by_key, *survey.troubles.of) if key.kind == "Work"}
        return defined | set(memory.works(context.objects, survey.seen.status))
    found = {key for key in survey.advance.keys if key.kind == "Work"}
    found |= _in_broken_files(world, survey)
    found |= with_other_status(context.objects, world.status, survey.seen.status)
    found |= _with_other_destinations(world, survey) | {key for key in world.unfinished if key.kind == "Work"}
    for name in (*_with_other_parts(world, survey), *_on(survey, drift.lost)):
        found |= world.index.on(name)
    for branch, touched in drift.touched.items():
        for path in touched:
            found |= _owners(world, survey, branch, path)
    return found


def _with_other_parts(world: World, survey: Survey) -> Iterator[str]:
    """List the Destinations of whose aggregate status tells other parts than the last pass left."""
    for name in survey.targets:
        key = Key("Destination", "", name)
        last, known = world.objects.get(key), survey.objects[key]
        if last and last.entry != known.entry and last.recorded.sizes() != known.recorded.sizes():
            yield name


def _on(survey: Survey, branches: Collection[str]) -> Iterator[str]:
    """List the Destinations that have their documents on one of these branches."""
    for key, known in survey.objects.items():
        if key.kind == "Destination" and known.recorded.branch(survey.home) in branches:
            yield key.name


def _in_broken_files(world: World, survey: Survey) -> frozenset[Key]:
    """Return the Works that unreadable files, now or before this change, may hold, and those that only status knows."""
    troubled = {unit.file for unit in world.catalog.troubled.values()}
    files = survey.advance.files & (survey.troubles.files.keys() | troubled)
    invalid = world.verdicts.invalid
    return invalid if files else frozenset(key for key in invalid if key in world.works and world.works[key].orphan)


def with_other_status(objects: Objects, old: Oid | None, new: Oid | None) -> set[Key]:
    """Return the Works whose status in *new* is another than in *old*, which the last pass left.

    Another daemon was faster, or it is somebody who says that he is one.
    """
    found = set()
    for change in diff(objects, subtree(objects, old, "works"), subtree(objects, new, "works")):
        namespace, name, *_ = (*change.path.split("/"), "")
        found.add(Key("Work", namespace, name))
    return found


def _with_other_destinations(world: World, survey: Survey) -> set[Key]:
    """Return the Works that changed Destinations may concern: placed there, or matching now or before."""
    before, after = world.places.targets, survey.targets
    changed = {n for n in before.keys() | after.keys() if before.get(n) != after.get(n)}
    changed |= world.places.kept ^ survey.places.kept
    found = {key for name in changed for key in world.index.on(name)}
    if world.places.matcher is not survey.places.matcher:
        found |= {key for key in world.works if _matches_otherwise(world, survey, key)}
    return found


def _matches_otherwise(world: World, survey: Survey, key: Key) -> bool:
    state = world.works[key]
    return any(
        (not state.outline.single or group.id in state.unscheduled)
        and world.places.matcher.match(group.selector) != survey.places.matcher.match(group.selector)
        for group in state.groups
    )


def changed(objects: Objects, survey: Survey, name: str, then: Oid | None, now: Oid | None) -> frozenset[str]:
    """Return the files that changed in the state stores of one branch, since it had the tree *then* (None: unknown)."""
    if then is None or then == now:
        return frozenset()
    return frozenset(_changes(objects, survey, name, then, now))


def _changes(objects: Objects, survey: Survey, name: str, then: Oid, now: Oid | None) -> Iterator[str]:
    stores = {s.location.path for s in survey.places.stores.values() if s.location and s.location.branch == name}
    for path in sorted(stores):
        prefix = f"{path}/" if path else ""
        for change in diff(objects, subtree(objects, then, path), subtree(objects, now, path), prefix):
            if name not in (survey.seen.source_branch, survey.home) or change.path.split("/")[0] not in RESERVED:
                yield change.path


def _owners(world: World, survey: Survey, branch: str, path: str) -> set[Key]:
    """Return the Works to whose placements *path* belongs."""
    found: set[Key] = set()
    for target in survey.targets_at(branch, path):
        if target.aggregate:
            found |= world.index.on(target.name)
            continue
        for token in layout.tokens(target, path):
            found |= {key for key in world.index.holders(token) if target.name in world.works[key].destinations}
    return found
