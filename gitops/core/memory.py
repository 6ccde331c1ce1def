"""Where the status files stand, and recalling from them what they remember."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping

from gitops.api.status import Status
from gitops.core import statusfile
from gitops.core.keys import Key
from gitops.core.recorded import Recorded, RecordedPlacement, RecordedWork
from gitops.core.tree import FILE, Entry, Objects, Oid, lookup, subtree

Reported = tuple[str, int, str]
"""A problem as `status/repository.yaml` remembers it: file, line and message."""

WORK_FILE = "work.yaml"
REPOSITORY_FILE = "repository.yaml"
_LONGEST = 245


def work_folder(namespace: str, name: str) -> str:
    """Return the folder of a Work's status, relative to `status/`."""
    return f"works/{namespace}/{name}"


def work_file(namespace: str, name: str) -> str:
    """Return the status file of a Work, relative to `status/`."""
    return f"{work_folder(namespace, name)}/{WORK_FILE}"


def file_of(name: str) -> str:
    """Return the status file of what is called *name*, in its folder; a name too long for a file is cut and hashed."""
    if len(name) <= _LONGEST:
        return f"{name}.yaml"
    return f"{name[: _LONGEST - 11]}-{hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()[:10]}.yaml"


def object_file(key: Key) -> str:
    """Return the status file of a cluster-scoped object, relative to `status/`."""
    if key.kind == "Destination":
        return f"destinations/{file_of(key.name)}"
    return f"statestores/{key.kind}/{file_of(key.name)}"


class _Awaited(Mapping[str, RecordedPlacement]):
    """The placements of these *names*, each recalled from the tree *folder* when somebody asks for it."""

    def __init__(self, objects: Objects, folder: Oid, names: Iterable[str]) -> None:
        self._objects, self._folder = objects, folder
        self._found: dict[str, RecordedPlacement | None] = dict.fromkeys(names)

    def __getitem__(self, name: str) -> RecordedPlacement:
        found = self._found[name]
        if found is None:
            entry = self._objects.tree(self._folder).get(file_of(name))
            status = statusfile.load(self._objects.blob(entry.oid)) if entry else None
            found = self._found[name] = RecordedPlacement(status)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


def work_of(objects: Objects, folder: Oid, placements: Iterable[str]) -> RecordedWork:
    """Recall one Work from the tree *folder* that we wrote ourselves, with these *placements* in it."""
    own = statusfile.load(objects.blob(objects.tree(folder)[WORK_FILE].oid))
    return RecordedWork(own, _Awaited(objects, folder, placements))


def work(objects: Objects, status: Oid | None, namespace: str, name: str) -> RecordedWork:
    """Recall one Work from the tree *status*."""
    folder = subtree(objects, status, work_folder(namespace, name))
    own: Status | None = None
    placements: dict[str, RecordedPlacement] = {}
    for file, entry in (objects.tree(folder) if folder else {}).items():
        found = None if entry.is_tree or not file.endswith(".yaml") else statusfile.load(objects.blob(entry.oid))
        if found is None:
            continue
        if file == WORK_FILE and found.kind == "Work":
            own = found
        elif found.kind == "WorkPlacement" and file == file_of(found.name):
            placements[found.name] = RecordedPlacement(found)
    return RecordedWork(own, placements)


def reported(objects: Objects, status: Oid | None) -> frozenset[Reported]:
    """Return the problems that the last pass wrote to `repository.yaml`."""
    entry = lookup(objects, status, REPOSITORY_FILE)
    found = statusfile.load(objects.blob(entry.oid)) if entry and not entry.is_tree else None
    rows = found.extra.get("problems") if found else None
    rows = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return frozenset((str(r.get("file")), r["line"], str(r.get("message"))) for r in rows if type(r.get("line")) is int)


def works(objects: Objects, status: Oid | None) -> Iterator[Key]:
    """List the Works that have a status."""
    above = subtree(objects, status, "works")
    for namespace, entry in (objects.tree(above) if above else {}).items():
        for name, folder in (objects.tree(entry.oid) if entry.is_tree else {}).items():
            if folder.is_tree:
                yield Key("Work", namespace, name)


def folders(objects: Objects, status: Oid | None) -> Callable[[Key], Entry | None]:
    """Return what tells the status folder of any Work in the tree *status*."""
    above = subtree(objects, status, "works")
    namespaces: dict[str, Mapping[str, Entry]] = {}

    def folder(key: Key) -> Entry | None:
        if key.namespace not in namespaces:
            found = subtree(objects, above, key.namespace)
            namespaces[key.namespace] = objects.tree(found) if found else {}
        return namespaces[key.namespace].get(key.name)

    return folder


def cluster_object(objects: Objects, entry: Entry | None) -> Recorded:
    """Recall a Destination or a state store from its status file."""
    return Recorded(statusfile.load(objects.blob(entry.oid)) if entry else None)


def cluster_objects(objects: Objects, status: Oid | None) -> Iterator[tuple[Key, Entry]]:
    """List the status files of Destinations and state stores."""
    for kind, folder in (
        ("Destination", "destinations"),
        ("GitStateStore", "statestores/GitStateStore"),
        ("BucketStateStore", "statestores/BucketStateStore"),
    ):
        above = subtree(objects, status, folder)
        for file, entry in (objects.tree(above) if above else {}).items():
            if entry.mode == FILE and file.endswith(".yaml"):
                yield Key(kind, "", _named(objects, file, entry)), entry


def _named(objects: Objects, file: str, entry: Entry) -> str:
    """Return whose status file it is: of a name that was cut only its content tells."""
    name = file.removesuffix(".yaml")
    found = statusfile.load(objects.blob(entry.oid)) if len(name) == _LONGEST else None
    return found.name if found and file_of(found.name) == file else name
