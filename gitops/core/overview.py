"""status/README.md: what is not Ready and why, then counts and tables, bounded, for a forge's web page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gitops.api.status import Status
from gitops.core.conditions import READY, SCHEDULED
from gitops.core.keys import Key
from gitops.core.text import counted, markdown

MAX_ROWS = 100
ORDER = ("Ready", "Pending", "Misplaced", "Failing", "Invalid")
_CATEGORIES = {
    "AllWorkplacementsScheduled": "Ready",
    "UnscheduledWorkloadGroups": "Pending",
    "Misplaced": "Misplaced",
    "WorkplacementsFailing": "Failing",
    "InvalidDefinition": "Invalid",
}


class Verdict(NamedTuple):
    """How a Work stands, in a word, and the message that says why."""

    category: str
    message: str


@dataclass(frozen=True)
class Verdicts:
    """How all Works stand: each of them, those that are not Ready, and how many there are of each category."""

    each: Mapping[Key, Verdict] = field(default_factory=dict)
    unready: Mapping[Key, Verdict] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)

    def after(self, changes: Mapping[Key, Verdict | None]) -> Verdicts:
        """Return how they stand when some have another verdict, or none any more."""
        each, unready, counts = dict(self.each), dict(self.unready), dict(self.counts)
        for key, verdict in changes.items():
            unready.pop(key, None)
            if old := each.pop(key, None):
                counts[old.category] -= 1
            if verdict:
                each[key] = verdict
                counts[verdict.category] = counts.get(verdict.category, 0) + 1
                if verdict.category != "Ready":
                    unready[key] = verdict
        return Verdicts(each, unready, {category: counts[category] for category in ORDER if counts.get(category)})

    @property
    def invalid(self) -> frozenset[Key]:
        """The Works whose definition is wrong."""
        return frozenset(key for key, verdict in self.unready.items() if verdict.category == "Invalid")

    @property
    def tally(self) -> str:
        """The counts in words: `5 Works, 4 Ready, 1 Pending`."""
        return ", ".join([counted(len(self.each), "Work"), *(f"{n} {c}" for c, n in self.counts.items())])


def verdict(status: Status) -> Verdict:
    """Sum up the status of a Work."""
    ready, scheduled = status.condition(READY), status.condition(SCHEDULED)
    if ready is None:
        return Verdict("Pending", "")
    category = _CATEGORIES.get(ready.reason, "Failing")
    telling = scheduled if scheduled and ready.message == category else ready
    return Verdict(category, telling.message)


def scope(
    verdicts: Verdicts,
    objects: Mapping[Key, Status],
    placements: Mapping[str, int],
    problems: Iterable[str],
) -> dict[str, Any]:
    """Return what the template of the overview shows. *placements* counts the Works on each Destination."""
    rows = [*_works(verdicts), *_objects(objects)]
    places = list(_destinations(objects, placements))
    return {
        "counts": verdicts.counts,
        "total": len(verdicts.each),
        "attention": rows[:MAX_ROWS],
        "attention_more": max(0, len(rows) - MAX_ROWS),
        "destinations": places[:MAX_ROWS],
        "destinations_more": max(0, len(places) - MAX_ROWS),
        "problems": [markdown(p) for p in problems][:MAX_ROWS],
    }


def _works(verdicts: Verdicts) -> Iterator[dict[str, str]]:
    for key, (state, message) in sorted(verdicts.unready.items()):
        yield {"kind": key.kind, "name": key.namespaced_name, "state": state, "message": markdown(message)}


def _objects(objects: Mapping[Key, Status]) -> Iterator[dict[str, str]]:
    for key, status in sorted(objects.items()):
        if not status.ready:
            yield {"kind": key.kind, "name": key.name, "state": "NotReady", "message": markdown(_message(status))}


def _destinations(objects: Mapping[Key, Status], placements: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    for key, status in sorted(objects.items()):
        if key.kind == "Destination":
            ready, works = "Ready" if status.ready else "NotReady", placements.get(key.name, 0)
            yield {"name": key.name, "ready": ready, "labels": markdown(_labels(status)), "works": works}


def _message(status: Status) -> str:
    ready = status.condition(READY)
    return ready.message if ready else ""


def _labels(status: Status) -> str:
    return ", ".join(f"{k}={v}" for k, v in sorted(status.labels.items()))
