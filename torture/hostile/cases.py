"""What a hostile input is: what somebody commits, and the one clean answer to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from support.definitions import Manifest, configmap, work
from support.platform import Content

from torture.hostile.grafting import RawTree

REPOSITORY = "repository.yaml"


class Answer(NamedTuple):
    """What a status file says: a condition's type and reason, and its message, in which … stands for anything.

    In `repository.yaml` it is a problem: *type* is the file that has it, and *reason* the line.
    """

    file: str
    type: str
    reason: str
    message: str


@dataclass(frozen=True)
class Case:
    """What is committed for one row, and what comes of it. *delivered* is all that is written outside `status/`.

    *before* tells what becomes of the documents of a good Work that stood there: `kept`, `replaced`, or that the row
    is about something else. *blind*: libgit2 cannot read what is committed, nor can the oracle.
    """

    files: Mapping[str, Content] = field(default_factory=dict)
    answers: tuple[Answer, ...] = ()
    delivered: Mapping[str, bytes] = field(default_factory=dict)
    trees: Mapping[str, RawTree] = field(default_factory=dict)
    before: Literal["kept", "replaced", ""] = "kept"
    blind: bool = False


class Row(NamedTuple):
    """A named hostile input. *make* takes the name of the object that it is about, which no other row has.

    One that is *costly* takes seconds by its nature, or spoils the pass for the oracle: it gets a pass of its own.
    """

    name: str
    make: Callable[[str], Case]
    costly: bool = False


def file_of(own: str) -> str:
    return f"works/{own}.yaml"


def place_of(own: str) -> str:
    """Where the documents of a request stand."""
    return f"state/dev/resources/default/redis/{own}/instance-configure/5058f"


def work_of(own: str) -> str:
    """The status file of a Work."""
    return f"works/default/{own}/work.yaml"


def placement_of(own: str, destination: str = "dev", group: str = "5058f") -> str:
    """The status file of a placement."""
    return f"works/default/{own}/{own}.{destination}-{group}.yaml"


def request(own: str, documents: Mapping[str, str] | None = None, **fields: Any) -> Manifest:
    """A resource request for the Destination `dev`."""
    return work(own, documents, **{"request": own, "env": "dev", **fields})


def benign(own: str) -> Manifest:
    """What a person who means well would have committed in the place of a hostile Work."""
    return request(own, {"good.yaml": configmap(f"good-{own}")})


def ready(own: str) -> Answer:
    return Answer(work_of(own), "Ready", "AllWorkplacementsScheduled", "Ready")


def held(own: str, piece: str, reason: str = "InvalidDocument", destination: str = "dev") -> tuple[Answer, Answer]:
    """A placement is held back for its documents, and its Work says so."""
    name = placement_of(own, destination).rpartition("/")[2].removesuffix(".yaml")
    failing = f"Workplacements failed to write: [{name}]"
    return (
        Answer(placement_of(own, destination), "WriteSucceeded", reason, f"…{piece}…"),
        Answer(work_of(own), "Ready", "WorkplacementsFailing", failing),
    )


def refused(name: str, documents: Mapping[str, str], piece: str, reason: str = "InvalidDocument") -> Row:
    """Documents that are not delivered."""
    return Row(name, lambda own: Case({file_of(own): request(own, documents)}, held(own, piece, reason)))


def delivered(name: str, documents: Mapping[str, str], wanted: Mapping[str, bytes] | None = None) -> Row:
    """Documents that look dangerous and are not: they arrive byte for byte."""
    found = wanted if wanted is not None else {path: text.encode() for path, text in documents.items()}

    def make(own: str) -> Case:
        there = {f"{place_of(own)}/{path}": raw for path, raw in found.items()}
        return Case({file_of(own): request(own, documents)}, (ready(own),), there, before="replaced")

    return Row(name, make)


def invalid(name: str, definition: Callable[[str], Content], piece: str, line: int = 0) -> Row:
    """A Work that names itself and is wrong: it says in which line, and how."""

    def make(own: str) -> Case:
        message = f"{file_of(own)}:{line or '…'}: …{piece}…"
        return Case({file_of(own): definition(own)}, (Answer(work_of(own), "Ready", "InvalidDefinition", message),))

    return Row(name, make)


def problem(name: str, content: Callable[[str], Content], line: int, piece: str) -> Row:
    """A file that names nobody: a problem of the repository, with its line."""
    return Row(
        name,
        lambda own: Case(
            {file_of(own): content(own)}, (Answer(REPOSITORY, file_of(own), f"{line or '…'}", f"…{piece}…"),)
        ),
    )
