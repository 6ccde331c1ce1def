"""The definitions on the source branch: which object stands in which file.

A *unit* is what is read as one: a definition file, or a folder with a `work.yaml` in it. Units are remembered by the id
of their blob or tree, so that a new commit costs the units that it changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from gitops.api.work import Work
from gitops.core import manifests, paths
from gitops.core.keys import Key
from gitops.core.manifests import Manifest
from gitops.core.problems import Problem
from gitops.core.tree import DIRECTORY, LINK, Entry, Objects, Oid, files, lookup
from gitops.errors import MalformedError

FOLDERS = ("works", "destinations", "statestores")
SETTINGS = "gitops.yaml"
TEMPLATES = "templates"
STATUS = "status"
RESERVED = (*FOLDERS, STATUS, TEMPLATES, SETTINGS)  # no Destination may write there
FOLDER_WORK = "work.yaml"
_SUFFIXES = (".yaml", ".yml", ".json")
_DEPTH = 32


class Unit(NamedTuple):
    """What one definition file, or one folder Work, defines. `file` is where its problems are reported."""

    file: str
    entry: Entry
    keys: tuple[Key, ...]
    problems: tuple[Problem, ...]


class Reading(NamedTuple):
    """A unit with the definitions themselves, which are not kept in mind."""

    unit: Unit
    manifests: tuple[Manifest, ...]


@dataclass(frozen=True)
class Catalog:
    """All units of a source tree, and the objects in them; `roots` are the ids of the definition folders.

    `troubled` are the units with problems, `contested` the objects that are defined more than once. `fresh` are the
    definitions that were read for this pass; all others are read again when somebody asks.
    """

    roots: Mapping[str, Entry | None] = field(default_factory=dict)
    units: Mapping[str, Unit] = field(default_factory=dict)
    by_key: Mapping[Key, tuple[str, ...]] = field(default_factory=dict)
    troubled: Mapping[str, Unit] = field(default_factory=dict)
    contested: frozenset[Key] = frozenset()
    fresh: Mapping[str, tuple[Manifest, ...]] = field(default_factory=dict)

    def candidates(self, key: Key, objects: Objects) -> list[Manifest]:
        """Return the definitions of *key*, in the order of their files."""
        return [m for path in self.by_key.get(key, ()) for m in self._manifests(path, objects) if m.key == key]

    def _manifests(self, path: str, objects: Objects) -> tuple[Manifest, ...]:
        found = self.fresh.get(path)
        return read(objects, path, self.units[path].entry).manifests if found is None else found

    def count(self, key: Key) -> int:
        """Return how often *key* is defined."""
        return sum(self.units[path].keys.count(key) for path in self.by_key.get(key, ()))

    def entry_of(self, manifest: Manifest) -> Entry:
        """Return the blob or tree in which *manifest* stands."""
        return self.units[unit_path(manifest.path)].entry

    def problems(self) -> Iterator[Problem]:
        """List what is wrong with the definitions."""
        for _, unit in sorted(self.troubled.items()):
            yield from unit.problems


class Advance(NamedTuple):
    """A catalog after a change: the keys and the files that the changed units hold or held."""

    catalog: Catalog
    keys: frozenset[Key]
    files: frozenset[str]


def advance(catalog: Catalog, objects: Objects, source: Oid | None) -> Advance:
    """Read what differs between *catalog* and the tree *source*."""
    roots = {folder: lookup(objects, source, folder) for folder in FOLDERS}
    differing = [at for name in FOLDERS for at in _changes(objects, name, catalog.roots.get(name), roots[name])]
    old = {path: catalog.units[path] for path, before, _ in differing if before and path in catalog.units}
    new, fresh = _read_all(objects, {path: after for path, _, after in differing if after})
    touched = [*old.values(), *new.values()]
    if not touched:
        return Advance(replace(catalog, roots=roots, fresh={}), frozenset(), frozenset())
    units = dict(catalog.units)
    for path in old:
        del units[path]
    units |= new
    keys = frozenset(k for u in touched for k in [*u.keys, *(p.key for p in u.problems if p.key)])
    by_key = dict(catalog.by_key)
    _reindex(by_key, old, new)
    troubled = {p: u for p, u in {**catalog.troubled, **new}.items() if u.problems and units.get(p) is u}
    after = Catalog(roots, units, by_key, troubled, fresh=fresh)
    contested = frozenset(key for key in catalog.contested | keys if after.count(key) > 1)
    return Advance(replace(after, contested=contested), keys, frozenset(u.file for u in touched))


def _read_all(
    objects: Objects, entries: Mapping[str, Entry]
) -> tuple[dict[str, Unit], dict[str, tuple[Manifest, ...]]]:
    objects.expect([entry.oid for entry in entries.values() if not entry.is_tree])
    readings = {path: read(objects, path, entry) for path, entry in entries.items()}
    return {p: reading.unit for p, reading in readings.items()}, {p: r.manifests for p, r in readings.items()}


def _reindex(by_key: dict[Key, tuple[str, ...]], old: Mapping[str, Unit], new: Mapping[str, Unit]) -> None:
    for path, unit in old.items():
        for key in set(unit.keys):
            others = tuple(p for p in by_key[key] if p != path)
            if others:
                by_key[key] = others
            else:
                del by_key[key]
    for path, unit in new.items():
        for key in set(unit.keys):
            by_key[key] = tuple(sorted({*by_key.get(key, ()), path}))


def read(objects: Objects, path: str, entry: Entry) -> Reading:
    """Read one unit: a definition file, the folder of a folder Work, or a folder that cannot be read."""
    try:
        file, found, problems = _read(objects, path, entry)
    except MalformedError as error:
        file, found, problems = path, (), [Problem(path, 1, 1, error.reason, None)]
    return Reading(Unit(file, entry, tuple(m.key for m in found), tuple(problems)), tuple(found))


def _read(objects: Objects, path: str, entry: Entry) -> tuple[str, Iterable[Manifest], Iterable[Problem]]:
    if entry.mode == DIRECTORY:
        file = f"{path}/{FOLDER_WORK}"
        if FOLDER_WORK not in objects.tree(entry.oid):
            return path, (), [Problem(path, 1, 1, f"more than {_DEPTH} folders deep", None)]
        found = _load(objects, file, objects.tree(entry.oid)[FOLDER_WORK])
        return file, found.objects, [*found.problems, *_nested(objects, path, entry)]
    found = _load(objects, path, entry)
    wanted = f"a group without workloads needs a folder Work: a folder with a {FOLDER_WORK}"
    bad = [Problem(path, m.line, 1, f"{m.key}: {wanted}", m.key) for m in found.objects if _wants_folder(m)]
    return path, [m for m in found.objects if not _wants_folder(m)], [*found.problems, *bad]


def _nested(objects: Objects, folder: str, entry: Entry) -> Iterator[Problem]:
    """List the Works inside a folder Work. They are delivered as its documents, so they cannot also be definitions."""
    message = (
        f"stands inside the folder Work {folder}, and is one of its documents; move it out to make it a Work of its own"
    )
    for path, inner in sorted(files(objects, entry.oid)):
        if path.endswith(f"/{FOLDER_WORK}") and any(m.key.kind == "Work" for m in _load(objects, path, inner).objects):
            yield Problem(f"{folder}/{path}", 1, 1, message, None)


def _wants_folder(manifest: Manifest) -> bool:
    work = manifest.obj
    return isinstance(work, Work) and any(group.workloads is None for group in work.spec.workload_groups)


def _load(objects: Objects, path: str, entry: Entry) -> manifests.Manifests:
    what = "a symbolic link" if entry.mode == LINK else "a submodule"
    reason = paths.check(path) if entry.is_file else f"is {what}; definitions are ordinary files"
    if reason:
        return manifests.Manifests((), (Problem(path, 1, 1, reason, None),))
    return manifests.load(path, objects.blob(entry.oid))


def _changes(
    objects: Objects, path: str, old: Entry | None, new: Entry | None
) -> Iterator[tuple[str, Entry | None, Entry | None]]:
    """List the units below the directory *path* that differ, as (path, old, new)."""
    if old == new:
        return
    if path.count("/") > _DEPTH:
        yield path, old, new
        return
    if any(_is_unit(objects, path, entry) for entry in (old, new)):
        yield from _whole(objects, path, old, new)
        return
    left, right = (objects.tree(e.oid) if e and e.mode == DIRECTORY else {} for e in (old, new))
    for name in sorted(name for name in left.keys() | right.keys() if left.get(name) != right.get(name)):
        yield from _changes(objects, f"{path}/{name}", left.get(name), right.get(name))
    before, after = (entry if _is_file_unit(path, entry) else None for entry in (old, new))
    if before or after:
        yield path, before, after


def _is_file_unit(path: str, entry: Entry | None) -> bool:
    """Whether it is read as definitions: by its suffix, or to say that links are not followed."""
    if entry is None or entry.mode == DIRECTORY:
        return False
    return path.endswith(_SUFFIXES) or not entry.is_file


def _whole(
    objects: Objects, path: str, old: Entry | None, new: Entry | None
) -> Iterator[tuple[str, Entry | None, Entry | None]]:
    """One side or both are one unit; the other side, if anything, is walked in full."""
    units = [entry if _is_unit(objects, path, entry) else None for entry in (old, new)]
    yield path, units[0], units[1]
    if old and not units[0]:
        yield from _changes(objects, path, old, None)
    if new and not units[1]:
        yield from _changes(objects, path, None, new)


def _is_unit(objects: Objects, path: str, entry: Entry | None) -> bool:
    """Whether a directory is read as a whole: a folder Work, or one whose entries cannot be told."""
    if entry is None or entry.mode != DIRECTORY:
        return False
    try:
        return FOLDER_WORK in objects.tree(entry.oid) and path not in FOLDERS
    except MalformedError:
        return True


def unit_path(file: str) -> str:
    """Return the unit in which the definition *file* stands: itself, or the folder of a folder Work."""
    folder, _, name = file.rpartition("/")
    return folder if name == FOLDER_WORK and folder not in FOLDERS else file
