"""What is known before any Work is looked at: settings, state stores, Destinations, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from gitops.api.destination import Destination
from gitops.api.settings import Settings
from gitops.api.statestore import BucketStateStore, GitStateStore
from gitops.core import catalog as catalogs
from gitops.core import definitions, memory, targets
from gitops.core.catalog import Advance, Catalog
from gitops.core.manifests import Key, Problem
from gitops.core.selectors import Matcher
from gitops.core.targets import Store, Target
from gitops.core.tree import Objects, Oid
from gitops.core.troubles import Troubles, troubles
from gitops.core.world import Object, World


@dataclass(frozen=True)
class Seen:
    """What a pass observed before it decides: the source tree, the remembered `status/` and the settings.

    `last_source` is the source tree of the last pass; None where history does not reach it.
    """

    source: Oid | None
    source_branch: str
    status: Oid | None
    settings: Settings = field(default_factory=Settings)
    settings_problems: tuple[Problem, ...] = ()
    last_source: Oid | None = None

    @property
    def home(self) -> str:
        """The branch of the status, and of the embedded store."""
        return self.settings.output.branch or self.source_branch


@dataclass(frozen=True)
class Survey:
    """Everything that Works are decided against."""

    seen: Seen
    advance: Advance
    objects: Mapping[Key, Object]
    stores: Mapping[str, Store]
    targets: Mapping[str, Target]
    matcher: Matcher
    unready: frozenset[str]
    cleanup: Mapping[str, str]
    troubles: Troubles

    @property
    def catalog(self) -> Catalog:
        return self.advance.catalog

    @property
    def branches(self) -> frozenset[str]:
        """The branches of this repository on which documents stand."""
        return frozenset(s.location.branch for s in self.stores.values() if s.location) | {self.seen.home}

    def targets_at(self, branch: str, path: str) -> Iterator[Target]:
        """List the usable Destinations in whose directory *path* of *branch* is."""
        for target in self.targets.values():
            usable = target.location and not target.reason and target.location.branch == branch
            if usable and (not target.directory or path.startswith(f"{target.directory}/")):
                yield target


def survey(world: World, objects: Objects, seen: Seen) -> Survey:
    """Look at all but the Works."""
    advance = catalogs.advance(world.catalog, objects, seen.source)
    found_wrong = troubles(advance.catalog, memory.told(objects, seen.status))
    known = _cluster_objects(world, advance, objects, seen.status, found_wrong)
    stores = _stores(known.values(), seen.home)
    recorded = {key.name: o.recorded for key, o in known.items() if key.kind == "Destination"}
    found = targets.resolve(
        (
            o.effective.manifest.obj
            for o in known.values()
            if o.effective.manifest and isinstance(o.effective.manifest.obj, Destination)
        ),
        stores,
        {name: r.text("path") for name, r in recorded.items()},
        {seen.source_branch, seen.home},
    )
    same = _labels(found) == _labels(world.targets)
    return Survey(
        seen, advance, known, stores, found,
        world.matcher if same and world.seen else Matcher(found.values()),
        frozenset(name for name, r in recorded.items() if r.status and r.status.ready is False),
        {name: r.text("cleanup") for name, r in recorded.items()},
        found_wrong,
    )  # fmt: skip


def _labels(found: Mapping[str, Target]) -> list[tuple[str, Mapping[str, str], bool]]:
    return [(t.name, t.labels, t.strict) for t in found.values()]


def _cluster_objects(
    world: World,
    advance: Advance,
    objects: Objects,
    status: Oid | None,
    found_wrong: Troubles,
) -> dict[Key, Object]:
    """Read the Destinations and stores whose definition or status is not the one that *world* knows."""
    entries = dict(memory.cluster_objects(objects, status))
    defined = {key for key in (*advance.keys, *found_wrong.of) if key.kind != "Work"}
    found: dict[Key, Object] = {}
    for key in sorted(defined | entries.keys() | world.objects.keys()):
        known = world.objects.get(key)
        if known is None or known.entry != entries.get(key):
            known = Object(key, definitions.NOTHING, memory.cluster_object(objects, entries.get(key)), entries.get(key))
        elif key not in advance.keys and not known.effective.problem and known.source not in advance.files:
            found[key] = known
            continue
        problem = found_wrong.why(key, known.recorded)
        effective = definitions.effective(advance.catalog, objects, key, known.recorded, problem)
        if known.recorded.status or not effective.removed:
            found[key] = replace(known, effective=effective)
    return found


def remembered(known: Mapping[Key, Object], objects: Objects, status: Oid | None) -> dict[Key, Object]:
    """Return the Destinations and stores with what is remembered of them once the tree *status* has been written."""
    entries = dict(memory.cluster_objects(objects, status))
    return {
        key: found
        if found.entry == (entry := entries.get(key))
        else replace(found, recorded=memory.cluster_object(objects, entry), entry=entry)
        for key, found in known.items()
        if key in entries or not found.effective.removed
    }


def _stores(known: Iterable[Object], home: str) -> dict[str, Store]:
    found = [targets.embedded(home)]
    for known_object in known:
        store = known_object.effective.manifest and known_object.effective.manifest.obj
        if isinstance(store, GitStateStore):
            found.append(targets.git_store(store))
        elif isinstance(store, BucketStateStore):
            found.append(targets.bucket_store(store))
    return {store.key: store for store in found}
