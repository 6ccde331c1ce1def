"""check(): every definition of a tree, as a pass would see it, without a history: what is wrong, and where."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gitops.api.settings import Settings
from gitops.core import definitions, manifests
from gitops.core.catalog import SETTINGS, Catalog
from gitops.core.documents import Render
from gitops.core.manifests import Manifest, Problem
from gitops.core.placing import Context
from gitops.core.recovery import Traces
from gitops.core.survey import Seen, Survey, survey
from gitops.core.tree import Objects, Oid, lookup
from gitops.core.world import World


class Report(NamedTuple):
    """How many definitions were read, and the problems in the order of their places."""

    definitions: int
    problems: tuple[Problem, ...]
    files: tuple[str, ...] = ()

    def below(self, path: str) -> int:
        """Return how many definitions stand in the file *path*, or below the folder; `.` is the root."""
        return sum(path == "." or file == path or file.startswith(f"{path}/") for file in self.files)


def check(objects: Objects, source: Oid | None, branch: str, renderer: Render) -> Report:
    """Check the definitions of the tree *source*."""
    settings, wrong = _settings(objects, source)
    seen = Seen(source, branch, None, settings, wrong)
    found = survey(World(), objects, seen)
    context = Context(World(), found, objects, renderer, Traces({}, {}, {}, objects))
    problems = {
        *wrong,
        *found.catalog.problems(),
        *_duplicates(found.catalog, objects),
        *_destinations(found),
        *_documents(context),
    }
    files = tuple(unit.file for unit in found.catalog.units.values() for _ in unit.keys)
    return Report(len(files), tuple(sorted(problems, key=lambda p: (p.path, p.line, p.column, p.message))), files)


def check_file(path: str, raw: bytes) -> Report:
    """Check a definition file on its own."""
    found = manifests.load(path, raw)
    return Report(len(found.objects), found.problems)


def _settings(objects: Objects, source: Oid | None) -> tuple[Settings, tuple[Problem, ...]]:
    entry = lookup(objects, source, SETTINGS)
    if entry is None or entry.is_tree:
        return Settings(), ()
    settings, problems = manifests.load_settings(SETTINGS, objects.blob(entry.oid))
    return settings or Settings(), problems


def _duplicates(catalog: Catalog, objects: Objects) -> Iterator[Problem]:
    for key in catalog.contested:
        yield from definitions.duplicates(catalog, objects, key, "")


def _destinations(found: Survey) -> Iterator[Problem]:
    """What a Destination's condition Ready would say: a missing store, a place that is another's."""
    for key, known in found.objects.items():
        target = found.targets.get(key.name) if key.kind == "Destination" else None
        if target and target.reason and known.effective.manifest:
            yield _at(known.effective.manifest, f"{key}: {target.reason}: {target.message}")


def _documents(context: Context) -> Iterator[Problem]:
    """What a Work's placements would be refused for, wherever they go."""
    for key in context.survey.catalog.by_key:
        decided = context.decide(key) if key.kind == "Work" else None
        if decided is None or decided.state is None or decided.effective.manifest is None:
            continue
        state = decided.state
        refusals = [g.documents.refusal for g in state.groups if g.documents]
        refusals += [placement.offer.refusal for placement in state.placements]
        for refusal in dict.fromkeys(refusals):
            if refusal and refusal.reason != "WorkloadsFailedWrite":
                yield _at(decided.effective.manifest, f"{key}: {refusal.reason}: {refusal.message}")


def _at(manifest: Manifest, message: str) -> Problem:
    return Problem(manifest.path, manifest.line, 1, message, manifest.key)
