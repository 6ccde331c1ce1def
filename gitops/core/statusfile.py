"""Status files: how a `Status` stands in a file, and what can be believed of one that is found there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from gitops.api.meta import API_VERSION
from gitops.api.status import Condition, Event, Status
from gitops.core import yaml
from gitops.core.events import KEPT
from gitops.core.yaml import entries, text

MAX_NODES = 200_000
"""The inventory of a large Work has two for each document."""


def dump(status: Status) -> bytes:
    """Return the file: keys in a fixed order, so that the same facts give the same bytes."""
    parts = [_head(status)]
    if status.spec:
        parts += "spec:\n", entries(status.spec, "  ")
    parts.append("status:\n" if status.conditions or status.extra else "status: {}\n")
    if status.conditions:
        parts.append("  conditions:\n")
        parts += map(_condition, status.conditions)
    parts.append(entries(status.extra, "  "))
    if status.events:
        parts.append("events:\n")
        parts += map(_event, status.events)
    return "".join(parts).encode()


def _head(status: Status) -> str:
    namespace = f"  namespace: {text(status.namespace)}\n" if status.namespace else ""
    labels = f"  labels:\n{entries(status.labels, '    ')}" if status.labels else ""
    return (
        f"apiVersion: {API_VERSION}\n"
        f"kind: {text(status.kind)}\n"
        "metadata:\n"
        f"  name: {text(status.name)}\n"
        f"{namespace}"
        f"{labels}"
        f"  generation: {status.generation}\n"
    )


@lru_cache(maxsize=1024)  # those of the placements of a Work are the same
def _condition(condition: Condition) -> str:
    return (
        f"  - lastTransitionTime: {text(condition.last_transition_time)}\n"
        f"    message: {text(condition.message)}\n"
        f"    reason: {text(condition.reason)}\n"
        f"    status: {text(condition.status)}\n"
        f"    type: {text(condition.type)}\n"
    )


def _event(event: Event) -> str:
    return (
        f"- type: {text(event.type)}\n"
        f"  reason: {text(event.reason)}\n"
        f"  from: {text(event.source)}\n"
        f"  message: {text(event.message)}\n"
        f"  count: {event.count}\n"
        f"  firstTimestamp: {text(event.first_timestamp)}\n"
        f"  lastTimestamp: {text(event.last_timestamp)}\n"
    )


def load(raw: bytes) -> Status | None:
    """Return what the file says, without what cannot be right; None when it is no status file at all.

    Anybody who may push can write here, so that nothing in it is a reason to fail.
    """
    head, events = _divided(raw)
    documents, error = yaml.read(head, MAX_NODES)
    if error or len(documents) != 1 or documents[0].faults:
        return None
    file = _mapping(documents[0].data)
    if events and "events" in file:
        return None  # twice
    metadata, body = _mapping(file.get("metadata")), _mapping(file.get("status"))
    kind, name = _text(file, "kind"), _text(metadata, "name")
    if not kind or not name or file.get("apiVersion") != API_VERSION:
        return None
    return Status(
        kind=kind,
        name=name,
        namespace=_text(metadata, "namespace"),
        labels={key: value for key, value in _mapping(metadata.get("labels")).items() if isinstance(value, str)},
        generation=_number(metadata, "generation"),
        spec=_mapping(file.get("spec")),
        conditions=_one_list(tuple(map(_read_condition, _entries(body.get("conditions"), "type", "status")))),
        extra={key: value for key, value in body.items() if key != "conditions"},
        events=events or tuple(_read_event(entry) for entry in _entries(file.get("events"), "type", "reason")),
    )


_WORD = "([A-Z][A-Za-z]{5,})"  # of any five or less letters YAML may make something else than a text
_PHRASE = "([A-Z][A-Za-z]* [A-Za-z ]*[a-z])"
_QUOTED = r'"([ !#-\[\]-~]*)"'
_EVENT = re.compile(
    rf"- type: {_WORD}\n  reason: {_WORD}\n  from: {_WORD}\n  message: (?:{_QUOTED}|{_PHRASE})\n"
    rf"  count: ([1-9][0-9]{{0,8}})\n  firstTimestamp: {_QUOTED}\n  lastTimestamp: {_QUOTED}\n"
)


def _divided(raw: bytes) -> tuple[bytes, tuple[Event, ...]]:
    """Take the events off the end of a file, if all stand there as `dump` writes them: they are most of a Work's.

    What it would write in another way is left to the reader that knows all of YAML.
    """
    head, _, tail = raw.partition(b"\nevents:\n")
    text, end, events = tail.decode(errors="replace"), 0, list[Event]()
    for match in _EVENT.finditer(text):
        if match.start() != end or len(events) == KEPT:
            return raw, ()
        *words, quoted, phrase, count, first, last = match.groups()
        kind, reason, source, first, last = map(_one_word, (*words, first, last))
        events.append(Event(kind, reason, source, phrase or quoted, int(count), first, last))
        end = match.end()
    return (head + b"\n", tuple(events)) if events and end == len(text) else (raw, ())


@lru_cache(maxsize=1024)
def _one_word(word: str) -> str:
    """Return the same object for the same word of an event: a million placements share a few."""
    return word


@lru_cache(maxsize=1024)
def _one_list(conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
    """Return the same object for the same conditions: a million placements share a few."""
    return conditions


def _read_condition(entry: Mapping[str, Any]) -> Condition:
    return Condition(
        type=_text(entry, "type"),
        status=_text(entry, "status"),
        reason=_text(entry, "reason"),
        message=_text(entry, "message"),
        last_transition_time=_text(entry, "lastTransitionTime"),
    )


def _read_event(entry: Mapping[str, Any]) -> Event:
    return Event(
        type=_text(entry, "type"),
        reason=_text(entry, "reason"),
        source=_text(entry, "from"),
        message=_text(entry, "message"),
        count=_number(entry, "count"),
        first_timestamp=_text(entry, "firstTimestamp"),
        last_timestamp=_text(entry, "lastTimestamp"),
    )


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _entries(value: object, *required: str) -> list[dict[str, Any]]:
    """Return the mappings of a list that have some text for each of the *required* keys."""
    entries = value if isinstance(value, list) else []
    return [entry for entry in entries if isinstance(entry, dict) and all(_text(entry, key) for key in required)]


def _text(mapping: Mapping[str, Any], key: str) -> str:
    value = mapping.get(key)
    return value if isinstance(value, str) else ""


def _number(mapping: Mapping[str, Any], key: str) -> int:
    value = mapping.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 1
