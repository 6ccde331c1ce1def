"""Where a definition comes from: which generation it is, and whether the commit that status names still holds it."""

from __future__ import annotations

from typing import NamedTuple

from gitops.api.meta import Definition
from gitops.core import catalog, definitions
from gitops.core.definitions import Effective
from gitops.core.manifests import Key
from gitops.core.memory import Recorded
from gitops.core.tree import DIRECTORY, Objects, Oid, lookup


class Provenance(NamedTuple):
    """`generation` counts specs. `path` is where to ask for the commit, or "" when *recorded* still names it."""

    generation: int
    path: str


def trace(objects: Objects, key: Key, effective: Effective, recorded: Recorded, last_source: Oid | None) -> Provenance:
    """Compare the definition in effect with the one that status was made from.

    Where history does not reach that one any more (a shallow clone), the tree of the last pass tells; and where that
    is missing too, nothing speaks for a change.
    """
    generation = recorded.status.generation if recorded.status else 0
    manifest = effective.manifest
    if manifest is None or effective.last_good:
        return Provenance(generation, "")
    path = catalog.unit_path(manifest.path)
    same_file = recorded.text("source") == manifest.path
    root = _recorded_root(objects, recorded) or last_source
    if same_file and (root is None or lookup(objects, root, path) == effective.entry):
        return Provenance(max(generation, 1), "")
    before = definitions.previous(objects, key, recorded)
    if before is None:
        return Provenance(generation + 1, path)
    old, old_entry = before
    same = _spec(old.obj) == _spec(manifest.obj) and _folder(old_entry) == _folder(effective.entry)
    kept = same and same_file and _metadata(old.obj) == _metadata(manifest.obj)
    return Provenance(generation if same else generation + 1, "" if kept else path)


def _spec(definition: Definition) -> object:
    return definition.spec  # type: ignore[attr-defined]


def _metadata(definition: Definition) -> object:
    """Return what people say in the metadata, without what a Kubernetes API server adds."""
    return definition.metadata.model_dump()


def _folder(entry: object) -> object:
    return getattr(entry, "oid", None) if getattr(entry, "mode", None) == DIRECTORY else None


def _recorded_root(objects: Objects, recorded: Recorded) -> Oid | None:
    commit = recorded.commit("observedCommit")
    try:
        return objects.commit_tree(commit) if commit else None
    except KeyError:
        return None
