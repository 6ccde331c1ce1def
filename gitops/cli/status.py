"""The objects that have a status on the output branch, as a cluster's API server would list them."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterator
from typing import Any

from gitops.cli.repository import Opened
from gitops.core import yaml
from gitops.core.keys import Key
from gitops.core.memory import WORK_FILE, file_of, object_file, work_folder
from gitops.core.statusfile import MAX_NODES
from gitops.core.tree import Oid, lookup, subtree
from gitops.views.events import by_time, split
from gitops.views.kinds import KINDS, Kind, Object, name_of, namespace_of

FOLDER = "status"
_NO_EVENT = re.compile(rb"\n(?! |- |\Z)")  # a line that begins otherwise than those of a list
POLL = 0.5  # seconds between two looks at a branch


class StatusReader:
    """Reads the status files of a branch. A file is parsed once, however often its branch moves."""

    def __init__(self, opened: Opened, *, events: bool = True) -> None:
        """Read them as a whole, or without their *events*, which are most of them."""
        self._opened, self._repo, self._events = opened, opened.repo, events
        self._parsed: dict[Oid, Object | None] = {}

    def snapshot(self) -> Snapshot:
        """Return what the branch says now."""
        return Snapshot(self, self._opened.tip(self._opened.output))

    def snapshots(self, deadline: float = math.inf) -> Iterator[Snapshot]:
        """Yield what the branch says now, and again whenever it has moved, until *deadline* (monotonic seconds)."""
        seen = self.snapshot()
        yield seen
        while (left := deadline - time.monotonic()) > 0:
            time.sleep(min(POLL, left))
            self._opened.refresh()
            now = self.snapshot()
            if now.commit != seen.commit:
                seen = now
                yield seen

    def root(self, commit: Oid | None) -> Oid | None:
        """Return the tree of the status files in *commit*."""
        return subtree(self._repo.objects, self._repo.objects.read_commit(commit).tree, FOLDER) if commit else None

    def below(self, root: Oid | None, path: str, works: bool) -> Iterator[Object]:
        """List the status files in a folder: those of Works (*works*), or all others."""
        objects = self._repo.objects
        top = subtree(objects, root, path)
        folders = [top] if top else []
        while folders:
            objects.expect(folders)
            entries = [each for oid in folders for each in objects.tree(oid).items()]
            files = [entry.oid for name, entry in entries if not entry.is_tree and _is_wanted(name, works)]
            objects.expect([oid for oid in files if oid not in self._parsed])
            yield from filter(None, map(self._read, files))
            folders = list(dict.fromkeys(entry.oid for _, entry in entries if entry.is_tree))

    def at(self, root: Oid | None, path: str) -> Object | None:
        """Return the status file at *path*; None where there is none that can be read."""
        entry = lookup(self._repo.objects, root, path)
        return None if entry is None or entry.is_tree else self._read(entry.oid)

    def _read(self, oid: Oid) -> Object | None:
        if oid not in self._parsed:
            raw = self._repo.objects.blob(oid)
            self._parsed[oid] = parse(raw) if self._events else (parse(_without_events(raw)) or parse(raw))
        return self._parsed[oid]


class Snapshot:
    """The status files in one commit."""

    def __init__(self, reader: StatusReader, commit: Oid | None) -> None:
        self.commit = commit
        self._reader, self._root = reader, reader.root(commit)

    def all(self, kind: Kind, namespace: str | None) -> list[Object]:
        """Return the status files of a kind, by namespace and name; *namespace* None: those of all namespaces."""
        inside = namespace if kind.namespaced else ""
        listed = self._reader.below(self._root, _folder(kind, namespace), works=kind.kind == "Work")
        found = (f for f in listed if f["kind"] == kind.kind and inside in (None, namespace_of(f)))
        return sorted(found, key=lambda f: (namespace_of(f), name_of(f)))

    def get(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """Return one status file."""
        for path in _paths(kind, namespace, name):
            file = self._reader.at(self._root, path)
            if file and file["kind"] == kind.kind and name_of(file) == name:
                return file
        return None

    def events(self, namespace: str | None) -> list[Object]:
        """Return the events of all objects in *namespace* (None: in all), by their last time."""
        listed = (file for kind in KINDS for file in self.all(kind, namespace))
        events = (event for file in listed for event in split(file)[1])
        return by_time(event for event in events if namespace in (None, namespace_of(event)))


def _is_wanted(name: str, works: bool) -> bool:
    return name == WORK_FILE if works else name.endswith(".yaml") and name != WORK_FILE


def _without_events(raw: bytes) -> bytes:
    """Return a status file without its events, if they stand where gitops writes them: at the end."""
    end = raw.find(b"\nevents:\n")
    return raw if end < 0 or _NO_EVENT.search(raw, end + len("\nevents:")) else raw[: end + 1]


def parse(raw: bytes) -> Object | None:
    """Return the object in a status file, None when it is none: whoever may push can write anything there."""
    documents, error = yaml.read(raw, MAX_NODES)
    if error or len(documents) != 1 or documents[0].faults:
        return None
    data: Any = documents[0].data
    metadata = data.get("metadata") if isinstance(data, dict) else None
    named = isinstance(metadata, dict) and isinstance(metadata.get("name"), str)
    return data if named and isinstance(data.get("kind"), str) and isinstance(data.get("apiVersion"), str) else None


def paths(kind: Kind, namespace: str, name: str) -> list[str]:
    """Return the paths at which the status file of an object may stand."""
    return [f"{FOLDER}/{path}" for path in _paths(kind, namespace, name)]


def _folder(kind: Kind, namespace: str | None) -> str:
    if kind.namespaced:
        return f"works/{namespace}" if namespace else "works"
    return object_file(Key(kind.kind, "", "x")).rpartition("/")[0]


def _paths(kind: Kind, namespace: str, name: str) -> list[str]:
    if not kind.namespaced:
        return [object_file(Key(kind.kind, "", name))]
    if kind.kind == "Work":
        return [f"{work_folder(namespace, name)}/{WORK_FILE}"]
    works = [name[:end] for end, char in enumerate(name) if char == "."]  # the name begins with that of its Work
    return [f"{work_folder(namespace, work)}/{file_of(name)}" for work in works]
