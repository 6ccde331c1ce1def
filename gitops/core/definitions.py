"""Which definition of an object is in effect: the present one, the last good one, or none any more.

Absence is deletion only when it is certain. A definition that is invalid, or whose file cannot be read, leaves its
last good one in effect: it stands at the commit and in the file that the object's status names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from gitops.api.settings import Settings
from gitops.api.work import Work
from gitops.core import catalog as catalogs
from gitops.core import manifests
from gitops.core.catalog import SETTINGS, Catalog, Reading
from gitops.core.keys import Key
from gitops.core.manifests import Manifest
from gitops.core.problems import Problem
from gitops.core.recorded import Recorded
from gitops.core.tree import DIRECTORY, Entry, Objects, Oid, lookup


class Effective(NamedTuple):
    """The definition in effect; None when the object is removed or was never good. *problem* says what is invalid."""

    manifest: Manifest | None
    entry: Entry | None
    problem: Problem | None
    last_good: bool = False

    @property
    def removed(self) -> bool:
        return self.manifest is None and self.problem is None

    @property
    def source(self) -> str:
        """The file in which it stands."""
        return self.manifest.path if self.manifest else ""


NOTHING = Effective(None, None, None)


@dataclass(frozen=True)
class Unread:
    """The definition of *key* is the one that the last pass saw: it is read again only when somebody asks for it."""

    key: Key
    source: str
    entry: Entry
    catalog: Catalog
    objects: Objects

    problem = None
    last_good = False
    removed = False

    @cached_property
    def manifest(self) -> Manifest:
        (found,) = self.catalog.candidates(self.key, self.objects)
        return found


InEffect = Effective | Unread


def work(found: InEffect) -> Work:
    """Return the Work that is defined, which there must be."""
    assert found.manifest is not None
    assert isinstance(found.manifest.obj, Work)
    return found.manifest.obj


def effective(catalog: Catalog, objects: Objects, key: Key, recorded: Recorded, problem: Problem | None) -> Effective:
    """Find the definition of *key*; *problem* is what is wrong with its definition, or with its recorded file.

    Of several the one that was there first keeps its place, also while it is invalid, and when its file was renamed.
    """
    candidates, source = catalog.candidates(key, objects), recorded.text("source")
    chosen = choose(candidates, source)
    invalid = problem if problem and (not chosen or problem.path == source != chosen.path) else None
    if chosen and (len(candidates) == 1 or chosen.path == source) and not invalid:
        return Effective(chosen, catalog.entry_of(chosen), None)
    last = previous(objects, key, recorded)
    if last and invalid:
        return Effective(last[0], last[1], invalid, True)
    if chosen:
        renamed = next((m for m in candidates if last and catalog.entry_of(m) == last[1]), chosen)
        return Effective(renamed, catalog.entry_of(renamed), None)
    return Effective(None, None, problem) if problem else NOTHING


def choose(candidates: Sequence[Manifest], source: str) -> Manifest | None:
    """Choose among the definitions of one object: that in the file *source*, where it was first, or else the first."""
    return next((m for m in candidates if m.path == source), candidates[0] if candidates else None)


def previous(objects: Objects, key: Key, recorded: Recorded) -> tuple[Manifest, Entry] | None:
    """Read the definition that the object's status was made from; None when history no longer has it."""
    root = observed_root(objects, recorded)
    return read(objects, root, key, recorded) if root else None


def read(objects: Objects, root: Oid, key: Key, recorded: Recorded) -> tuple[Manifest, Entry] | None:
    """Read the definition of *key* in the tree *root*, from the file that its status names."""
    source = recorded.text("source")
    found = _read(objects, root, source) if source else None
    return next(((m, found.unit.entry) for m in found.manifests if m.key == key), None) if found else None


def observed_root(objects: Objects, recorded: Recorded) -> Oid | None:
    """Return the tree of the commit that status names; None when history no longer has it."""
    commit = recorded.commit("observedCommit")
    try:
        return objects.commit_tree(commit) if commit else None
    except KeyError:
        return None


def _read(objects: Objects, root: Oid, source: str) -> Reading | None:
    path = catalogs.unit_path(source)
    entry = lookup(objects, root, path)
    if entry is None or (entry.mode == DIRECTORY) != (path != source):
        return None
    return catalogs.read(objects, path, entry)


def ignored(catalog: Catalog, objects: Objects, sources: Mapping[Key, str]) -> Iterator[Problem]:
    """List the definitions that are not in effect, as that in another file is: *sources* are those files."""
    defined = ((key, at) for key, at in sources.items() if at and key in catalog.by_key)
    elsewhere = {key for key, at in defined if catalogs.unit_path(at) not in catalog.by_key[key]}
    for key in sorted(catalog.contested | elsewhere):
        yield from duplicates(catalog, objects, key, sources.get(key, ""))


def duplicates(catalog: Catalog, objects: Objects, key: Key, source: str) -> Iterator[Problem]:
    """List the other definitions of one object, of which that in the file *source* goes first, be it as it once was."""
    candidates = catalog.candidates(key, objects)
    chosen = choose(candidates, source)
    for other in candidates:
        lost = chosen and source not in ("", chosen.path)
        if chosen and (other is not chosen or lost):
            first = f"{source}, which is wrong now" if lost else f"{chosen.path}:{chosen.line}"
            yield Problem(other.path, other.line, 1, f"{key} is already defined in {first}; this one is ignored", key)


def settings(objects: Objects, root: Oid | None) -> tuple[Settings | None, tuple[Problem, ...]]:
    """Return the settings that stand in the tree *root*: the defaults without a file, None with what is wrong in it."""
    entry = lookup(objects, root, SETTINGS)
    if entry is None or entry.is_tree:
        return Settings(), ()
    return manifests.load_settings(SETTINGS, objects.blob(entry.oid))
