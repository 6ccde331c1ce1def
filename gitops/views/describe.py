"""What `describe` says of an object: kubectl's description of a custom resource, field by field, then its events."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from gitops.views.escape import escape
from gitops.views.events import describe_events
from gitops.views.gotext import display
from gitops.views.kinds import Object, labels_of, name_of, namespace_of
from gitops.views.tabwriter import TabWriter

_ACRONYMS = {"API", "URL", "UID", "OSB", "GUID"}
_SHOWN_ABOVE = {"name", "namespace", "labels", "annotations", "managedFields"}
_LONGEST_ANNOTATION = 140


def describe(obj: Object, events: Sequence[Object] | None, now: datetime) -> str:
    """Return the description of *obj* with its *events*; None leaves the section of events out."""
    lines = [
        f"Name:\t{name_of(obj)}\n",
        f"Namespace:\t{namespace_of(obj)}\n",
        "Labels:\t" + _labels(labels_of(obj)),
        "Annotations:\t" + _annotations(obj["metadata"].get("annotations") or {}),
        *_fields(_without_heading(obj), level=0),
    ]
    section = "" if events is None else describe_events(events, now)
    return TabWriter(minwidth=0, padding=2).lay_out(escape("".join(lines)) + section)


def title(field: str) -> str:
    """Return a field's name in words: `targetDestinationName` is `Target Destination Name`."""
    if any(not char.isalpha() and char != "-" for char in field):
        return field
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^A-Za-z-]+|-+", field)
    return " ".join(word.upper() if word.upper() in _ACRONYMS else word[:1].upper() + word[1:] for word in words)


def _without_heading(obj: Object) -> Object:
    metadata = {key: value for key, value in obj["metadata"].items() if key not in _SHOWN_ABOVE}
    return {**obj, "metadata": metadata}


def _fields(content: Mapping[str, Any], level: int) -> Iterator[str]:
    indent = "  " * level
    for key in sorted(content):
        match content[key]:
            case Mapping() as below:
                yield f"{indent}{title(key)}:\n"
                yield from _fields(below, level + 1)
            case list() as items:
                yield f"{indent}{title(key)}:\n"
                yield from _items(items, level + 1)
            case value:
                yield f"{indent}{title(key)}:\t{display(value)}\n"


def _items(items: Sequence[Any], level: int) -> Iterator[str]:
    for item in items:
        if isinstance(item, Mapping):
            yield from _fields(item, level)
        else:
            yield f"{'  ' * level}{display(item)}\n"


def _labels(labels: Mapping[str, Any]) -> str:
    return "\t".join(f"{key}={labels[key]}\n" for key in sorted(labels)) or "<none>\n"


def _annotations(annotations: Mapping[str, Any]) -> str:
    return "\t".join(_annotation(key, str(annotations[key])) for key in sorted(annotations)) or "<none>\n"


def _annotation(key: str, text: str) -> str:
    value = text.removesuffix("\n")
    if len(value) + len(key) + 2 <= _LONGEST_ANNOTATION and "\n" not in value:
        return f"{key}: {value}\n"
    longest = _LONGEST_ANNOTATION - 2
    shown = (line if len(line) <= longest else line[:longest] + "..." for line in value.split("\n"))
    return f"{key}:\n" + "".join(f"\t  {line}\n" for line in shown)
