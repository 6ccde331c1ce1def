"""Where documents can go: all that follows from the Destinations and state stores, and from nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gitops.api.destination import Destination
from gitops.api.statestore import BucketStateStore, GitStateStore
from gitops.core import targets
from gitops.core.keys import Key
from gitops.core.manifests import Object
from gitops.core.recorded import Recorded
from gitops.core.selectors import Matcher
from gitops.core.targets import Location, Site, Store, Target


@dataclass(frozen=True)
class Places:
    """The state stores and the Destinations on them. *site* is what it was made for.

    `unready` are Destinations that were recorded as not Ready, or cannot be, `kept` those that keep what was delivered
    to them though no definition of them is in effect.
    """

    site: Site = field(default_factory=Site)
    stores: Mapping[str, Store] = field(default_factory=dict)
    targets: Mapping[str, Target] = field(default_factory=dict)
    matcher: Matcher = field(default_factory=lambda: Matcher(()))
    unready: frozenset[str] = frozenset()
    kept: frozenset[str] = frozenset()


Definitions = Mapping[Key, Object | None]
"""The definitions in effect of Destinations and state stores; None of those that are gone or unknown."""


def places(
    site: Site, known: Definitions, recorded: Mapping[str, Recorded], kept: frozenset[str], last: Places
) -> Places:
    """Resolve the definitions *known*; *recorded* is what status remembers of each Destination.

    The matcher of *last* stays while the labels do, so that whoever compares them sees at once that nothing changed.
    """
    stores = _stores(known, site)
    found = targets.resolve(
        [definition for definition in known.values() if isinstance(definition, Destination)],
        stores,
        {name: Location(r.branch(site.home), r.text("path")) for name, r in recorded.items() if r.text("mode")},
        {site.source, site.home},
    )
    same = _labels(found) == _labels(last.targets)
    return Places(
        site,
        stores,
        found,
        last.matcher if same else Matcher(found.values()),
        frozenset(name for name, r in recorded.items() if r.status and r.status.ready is False)
        | {target.name for target in found.values() if target.reason},
        kept,
    )


def _labels(found: Mapping[str, Target]) -> list[tuple[str, Mapping[str, str], bool]]:
    return [(t.name, t.labels, t.strict) for t in found.values()]


def _stores(known: Definitions, site: Site) -> dict[str, Store]:
    found = [targets.embedded(site.home)]
    for definition in known.values():
        if isinstance(definition, GitStateStore):
            found.append(targets.git_store(definition, site))
        elif isinstance(definition, BucketStateStore):
            found.append(targets.bucket_store(definition))
    return {store.key: store for store in found}
