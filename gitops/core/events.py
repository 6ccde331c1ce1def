"""Events: an event is a transition. One that comes back raises its count, as Kubernetes folds them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from gitops.api.status import Event

KEPT = 25

NORMAL, WARNING = "Normal", "Warning"
SCHEDULER = "Scheduler"
WORK, WORKPLACEMENT, DESTINATION = "WorkController", "WorkPlacementController", "DestinationController"


class Transition(NamedTuple):
    """What happened to an object in a pass, before it is counted."""

    type: str
    reason: str
    source: str
    message: str


def fold(previous: Iterable[Event], happened: Iterable[Transition], now: str) -> tuple[Event, ...]:
    """Return the newest events of an object, oldest first."""
    events: dict[tuple[Any, ...], Event] = {event[:4]: event for event in previous}  # the fields of a Transition
    for transition in happened:
        known = events.pop(transition, None)
        if known:
            events[transition] = known._replace(count=known.count + 1, last_timestamp=max(now, known.last_timestamp))
        else:
            events[transition] = Event(*transition, 1, now, now)
    return tuple(events.values())[-KEPT:]
