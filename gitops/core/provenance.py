"""Where a definition comes from: which generation it is, and whether the commit that status names still holds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from gitops.api.meta import Definition
from gitops.core import catalog, definitions
from gitops.core.definitions import InEffect
from gitops.core.keys import Key
from gitops.core.manifests import Manifest
from gitops.core.recorded import Recorded
from gitops.core.tree import Entry, Objects, Oid, lookup


class Provenance(NamedTuple):
    """`generation` counts specs. `path` is where to ask for the commit, or "" when *recorded* still names it."""

    generation: int
    path: str


@dataclass(frozen=True)
class Tracer:
    """Compares definitions in effect with those that status was made from, which the tree *last_source* has.

    That is what the last pass saw. Where history does not reach it any more (a shallow clone), nothing speaks for a
    change, unless people have *rewritten* the history since: then what was made from a commit that is gone has changed.
    """

    objects: Objects
    last_source: Oid | None
    rewritten: bool

    def trace(self, key: Key, effective: InEffect, recorded: Recorded) -> Provenance:
        """Return where the definition of *key* comes from."""
        generation = recorded.status.generation if recorded.status else 0
        if not effective.source or effective.last_good:
            return Provenance(generation, "")
        path = catalog.unit_path(effective.source)
        same_file = recorded.text("source") == effective.source
        root = self.last_source or definitions.observed_root(self.objects, recorded)
        gone = self.rewritten and definitions.observed_root(self.objects, recorded) is None
        if same_file and (lookup(self.objects, root, path) == effective.entry if root else not gone):
            return Provenance(max(generation, 1), path if gone else "")
        before, manifest = self._before(key, recorded), effective.manifest
        if before is None or manifest is None:
            return Provenance(generation + 1, path)
        old, old_entry = before
        same = _spec(old.obj) == _spec(manifest.obj) and _folder(old_entry) == _folder(effective.entry)
        kept = same and same_file and _metadata(old.obj) == _metadata(manifest.obj) and not gone
        return Provenance(generation if same else generation + 1, "" if kept else path)

    def _before(self, key: Key, recorded: Recorded) -> tuple[Manifest, Entry] | None:
        """Read the definition that status was made from: unless it was invalid by then, what the last pass saw."""
        last = definitions.read(self.objects, self.last_source, key, recorded) if self.last_source else None
        return last or definitions.previous(self.objects, key, recorded)


def _spec(definition: Definition) -> object:
    return definition.spec  # type: ignore[attr-defined]


def _metadata(definition: Definition) -> object:
    """Return what people say in the metadata, without what a Kubernetes API server adds."""
    return definition.metadata.model_dump()


def _folder(entry: Entry | None) -> Oid | None:
    """Return the tree of a folder Work; None for a definition file."""
    return entry.oid if entry and entry.is_tree else None
