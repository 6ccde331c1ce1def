"""Events: the objects that kubectl would see, their table in `describe`, and the one of `events`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from gitops.views.age import age
from gitops.views.escape import escape
from gitops.views.kinds import Object, count_of, events_of, name_of, namespace_of
from gitops.views.table import writer

DEFAULT_NAMESPACE = "default"  # where Kubernetes keeps the events of objects that have no namespace


def split(file: Object) -> tuple[Object, list[Object]]:
    """Return the object that stands in a status file, and its events as objects of their own."""
    obj = without_events(file)
    return obj, [_event(obj, entry) for entry in events_of(file)]


def without_events(file: Object) -> Object:
    """Return the object that stands in a status file."""
    return {key: value for key, value in file.items() if key != "events"}


def by_time(events: Iterable[Object]) -> list[Object]:
    """Return *events* in order of their last time."""
    return sorted(events, key=lambda event: str(event["lastTimestamp"]))


def interval(event: Object, now: datetime) -> str:
    """Return when an event was: `4s`, or `4s (x2 over 5s)` when it came back."""
    first = age(event["firstTimestamp"], now)
    count = event["count"]
    return f"{age(event['lastTimestamp'], now)} (x{count} over {first})" if count > 1 else first


def describe_events(events: Sequence[Object], now: datetime) -> str:
    """Return the Events section of `describe`, before its layout."""
    if not events:
        return "Events:\t<none>\n"
    lines = ["Events:\n  Type\tReason\tAge\tFrom\tMessage\n  ----\t------\t----\t----\t-------\n"]
    for event in by_time(events):
        cells = (event["type"], event["reason"], interval(event, now), event["source"]["component"], _message(event))
        lines.append("  " + "\t".join(cells) + "\n")
    return escape("".join(lines))


class EventTable:
    """The table of `events`; the columns keep their widths from one call to the next."""

    def __init__(self, namespaces: bool = False, headers: bool = True) -> None:
        self._namespaces, self._headers = namespaces, headers
        self._writer = writer()

    def add(self, events: Sequence[Object], now: datetime) -> str:
        """Return the rows of *events*, after the header the first time."""
        header = ["NAMESPACE"] * self._namespaces + ["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]
        lines = [*([header] if self._headers else []), *(self._row(event, now) for event in events)]
        self._headers = False
        return self._writer.lay_out("".join(escape("\t".join(line)) + "\n" for line in lines))

    def _row(self, event: Object, now: datetime) -> list[str]:
        about = event["involvedObject"]
        cells = [event["type"], event["reason"], f"{about['kind']}/{about['name']}", _message(event)]
        return [namespace_of(event)] * self._namespaces + [interval(event, now), *cells]


def _message(event: Object) -> str:
    return str(event["message"]).strip()


def _event(obj: Object, entry: Mapping[str, Any]) -> Object:
    """Return the Event that a cluster would hold; its name comes from what never changes of it."""
    about = {"kind": obj["kind"], "namespace": namespace_of(obj), "name": name_of(obj), "apiVersion": obj["apiVersion"]}
    texts = {key: str(entry.get(key) or "") for key in ("type", "reason", "from", "message")}
    facts = "\0".join([*about.values(), *texts.values(), str(entry.get("firstTimestamp"))])
    digest = hashlib.sha256(facts.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return {
        "kind": "Event",
        "apiVersion": "v1",
        "metadata": {
            "name": f"{name_of(obj)}.{digest}",
            "namespace": namespace_of(obj) or DEFAULT_NAMESPACE,
            "creationTimestamp": None,
        },
        "involvedObject": {key: value for key, value in about.items() if value},
        "reason": texts["reason"],
        "message": texts["message"],
        "source": {"component": texts["from"]},
        "firstTimestamp": entry.get("firstTimestamp"),
        "lastTimestamp": entry.get("lastTimestamp"),
        "count": count_of(entry),
        "type": texts["type"],
        "eventTime": None,
        "reportingComponent": "",
        "reportingInstance": "",
    }
