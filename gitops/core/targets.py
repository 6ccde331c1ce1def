"""Destinations and state stores as placements see them: where documents go, and whether they can.

A Destination whose place overlaps another's, or whose store is missing, keeps its placements but gets no documents.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

from gitops.api.destination import AGGREGATED, Agent, Destination
from gitops.api.statestore import BucketStateStore, GitStateStore
from gitops.core import paths, urls
from gitops.core.catalog import RESERVED, STATUS

EMBEDDED = "embedded"
STATE = "state"


class Site(NamedTuple):
    """The repository that drives everything: the branches of definitions (*source*) and of status (*home*).

    *url* is its own address in canonical form, empty where it has none; *protocols* are those that stores may use.
    """

    source: str = ""
    home: str = ""
    url: str = ""
    protocols: frozenset[str] = urls.TRUSTED


class Location(NamedTuple):
    """A branch, and the directory in it below which a store's documents stand.

    A branch of another repository has a name of `urls.branch_at`, all others are branches of this one.
    """

    branch: str
    path: str


@dataclass(frozen=True, slots=True)
class Store:
    """A state store. `reason` and `message` say why it cannot be written, as the condition Ready does."""

    key: str
    location: Location | None
    reason: str = ""
    message: str = ""


@dataclass(frozen=True)
class Target:
    """A Destination, resolved. `directory` is where its documents stand in `location.branch`.

    `reason` and `message` say why nothing can be written there; they are the Destination's condition Ready.
    """

    name: str
    labels: Mapping[str, str]
    strict: bool
    store: str
    location: Location | None
    directory: str
    mode: str
    filename: str
    agent: Agent
    canary: bool
    cleanup: str
    values: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    message: str = ""

    @property
    def writable(self) -> Location | None:
        """Where documents can be written; None while none can, as `reason` says."""
        return None if self.reason else self.location

    def holds(self, path: str) -> bool:
        """Whether *path*, a file of the branch, is in its directory."""
        return not self.directory or path.startswith(f"{self.directory}/")

    def relative(self, path: str) -> str:
        """Return *path*, a file of the branch, as it is named from its directory."""
        return path.removeprefix(f"{self.directory}/") if self.directory else path

    @property
    def aggregate(self) -> str | None:
        """The one file of all its documents, in the branch; None in the modes in which each has its own."""
        return paths.join(self.directory, self.filename) if self.mode == AGGREGATED else None

    @property
    def path(self) -> str:
        """The directory below the store's path; "." for the store's root."""
        return self.directory.removeprefix(self.location.path if self.location else "").strip("/") or "."

    @property
    def layout(self) -> tuple[object, ...]:
        """All that decides where documents stand: when it changes, they move."""
        return (self.location, self.directory, self.mode, self.filename if self.aggregate else "")

    @cached_property
    def traits(self) -> tuple[object, ...]:
        """What tells apart Destinations that get the same documents, untemplated, or are refused them.

        Of its directory, which is safe by itself, the length and depth decide whether a path below it is.
        """
        size, depth = len(self.directory.encode()), self.directory.count("/")
        return (self.mode, self.filename, self.agent, self.reason, size, depth)


def embedded(branch: str) -> Store:
    """Return the store of a Destination without `stateStoreRef`: the output branch, below `state/`."""
    return Store(EMBEDDED, Location(branch, STATE))


def git_store(store: GitStateStore, site: Site) -> Store:
    """Resolve a GitStateStore; one with a `url` that is not that of *site* is in another repository."""
    key, spec = store_key(store.kind, store.metadata.name), store.spec
    if problem := _unusable(store, site):
        return Store(key, None, "ErrorInitialisingWriter", f"unable to create git writer: {problem}")
    elsewhere = spec.url and urls.canonical(spec.url) != site.url
    branch = urls.branch_at(spec.url, spec.branch) if elsewhere else spec.branch
    return Store(key, Location(branch, paths.directory(spec.path)))


def _unusable(store: GitStateStore, site: Site) -> str | None:
    spec = store.spec
    try:
        paths.directory(spec.path)
    except ValueError as error:
        return f"spec.path: {error}"
    if spec.url and (problem := urls.problem(spec.url, site.protocols)):
        return f"spec.url: {problem}"
    if spec.url and spec.auth_method != "basicAuth" and spec.secret_ref is None:
        return f"spec.secretRef is needed for authMethod {spec.auth_method}"
    return None


def bucket_store(store: BucketStateStore) -> Store:
    """Resolve a BucketStateStore."""
    key = store_key(store.kind, store.metadata.name)
    return Store(key, None, "ErrorInitialisingWriter", "unable to create bucket writer: buckets are not supported")


def store_key(kind: str, name: str) -> str:
    """Return the name of a store object, as messages and status have it."""
    return f"{kind}/{name}"


def resolve(
    destinations: Iterable[Destination],
    stores: Mapping[str, Store],
    recorded: Mapping[str, str],
    reserved: Collection[str],
) -> dict[str, Target]:
    """Resolve all Destinations. *recorded* maps names to the directory that each had at the last pass.

    On the branches *reserved* nobody may write among definitions and status. Of two that overlap the one whose place is
    recorded keeps it, then the one whose name sorts first.
    """
    found = {t.name: t for t in sorted((_target(d, stores) for d in destinations), key=lambda t: t.name)}
    taken: dict[str, _Taken] = {}
    refused: list[tuple[Target, _Taken]] = []
    for target in sorted(found.values(), key=lambda t: recorded.get(t.name) != t.directory):
        if target.location and not target.reason:
            branch = target.location.branch
            place = taken.setdefault(branch, _taken(branch, stores, reserved))
            if not place.claim(target):
                refused.append((target, place))
    # Who is named may not depend on who came first: the next pass has another order.
    return found | {target.name: _overlapping(target, place.owner(target)) for target, place in refused}


def _target(destination: Destination, stores: Mapping[str, Store]) -> Target:
    spec = destination.spec
    key = store_key(spec.state_store_ref.kind, spec.state_store_ref.name) if spec.state_store_ref else EMBEDDED
    store, reason, message, directory = stores.get(key), "", "", ""
    if store is None:
        reason, message = "StateStoreNotFound", f"{key}: not found"
    elif store.location is None:
        reason, message = "StateStoreNotReady", f"{key}: not ready"
    else:
        directory = paths.join(store.location.path, paths.directory(destination.path))
    return Target(
        name=destination.metadata.name,
        labels=destination.metadata.labels,
        strict=spec.strict_match_labels,
        store=key,
        location=store.location if store else None,
        directory=directory,
        mode=spec.filepath.mode,
        filename=spec.filepath.filename,
        agent=destination.agent,
        canary=spec.init_workloads.enabled,
        cleanup=spec.cleanup,
        values=spec.values,
        reason=reason,
        message=message,
    )


def _taken(branch: str, stores: Mapping[str, Store], reserved: Collection[str]) -> _Taken:
    if branch not in reserved:
        return _Taken((), "")
    output = stores[EMBEDDED].location
    only_status = len(reserved) > 1 and output is not None and output.branch == branch
    return _Taken(RESERVED, STATUS if only_status else "the definitions")


class _Taken:
    """The directories of one branch that have an owner: *reserved* ones, and those of Destinations that do not overlap.

    *root* is what else the whole branch would overlap; empty when nothing.
    """

    def __init__(self, reserved: Sequence[str], root: str) -> None:
        self._reserved = {paths.fold(name): name for name in reserved} | ({"": root} if root else {})
        self._at: dict[str, str] = {}
        self._below: dict[str, str] = {}

    def claim(self, target: Target) -> bool:
        """Give *target* its directory, unless that overlaps one that has an owner."""
        if self.owner(target):
            return False
        own = paths.fold(target.directory)
        self._at[own] = target.name
        for above in (*paths.directories_above(own), ""):
            self._below[above] = min(target.name, self._below.get(above, target.name))
        return True

    def owner(self, target: Target) -> str:
        """Return whose place *target* overlaps, of several Destinations the first by name; empty when nobody's."""
        own = paths.fold(target.directory)
        top = own.partition("/")[0]
        if top.startswith("."):
            return f"{target.directory.partition('/')[0]} of this repository"
        if top in self._reserved:
            return f"{self._reserved[top]} of this repository"
        around = (self._at[at] for at in (own, *paths.directories_above(own), "") if at in self._at)
        name = next(around, self._below.get(own, ""))
        return f"Destination {name}" if name else ""


def _overlapping(target: Target, owner: str) -> Target:
    return replace(target, reason="PathOverlap", message=f"path {target.directory or '/'} overlaps {owner}")
