"""Commit messages: a sentence for people, trailers for machines.

Trailers are built here, after all else, so that no value of a definition can forge or break one; a message is bounded,
and says how much it leaves out.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Sequence
from typing import NamedTuple

from gitops.core.delivery import PlacementDelivery, Unit, tally
from gitops.core.keys import Key
from gitops.core.record import CommitName, Happened, Record
from gitops.core.selectors import Selector
from gitops.core.text import counted, printable
from gitops.core.tree import Oid

SUBJECT = 72
MAX_BYTES = 256 << 10
_RESERVE = 16 << 10

Trailer = tuple[str, str]

SOURCE_COMMIT, WORK, DESTINATION, PLACE = "Gitops-Source-Commit", "Gitops-Work", "Gitops-Destination", "Gitops-Path"
_ARGOCD = "Argocd-reference-commit-"
REPOSITORY = f"{_ARGOCD}repourl"
_DOCUMENTS = re.compile(r"(place|update|withdraw|move|destination)\(")
_SOURCE = re.compile(rf"^{SOURCE_COMMIT}: ([0-9a-f]{{40}})$", re.MULTILINE)


class Source(NamedTuple):
    """The commit that people made, as messages name it. `date` is RFC 3339."""

    oid: str
    author: str
    email: str
    subject: str
    date: str
    url: str = ""


def _source_trailers(source: Source) -> list[Trailer]:
    """Name the source commit, for us and for Argo CD, which shows it beside the revision."""
    reference = [
        ("sha", source.oid),
        ("author", f"{source.author} <{source.email}>"),
        ("subject", source.subject),
        ("date", source.date),
        ("repourl", source.url),
    ]
    return [(SOURCE_COMMIT, source.oid)] + [(_ARGOCD + k, v) for k, v in reference if v]


def documents(
    units: Sequence[Unit],
    source: Source,
    removed: dict[Key, CommitName],
    selectors: Iterable[Selector],
    gone: Container[str] = (),
) -> str:
    """Return the message of a documents commit: of one unit, placed by *selectors*, or of all units of a pass.

    *removed* are the definitions that are no more, *gone* the files that earlier commits of the pass removed.
    """
    count = f" ({tally(units, gone)})"
    names = sorted({name for unit in units for name in unit.destinations})
    placed = any(unit.placements or unit.key.kind == "Work" for unit in units)
    what = _listed(names, "Destination") if placed else _own(units)
    subject = _cut(f"{_verb(units)}({_object(units)}): {what}{count}", count)
    why = _why(units, source, removed, selectors)
    return _message(subject, [why], _document_trailers(units, names), _source_trailers(source))


def _own(units: Sequence[Unit]) -> str:
    """Say what a Destination commits: its canary documents, or the aggregate of several Works."""
    works = sorted({key.namespaced_name for unit in units for key in unit.works})
    return _listed(works, "Work") if works else "own documents"


def _verb(units: Sequence[Unit]) -> str:
    verbs = {_unit_verb(unit) for unit in units}
    return next((verb for verb in ("move", "place", "update", "withdraw", "destination") if verb in verbs), "update")


def _unit_verb(unit: Unit) -> str:
    if unit.key.kind == "Destination":
        return "move" if unit.placements else "destination"
    changed = {_placement_verb(delivery, unit.branch) for delivery in unit.placements}
    return next((verb for verb in ("place", "move", "update", "withdraw") if verb in changed), "update")


def _placement_verb(delivery: PlacementDelivery, branch: str) -> str:
    if delivery.placement is None:
        return "withdraw"
    if not delivery.recorded.inventory():
        return "place"
    return "move" if delivery.moved or delivery.branch != branch else "update"


def _object(units: Sequence[Unit]) -> str:
    if len(units) == 1:
        key = units[0].key
        return key.name if key.kind == "Destination" else key.namespaced_name
    works = len({unit.key for unit in units if unit.key.kind == "Work"})
    return counted(works, "Work") if works else f"{len(units)} Destinations"


def _listed(names: Sequence[str], noun: str) -> str:
    joined = ", ".join(names)
    return joined if len(joined) <= 30 or len(names) == 1 else f"{len(names)} {noun}s"


def _cut(subject: str, tail: str) -> str:
    if len(subject) <= SUBJECT:
        return subject
    return f"{subject[: SUBJECT - len(tail) - 1]}…{tail}"


def _why(units: Sequence[Unit], source: Source, removed: dict[Key, CommitName], selectors: Iterable[Selector]) -> str:
    commit = f"source commit {source.oid[:7]}"
    if len(units) > 1:
        return f"All changes of one pass: {commit}, {printable(source.subject, 200)}"
    unit = units[0]
    if unit.key in removed:
        return f"The definition was removed in {removed[unit.key]}."
    gone = [removed[key] for name in sorted(unit.destinations) if (key := Key("Destination", "", name)) in removed]
    if gone and _verb(units) == "withdraw":
        return f"Destination {min(unit.destinations)} was removed in {gone[0]}."
    restored = sum(len(delivery.restored) for delivery in unit.placements)
    return {
        "place": f"{_match(selectors)} {', '.join(sorted(unit.destinations))}; {commit}.",
        "move": f"The place of its documents changed; {commit}.",
        "withdraw": f"It is not placed there any more; {commit}.",
        "destination": f"Documents of the Destination itself; {commit}.",
        "update": f"Files changed outside gitops are restored; {commit}."
        if restored
        else f"Its documents changed; {commit}.",
    }[_verb(units)]


def _match(selectors: Iterable[Selector]) -> str:
    told = [str(selector) for selector in selectors if not selector.empty]
    return f"Its selectors ({printable('; '.join(told), 200)}) match" if told else "Without selectors it goes to"


def _document_trailers(units: Sequence[Unit], names: Iterable[str]) -> Iterator[Trailer]:
    works = sorted({key for unit in units for key in unit.works})
    for key in works:
        yield WORK, key.namespaced_name
    for name in names:
        yield DESTINATION, name
    for place in sorted({place for unit in units for place in unit.places if place}):
        yield PLACE, place


def status(summary: str, record: Record, works: Iterable[Key], source: Source) -> str:
    """Return the message of a status commit. *summary* counts the Works, *works* are those whose status changed."""
    count = f" ({counted(record.events, 'event')})"
    lines = (f"{t.type} {t.reason} {key}: {t.message}" for key, t in record.happened)
    return _message(
        _cut(f"status: {summary}{count}", count),
        lines,
        _status_trailers(record.happened, works, record.versions),
        [(SOURCE_COMMIT, source.oid)],
        2 * (record.events - len(record.happened)) + record.renewed - len(record.versions),
    )


def _status_trailers(happened: Iterable[Happened], works: Iterable[Key], versions: dict[str, str]) -> Iterator[Trailer]:
    for key, transition in happened:
        yield "Gitops-Event", f"{transition.type} {transition.reason} {key}"
    for key in sorted(works):
        yield WORK, key.namespaced_name
    for name, version in sorted(versions.items()):
        yield "Gitops-Version", f"{name} {version}"


def _message(
    subject: str, lines: Iterable[str], objects: Iterable[Trailer], last: Sequence[Trailer], unnamed: int = 0
) -> str:
    """Put a message together; lines and trailers of single objects are left out from the bound on, and counted.

    *unnamed* are those that are not even among *lines* and *objects*.
    """
    room = MAX_BYTES - _RESERVE
    body, room, lost_lines = _fitting(lines, room // 2, room)
    trailers, room, lost = _fitting((f"{k}: {v}" for k, v in objects), room, room)
    ending = [f"{key}: {printable(value, 2000)}" for key, value in last]
    if lost or lost_lines:
        ending.append(f"Gitops-Truncated: {lost + lost_lines + unnamed}")
    return "\n\n".join(part for part in (subject, "\n".join(body), "\n".join([*trailers, *ending])) if part) + "\n"


def _fitting(lines: Iterable[str], share: int, room: int) -> tuple[list[str], int, int]:
    """Return the lines that fit into *share* bytes, what is left of *room*, and how many do not fit."""
    kept: list[str] = []
    used = 0
    rest = iter(lines)
    for line in rest:
        shown = printable(line, 2000)
        size = len(shown.encode()) + 1
        if used + size > share:
            return kept, room - used, 1 + sum(1 for _ in rest)
        used += size
        kept.append(shown)
    return kept, room - used, 0


def is_status(message: str) -> bool:
    """Whether a commit with this message is a status commit of ours: a claim, not a proof."""
    return message.startswith("status: ") and _SOURCE.search(message) is not None


def source_of(message: str) -> Oid | None:
    """Return the source commit that a message of ours names."""
    found = _SOURCE.search(message)
    return bytes.fromhex(found[1]) if found else None


def is_ours(message: str) -> bool:
    """Whether a commit with this message is one of ours."""
    return is_status(message) or is_documents(message)


def is_documents(message: str) -> bool:
    """Whether a commit with this message is a documents commit of ours."""
    return _DOCUMENTS.match(message) is not None and _SOURCE.search(message) is not None
