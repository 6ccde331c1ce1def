"""What is known before any Work is looked at: settings, state stores, Destinations, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from gitops.api.destination import Destination
from gitops.api.settings import Settings
from gitops.api.statestore import GitStateStore
from gitops.core import catalog as catalogs
from gitops.core import definitions, memory, places, urls
from gitops.core.catalog import Advance, Catalog
from gitops.core.keys import Key
from gitops.core.places import Places
from gitops.core.problems import Problem
from gitops.core.recorded import Recorded
from gitops.core.targets import Site, Store, Target, store_key
from gitops.core.tree import Entry, Objects, Oid
from gitops.core.troubles import Troubles, troubles
from gitops.core.world import ClusterObject, World

Before = Callable[[Key, str], Oid | None]
"""Return the source tree as it was before an object was removed from a file; None where that is not known."""


@dataclass(frozen=True)
class Seen:
    """What a pass observed before it decides: the source tree, the remembered `status/` and the settings.

    `last_source` is the source tree that the last pass saw; None where history does not reach back to it, because it is
    cut off there (a shallow clone), or because people have `rewritten` it since. `url` is the repository's own address
    in canonical form, and `protocols` are those by which others may be reached.
    """

    source: Oid | None
    source_branch: str
    status: Oid | None
    settings: Settings = field(default_factory=Settings)
    settings_problems: tuple[Problem, ...] = ()
    last_source: Oid | None = None
    rewritten: bool = False
    url: str = ""
    protocols: frozenset[str] = urls.TRUSTED

    @property
    def home(self) -> str:
        """The branch of the status, and of the embedded store."""
        return self.settings.output.branch or self.source_branch

    @property
    def site(self) -> Site:
        return Site(self.source_branch, self.home, self.url, self.protocols)


@dataclass(frozen=True)
class Survey:
    """Everything that a Work is decided against.

    `advance` is what changed among the definitions, `objects` are the Destinations and state stores with their status,
    `places` is what those come to, and `troubles` what is wrong with definitions.
    """

    seen: Seen
    advance: Advance
    objects: Mapping[Key, ClusterObject]
    places: Places
    troubles: Troubles

    @property
    def catalog(self) -> Catalog:
        return self.advance.catalog

    @property
    def home(self) -> str:
        """The branch of the status, and of the embedded store."""
        return self.seen.home

    def git_stores(self) -> Iterator[tuple[GitStateStore, Store]]:
        """List the GitStateStores in effect: as each is defined, and what that comes to."""
        for key, known in self.objects.items():
            definition = known.effective.manifest and known.effective.manifest.obj
            if isinstance(definition, GitStateStore):
                yield definition, self.places.stores[store_key(key.kind, key.name)]

    @property
    def branches(self) -> frozenset[str]:
        """The branches on which documents stand, here and elsewhere."""
        return frozenset(s.location.branch for s in self.places.stores.values() if s.location) | {self.home}

    @property
    def targets(self) -> Mapping[str, Target]:
        """The Destinations that are defined."""
        return self.places.targets

    def targets_at(self, branch: str, path: str) -> Iterator[Target]:
        """List the writable Destinations in whose directory *path* of *branch* is."""
        for target in self.targets.values():
            if (at := target.writable) and at.branch == branch and target.holds(path):
                yield target


def survey(world: World, objects: Objects, seen: Seen, before: Before = lambda key, file: None) -> Survey:
    """Read the definitions, resolve Destinations and state stores, and find out what is wrong with them.

    Of the definitions only those are read that changed since *world* was left; no Work is decided yet.
    """
    advance = catalogs.advance(world.catalog, objects, seen.source)
    wrong = troubles(advance.catalog, memory.reported(objects, seen.status))
    known = _ClusterObjects(world, advance, objects, wrong, before).read(seen.status)
    return Survey(seen, advance, known, _places(world, seen, known), wrong)


def _places(world: World, seen: Seen, known: Mapping[Key, ClusterObject]) -> Places:
    """Resolve the Destinations and stores, or keep what was resolved when they are all the same."""
    last = world.places
    before = world.surveyed
    same = len(known) == len(before) and all(before.get(key) is found for key, found in known.items())
    if same and last.site == seen.site:
        return last
    definitions = {key: m.obj if (m := o.effective.manifest) else None for key, o in known.items()}
    recorded = {key.name: o.recorded for key, o in known.items() if key.kind == "Destination"}
    kept = frozenset(key.name for key, o in known.items() if key.kind == "Destination" and o.keeps_documents)
    return places.places(seen.site, definitions, recorded, kept, last)


@dataclass(frozen=True)
class _ClusterObjects:
    """Reads the Destinations and stores whose definition or status is not the one that *world* knows."""

    world: World
    advance: Advance
    objects: Objects
    wrong: Troubles
    before: Before

    def read(self, status: Oid | None) -> dict[Key, ClusterObject]:
        """Return all that are defined, or of which *status* still tells."""
        entries = dict(memory.cluster_objects(self.objects, status))
        defined = {key for key in (*self.advance.keys, *self.wrong.of) if key.kind != "Work"}
        keys = sorted(defined | entries.keys() | self.world.objects.keys())
        return {key: found for key in keys if (found := self._read(key, entries.get(key)))}

    def _read(self, key: Key, entry: Entry | None) -> ClusterObject | None:
        known = self.world.objects.get(key)
        if known is None or known.entry != entry:
            known = ClusterObject(key, definitions.NOTHING, memory.cluster_object(self.objects, entry), entry)
        elif not self._is_touched(known):
            return known
        problem = self.wrong.why(key, known.recorded)
        effective = definitions.effective(self.advance.catalog, self.objects, key, known.recorded, problem)
        if effective.removed and not known.recorded.status:
            return None
        is_news = effective.removed and not known.recorded.removed
        policy = self._last_policy(key, known.recorded) if is_news else ""
        return replace(known, effective=effective, last_policy=policy)

    def _is_touched(self, known: ClusterObject) -> bool:
        """Whether its definition may be another now: always, while it is invalid."""
        return bool(known.key in self.advance.keys or known.effective.problem or known.source in self.advance.files)

    def _last_policy(self, key: Key, recorded: Recorded) -> str:
        """Return the policy of the definition that was removed, which may have changed since status was written."""
        source = recorded.text("source")
        root = self.before(key, source) if source else None
        last = definitions.read(self.objects, root, key, recorded) if root else None
        return last[0].obj.spec.cleanup if last and isinstance(last[0].obj, Destination) else ""


def remembered(known: Mapping[Key, ClusterObject], objects: Objects, status: Oid | None) -> dict[Key, ClusterObject]:
    """Return the Destinations and stores with what is remembered of them once the tree *status* has been written."""
    entries = dict(memory.cluster_objects(objects, status))
    return {
        key: found
        if found.entry == (entry := entries.get(key))
        else replace(found, recorded=memory.cluster_object(objects, entry), entry=entry)
        for key, found in known.items()
        if key in entries or not found.effective.removed
    }
