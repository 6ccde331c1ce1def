"""Destinations and state stores as placements see them: where documents go, and whether they can.

A Destination whose place overlaps another's, or whose store is missing, keeps its placements but gets no documents.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

from gitops.api.destination import AGGREGATED, Agent, Destination
from gitops.api.statestore import BucketStateStore, GitStateStore
from gitops.core import ownership, paths, urls
from gitops.core.catalog import RESERVED, STATUS
from gitops.core.ownership import Claim, Claimant, Owner

EMBEDDED = "embedded"
STATE = "state"
_REPOSITORY, _DESTINATION = "", "Destination"  # of the owners of places; in this order they are named


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
    recorded: Mapping[str, Location],
    reserved: Collection[str],
) -> dict[str, Target]:
    """Resolve all Destinations. *recorded* maps names to the place that each had at the last pass.

    On the branches *reserved* nobody may write among definitions and status. Of two that overlap the one whose place is
    recorded keeps it, then the one whose name sorts first. One that has to wait keeps the place that it had.
    """
    found = {t.name: t for t in sorted((_target(d, stores) for d in destinations), key=lambda t: t.name)}
    claimants = [_claimant(target, recorded.get(target.name)) for target in found.values()]
    lost = ownership.resolve(claimants, _reserved(stores, reserved))
    refused = {name: _overlapping(found[name], conflict.owner) for (_, name), conflict in lost.items()}
    return found | {name: target for name, target in refused.items() if found[name].writable}


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
    target = Target(
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
    top = directory.partition("/")[0]
    return _overlapping(target, (_REPOSITORY, top)) if paths.fold(top).startswith(".") else target


def _claimant(target: Target, recorded: Location | None) -> Claimant:
    holds = _claim(recorded) if recorded else Claim()
    at = target.writable
    return Claimant((_DESTINATION, target.name), _claim(Location(at.branch, target.directory)) if at else holds, holds)


def _claim(place: Location) -> Claim:
    """Claim a directory of a branch for oneself, and those above it together with others."""
    own = paths.fold(place.path)
    above = {_token(place.branch, directory) for directory in (*paths.directories_above(own), "")}
    exclusive = frozenset([_token(place.branch, own)])
    return Claim(exclusive, frozenset(above) - exclusive)


def _token(branch: str, directory: str) -> str:
    return f"{branch} {directory}"


def _reserved(stores: Mapping[str, Store], branches: Collection[str]) -> dict[Owner, Claim]:
    """Return what belongs to this repository itself; a Destination that has the whole branch overlaps all of it."""
    output, found = stores[EMBEDDED].location, dict[Owner, Claim]()
    for branch in branches:
        only_status = len(branches) > 1 and output is not None and output.branch == branch
        claims = {name: Claim(frozenset([_token(branch, paths.fold(name))])) for name in RESERVED}
        whole = STATUS if only_status else "the definitions"
        claims[whole] = claims.get(whole, Claim()) | Claim(shared=frozenset([_token(branch, "")]))
        for name, claim in claims.items():
            found[_REPOSITORY, name] = found.get((_REPOSITORY, name), Claim()) | claim
    return found


def _overlapping(target: Target, owner: Owner) -> Target:
    kind, name = owner
    told = f"Destination {name}" if kind == _DESTINATION else f"{name} of this repository"
    return replace(target, reason="PathOverlap", message=f"path {target.directory or '/'} overlaps {told}")
