"""The history of an object: what each commit of the log says that happened to it, as people read it and as JSON.

The difference of its status file in a commit is the whole record. The commit's message adds what a status file cannot
keep: the last events of an object that was removed with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitops.core.text import printable
from gitops.views.escape import escape
from gitops.views.kinds import Object, count_of, events_of, name_of, namespace_of
from gitops.views.serialise import to_json
from gitops.views.table import writer

VERSION = "Version"  # stands where the other rows have the type of an event
_LONGEST_LINE = 2000


@dataclass(frozen=True)
class Commit:
    """The commit that says so; *time* (RFC 3339, UTC) is the committer's."""

    oid: str
    time: str
    message: str


@dataclass(frozen=True)
class Entry:
    """One thing that happened to *object* (`Kind/name`). An event has a *source*; a version has *old* and *new*."""

    time: str
    commit: str
    object: str
    type: str
    reason: str
    message: str
    source: str = ""
    count: int = 1
    old: str = ""
    new: str = ""


def changes(commit: Commit, before: Object | None, after: Object | None) -> list[Entry]:
    """Return what happened to an object whose status file was *before* and is *after*; None where there is none."""
    events = [_event(commit, after, event) for event in _happened(before, after)] if after else []
    removed = list(_last_words(commit, before)) if before and not after else []
    return [*events, *removed, *versions(commit, before, after)]


def versions(commit: Commit, before: Object | None, after: Object | None) -> list[Entry]:
    """Return the change of a WorkPlacement's versionID, if it is one."""
    old, new, obj = _version(before), _version(after), after or before
    if obj is None or old == new:
        return []
    if old and new:
        reason, shown = "Changed", f"{old[:7]} -> {new[:7]}"
    else:
        reason, shown = ("Written", new[:7]) if new else ("Removed", old[:7])
    message = f"{name_of(obj)}: {shown}"
    return [Entry(commit.time, commit.oid, _object(obj), VERSION, reason, message, old=old, new=new)]


def table(entries: Sequence[Entry]) -> str:
    """Return one line for each entry."""
    lines = ["TIME\tCOMMIT\tTYPE\tREASON\tMESSAGE\n"]
    for entry in entries:
        cells = (entry.time, entry.commit[:7], entry.type, entry.reason, printable(entry.message, _LONGEST_LINE))
        lines.append(escape("\t".join(cells)) + "\n")
    return writer().lay_out("".join(lines))


def as_json(entries: Sequence[Entry]) -> str:
    """Return a JSON list of the entries; what an entry has not is left out."""
    return to_json([_fields(entry) for entry in entries], sort=False) + "\n"


def _fields(entry: Entry) -> Mapping[str, Any]:
    start = {"time": entry.time, "commit": entry.commit, "object": entry.object, "type": entry.type}
    if entry.type == VERSION:
        return {**start, "reason": entry.reason, "old": entry.old or None, "new": entry.new or None}
    told = {"reason": entry.reason, "message": entry.message}
    return {**start, **told, **({"from": entry.source, "count": entry.count} if entry.source else {})}


def _event(commit: Commit, obj: Object, event: Mapping[str, Any]) -> Entry:
    texts = {key: str(event.get(key) or "") for key in ("lastTimestamp", "type", "reason", "message", "from")}
    return Entry(
        texts["lastTimestamp"] or commit.time,
        commit.oid,
        _object(obj),
        texts["type"],
        texts["reason"],
        texts["message"],
        texts["from"],
        count_of(event),
    )


def _happened(before: Object | None, after: Object) -> Iterator[Mapping[str, Any]]:
    """List the events that are new, or have come back."""
    known = {_identity(event): count_of(event) for event in events_of(before or {})}
    return (event for event in events_of(after) if count_of(event) > known.get(_identity(event), 0))


def _last_words(commit: Commit, obj: Object) -> Iterator[Entry]:
    """List the events that only the message of the commit tells, for the object is gone, and that it is."""
    key = "/".join(part for part in (str(obj["kind"]), namespace_of(obj), name_of(obj)) if part)
    for kind, reason, message in re.findall(rf"(?m)^(Normal|Warning) (\w+) {re.escape(key)}: (.*)$", commit.message):
        yield Entry(commit.time, commit.oid, _object(obj), kind, reason, message)
    subject = commit.message.partition("\n")[0]
    yield Entry(commit.time, commit.oid, _object(obj), "Status", "Removed", subject)


def _identity(event: Mapping[str, Any]) -> tuple[object, ...]:
    return tuple(event.get(key) for key in ("type", "reason", "from", "message"))


def _version(file: Object | None) -> str:
    status = file.get("status") if file else None
    return str(status.get("versionID") or "") if isinstance(status, Mapping) else ""


def _object(obj: Object) -> str:
    return f"{obj['kind']}/{name_of(obj)}"
