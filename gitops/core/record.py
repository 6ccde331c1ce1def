"""What a pass did, gathered: the facts that only writing could tell, the new status files, and what happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from gitops.api.status import Status
from gitops.core import conditions, events, statusfile
from gitops.core.delivery import UnitId
from gitops.core.events import WARNING, Transition
from gitops.core.failures import Failure
from gitops.core.keys import Key
from gitops.core.patch import patch
from gitops.core.recorded import Inventories, Recorded
from gitops.core.tree import BLOB, DIRECTORY, EMPTY, FILE, Entry, Objects, Oid

NAMED = 10_000


class CommitName(NamedTuple):
    """A commit as messages name it."""

    oid: Oid
    author: str

    def __str__(self) -> str:
        return f"{self.oid.hex()[:7]} by {self.author}"


@dataclass(frozen=True)
class Facts:
    """What only writing, and the log, could tell.

    `versions` are the documents commits of this pass; `known_versions` those that the log names for documents that
    were already there, by (Work, placement). `sources` are the commits in which definitions last changed, by path, and
    `meddlers` those in which others changed documents, by (branch, path). `failures` are branches that could not be
    written, and why; `unfound` those that no definition leads to any more. `removed` are the objects that are not
    defined any more, and the commits that removed them.
    """

    now: str
    home: str
    versions: Mapping[UnitId, Oid] = field(default_factory=dict)
    known_versions: Mapping[tuple[Key, str], Oid] = field(default_factory=dict)
    sources: Mapping[str, CommitName] = field(default_factory=dict)
    meddlers: Mapping[tuple[str, str], CommitName] = field(default_factory=dict)
    failures: Mapping[str, Failure] = field(default_factory=dict)
    unfound: Collection[str] = frozenset()
    removed: Mapping[Key, CommitName] = field(default_factory=dict)


class Happened(NamedTuple):
    """An event of this pass, on an object."""

    object: Key
    transition: Transition


class Record:
    """The new status files by their path below `status/` (None: removed), and what happened.

    Each file becomes an object at once, and nothing else of it is kept: there may be a million. Of the events only the
    first `NAMED` are, and of the new versions, which is more than a commit message can hold; *events* and *renewed*
    count all.
    """

    def __init__(self, objects: Objects, now: str) -> None:
        self.now = now
        self.files: dict[str, Entry | None] = {}
        self.happened: list[Happened] = []
        self.events = 0
        self.renewed = 0
        self.versions: dict[str, str] = {}
        self._objects = objects

    def add(self, file: str, before: Status | None, after: Status, happened: Sequence[Transition]) -> Status:
        """Add a status file, and return it as it stands; *after* has the wanted conditions without times."""
        status = self.settled(before, after, happened)
        if status != before:
            self.write(file, statusfile.dump(status))
        self.happen(Key(after.kind, after.namespace, after.name), happened)
        return status

    def settled(self, before: Status | None, after: Status, happened: Sequence[Transition]) -> Status:
        """Return *after* with the times of its conditions and with events: those of *before*, and what *happened*."""
        settled = conditions.settle(before.conditions if before else (), after.conditions, self.now)
        folded = events.fold(before.events if before else (), happened, self.now)
        return after._replace(conditions=settled, events=folded)

    def version(self, work: Key, placement: str, version: str) -> None:
        """Note that the documents of a placement have another *version* now."""
        self.renewed += 1
        if self.renewed <= NAMED:
            self.versions[f"{work.namespace}/{placement}"] = version

    def write(self, file: str, content: bytes) -> None:
        """Add a file as it is."""
        self.files[file] = Entry(FILE, self._objects.add(BLOB, content))

    def remove(self, file: str) -> None:
        """Remove a file, or a folder with all that is in it."""
        self.files[file] = None

    @contextmanager
    def folder(self, path: str, standing: Oid | None) -> Iterator[None]:
        """Make one tree of what is added below the folder *path* meanwhile, on top of the tree that is *standing*."""
        outer, self.files = self.files, {}
        yield
        inner, self.files = self.files, outer
        if path in inner:
            outer[path] = inner[path]
        elif inner:
            tree = patch(self._objects, standing, {file.removeprefix(f"{path}/"): inner[file] for file in inner})
            outer[path] = Entry(DIRECTORY, tree) if tree != EMPTY else None

    def happen(self, key: Key, happened: Iterable[Transition]) -> None:
        """Note events of an object."""
        for transition in happened:
            self.events += 1
            if self.events <= NAMED:
                self.happened.append(Happened(key, transition))


def waiting(recorded: Recorded, superseded: Inventories, facts: Facts) -> dict[str, object]:
    """Return the field `superseded`: files in other branches, to be removed by a next pass, or by this one in vain."""
    left = {branch: files for branch, files in recorded.superseded().items() if branch in facts.failures}
    found = {**left, **superseded}
    return {"superseded": inventories(found)} if found else {}


def inventories(found: Inventories) -> dict[str, dict[str, str]]:
    """Return inventories as status files have them, by branch."""
    return {branch: {path: oid.hex() for path, oid in sorted(files.items())} for branch, files in sorted(found.items())}


def restored(branch: str, paths: Sequence[str], source: str, facts: Facts) -> Iterator[Transition]:
    """Make an event for each commit by others whose changes were put back; *source* is the controller it is from."""
    for who, count in Counter(facts.meddlers.get((branch, path)) for path in paths).items():
        text = f"{count} files changed outside gitops in {who or 'an unknown commit'} were restored"
        yield Transition(WARNING, "DriftCorrected", source, text)
