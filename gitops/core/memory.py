"""What the status files remember. They are untrusted: what cannot be read as meant is as if it were not there."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from gitops.api.meta import branch_name
from gitops.api.status import Status
from gitops.core import conditions, paths, statusfile, urls
from gitops.core.manifests import Key
from gitops.core.tree import FILE, Entry, Objects, Oid, lookup, subtree

WORK_FILE = "work.yaml"
REPOSITORY_FILE = "repository.yaml"
REMOVED = "the definition was removed in"
_LONGEST = 245
_HEX = re.compile(r"[0-9a-f]{40}")


def work_folder(namespace: str, name: str) -> str:
    """Return the folder of a Work's status, relative to `status/`."""
    return f"works/{namespace}/{name}"


def work_file(namespace: str, name: str) -> str:
    """Return the status file of a Work, relative to `status/`."""
    return f"{work_folder(namespace, name)}/{WORK_FILE}"


def placement_file(name: str) -> str:
    """Return the status file of a WorkPlacement in its Work's folder; a name too long for a file is cut and hashed."""
    if len(name) <= _LONGEST:
        return f"{name}.yaml"
    return f"{name[: _LONGEST - 11]}-{hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()[:10]}.yaml"


def object_file(key: Key) -> str:
    """Return the status file of a cluster-scoped object, relative to `status/`."""
    if key.kind == "Destination":
        return f"destinations/{key.name}.yaml"
    return f"statestores/{key.kind}/{key.name}.yaml"


@dataclass(frozen=True)
class Recorded:
    """An object as its status file remembers it; all empty when there is none."""

    status: Status | None = None

    @property
    def removed(self) -> bool:
        """Whether the removal of its definition was recorded."""
        ready = self.status.condition("Ready") if self.status else None
        return ready is not None and ready.message.startswith(REMOVED)

    def text(self, name: str) -> str:
        """Return a text among the fields of `status`, or ""."""
        found = self.status.extra.get(name) if self.status else None
        return found if isinstance(found, str) else ""

    def branch(self, home: str) -> str:
        """Return the branch that its documents are on: *home* unless another is recorded."""
        return self.text("branch") or home

    def commit(self, name: str) -> Oid | None:
        """Return an object id among the fields of `status`."""
        found = self.text(name)
        return bytes.fromhex(found) if _HEX.fullmatch(found) else None

    def inventory(self) -> Mapping[str, Oid]:
        """Return the files that were written, by their path in the branch; unsafe paths are left out."""
        return self._inventory if self.status else {}

    @cached_property
    def _inventory(self) -> Mapping[str, Oid]:
        return _inventory(self.status.extra.get("inventory") if self.status else None)

    def superseded(self) -> dict[str, dict[str, Oid]]:
        """Return the files that a move left in other branches and that are still to be removed, by branch."""
        found = self.status.extra.get("superseded") if self.status else None
        return {b: _inventory(i) for b, i in found.items() if isinstance(b, str)} if isinstance(found, Mapping) else {}

    def branches(self) -> set[str]:
        """Return the branches named here, on which documents stand or stood; what is no branch name is left out."""
        return {name for name in (self.text("branch"), *self.superseded()) if _is_branch(name)}

    def sizes(self) -> Mapping[str, int]:
        """Return the lengths in bytes of an aggregate's parts, in their order."""
        return self._sizes

    @cached_property
    def _sizes(self) -> Mapping[str, int]:
        found = self.status.extra.get("parts") if self.status else None
        items = found.items() if isinstance(found, Mapping) else ()
        return {k: v for k, v in items if isinstance(k, str) and type(v) is int and v >= 0}


def _is_branch(name: str) -> bool:
    """Whether *name* is that of a branch, here or elsewhere, in its one spelling."""
    address, branch = urls.split_branch(name)
    try:
        return bool(branch_name(branch)) and (not address or urls.canonical(address) == address)
    except ValueError:
        return False


def _inventory(found: Any) -> dict[str, Oid]:
    items = found.items() if isinstance(found, Mapping) else ()
    return {
        path: bytes.fromhex(oid)
        for path, oid in items
        if isinstance(path, str) and isinstance(oid, str) and _HEX.fullmatch(oid) and not paths.check(path)
    }


@dataclass(frozen=True)
class RecordedPlacement(Recorded):
    """A WorkPlacement as its status file remembers it."""

    @classmethod
    def on(cls, destination: str) -> RecordedPlacement:
        """Return a placement of which nobody remembers more than its *destination*."""
        return cls(Status("WorkPlacement", "", spec={"targetDestinationName": destination}))

    @property
    def group(self) -> str:
        return self._spec("id")

    @property
    def destination(self) -> str:
        return self._spec("targetDestinationName")

    @property
    def promise(self) -> str:
        return self._spec("promiseName")

    @property
    def resource(self) -> str:
        return self._spec("resourceName")

    @property
    def misplaced(self) -> bool:
        """Whether its Destination was found to match no more."""
        scheduled = self.status.condition(conditions.SCHEDULED) if self.status else None
        return scheduled is not None and scheduled.status == "False"

    def _spec(self, name: str) -> str:
        found = self.status.spec.get(name) if self.status else None
        return found if isinstance(found, str) else ""


@dataclass(frozen=True)
class RecordedWork(Recorded):
    """A Work and its placements, as their status files remember them; placements by name."""

    placements: Mapping[str, RecordedPlacement] = field(default_factory=dict)


class _Awaited(Mapping[str, RecordedPlacement]):
    """The placements of these *names*, each recalled from the tree *folder* when somebody asks for it."""

    def __init__(self, objects: Objects, folder: Oid, names: Iterable[str]) -> None:
        self._objects, self._folder = objects, folder
        self._found: dict[str, RecordedPlacement | None] = dict.fromkeys(names)

    def __getitem__(self, name: str) -> RecordedPlacement:
        found = self._found[name]
        if found is None:
            entry = self._objects.tree(self._folder).get(placement_file(name))
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
        elif found.kind == "WorkPlacement" and file == placement_file(found.name):
            placements[found.name] = RecordedPlacement(found)
    return RecordedWork(own, placements)


def told(objects: Objects, status: Oid | None) -> frozenset[tuple[str, int, str]]:
    """Return the problems in `repository.yaml`: file, line and message of each."""
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
        for name, entry in (objects.tree(above) if above else {}).items():
            if entry.mode == FILE and name.endswith(".yaml"):
                yield Key(kind, "", name.removesuffix(".yaml")), entry
