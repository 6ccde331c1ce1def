"""What status files remember of an object: conditions, events, and where its documents are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

_NOTHING: Mapping[str, str] = {}  # shared, and never changed


class Condition(NamedTuple):
    """A fact about an object. `last_transition_time` (RFC 3339, UTC, seconds) moves only when `status` changes."""

    type: str
    status: str
    reason: str
    message: str = ""
    last_transition_time: str = ""


class Event(NamedTuple):
    """A transition of an object; `source` is the controller that Kratix would name (`From` of `kubectl describe`)."""

    type: str
    reason: str
    source: str
    message: str
    count: int  # type: ignore[assignment]  # a tuple has a method of that name, which nobody needs
    first_timestamp: str
    last_timestamp: str


class Status(NamedTuple):
    """A status file: what every kind has. `extra` holds the other fields of its `status`, in file order."""

    kind: str
    name: str
    namespace: str = ""
    labels: Mapping[str, str] = _NOTHING
    generation: int = 1
    spec: Mapping[str, object] = _NOTHING
    conditions: tuple[Condition, ...] = ()
    extra: Mapping[str, object] = _NOTHING
    events: tuple[Event, ...] = ()

    def condition(self, kind: str) -> Condition | None:
        """Return the condition of this type."""
        return next((c for c in self.conditions if c.type == kind), None)

    @property
    def ready(self) -> bool | None:
        """Whether the object was recorded Ready; None when nothing is recorded."""
        found = self.condition("Ready")
        return None if found is None else found.status == "True"
