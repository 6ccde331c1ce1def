"""check(): every definition of a tree, as a pass would see it: what is wrong, and where.

Of what no tree tells, whose place something is, status tells; where there is none the first goes first, as in a pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from gitops.core import claims, definitions, manifests, pointing
from gitops.core.definitions import InEffect
from gitops.core.documents import Render
from gitops.core.keys import Key
from gitops.core.placing import Context, Decided
from gitops.core.problems import Problem
from gitops.core.recovery import Traces
from gitops.core.sketch import Sketch
from gitops.core.survey import Seen, Survey, survey
from gitops.core.targets import store_key
from gitops.core.tree import Objects
from gitops.core.world import ClusterObject, World


class Report(NamedTuple):
    """How many definitions were read, the problems in the order of their places, and the file of each definition."""

    definitions: int
    problems: tuple[Problem, ...]
    files: tuple[str, ...] = ()

    def below(self, path: str) -> int:
        """Return how many definitions stand in the file *path*, or below the folder; `.` is the root."""
        return sum(path == "." or file == path or file.startswith(f"{path}/") for file in self.files)


def check(objects: Objects, seen: Seen, renderer: Render) -> Report:
    """Check the definitions of the tree that was *seen*. Its settings are in effect, as far as they are right."""
    settings, wrong = definitions.settings(objects, seen.source)
    found = survey(World(), objects, replace(seen, settings=settings or seen.settings))
    decided = _decided(found, objects, renderer)
    known: dict[Key, ClusterObject | Decided] = {**found.objects, **decided}
    sources = {key: one.effective.source for key, one in known.items()}
    problems = {
        *wrong,
        *found.catalog.problems(),
        *definitions.ignored(found.catalog, objects, sources),
        *_stores(found),
        *_destinations(found),
        *pointing.refusals(decided.values(), objects),
    }
    files = tuple(unit.file for unit in found.catalog.units.values() for _ in unit.keys)
    return Report(len(files), tuple(sorted(problems, key=lambda p: (p.path, p.line, p.column, p.message))), files)


def check_file(path: str, raw: bytes) -> Report:
    """Check a definition file on its own, as far as neither a Destination nor the files of a folder Work count."""
    found, objects = manifests.load(path, raw), Sketch()
    refused = (problem for manifest in found.objects for problem in pointing.alone(manifest, raw, objects))
    return Report(len(found.objects), (*found.problems, *refused))


def _decided(found: Survey, objects: Objects, renderer: Render) -> Mapping[Key, Decided]:
    """Decide all Works as if every Destination were Ready: what is wrong with one must not hide their own faults."""
    ready = {name: replace(target, reason="", message="") for name, target in found.targets.items()}
    survey = replace(found, places=replace(found.places, targets=ready))
    context = Context(World(), survey, objects, renderer, Traces({}, {}, {}, objects))
    works = sorted(key for key in {*found.catalog.by_key, *found.troubles.of} if key.kind == "Work")
    return claims.settle(context, {key: context.decide(key) for key in works})


def _stores(found: Survey) -> Iterator[Problem]:
    """What a state store's condition Ready would say before anybody asks its server."""
    for key, known in found.objects.items():
        store = found.places.stores.get(store_key(key.kind, key.name))
        if store and store.reason:
            yield from _at(known.effective, f"{key}: {store.reason}: {store.message}")


def _destinations(found: Survey) -> Iterator[Problem]:
    """What a Destination's condition Ready would say, unless its store says it: no store, a place that is another's."""
    wrong = {store_key(key.kind, key.name) for key in found.troubles.of}
    for key, known in found.objects.items():
        target = found.targets.get(key.name) if key.kind == "Destination" else None
        if target and target.reason not in ("", "StateStoreNotReady") and target.store not in wrong:
            yield from _at(known.effective, f"{key}: {target.reason}: {target.message}")


def _at(effective: InEffect, message: str) -> Iterator[Problem]:
    """Point at a definition; of one that is in effect only as it once was, what is wrong by now is told already."""
    manifest = effective.manifest
    if manifest and not effective.problem:
        yield Problem(manifest.path, manifest.line, 1, message, manifest.key)
