"""Conditions that settle: an unchanged condition stays byte-identical, and its time moves only with its status."""

from __future__ import annotations

from collections.abc import Iterable

from gitops.api.status import Condition

SCHEDULED, WRITTEN, READY = "ScheduleSucceeded", "WriteSucceeded", "Ready"


def true(kind: str, reason: str, message: str) -> Condition:
    """Return a condition that holds."""
    return Condition(kind, "True", reason, message)


def false(kind: str, reason: str, message: str) -> Condition:
    """Return a condition that does not hold."""
    return Condition(kind, "False", reason, message)


def settle(previous: Iterable[Condition], wanted: Iterable[Condition], now: str) -> tuple[Condition, ...]:
    """Return *wanted* with the times of their last transitions; a clock that went back moves none before its last."""
    before = {c.type: c for c in previous}
    return tuple(Condition(c.type, c.status, c.reason, c.message, _when(before.get(c.type), c, now)) for c in wanted)


def _when(before: Condition | None, condition: Condition, now: str) -> str:
    if before is None or not before.last_transition_time:
        return now
    return before.last_transition_time if before.status == condition.status else max(now, before.last_transition_time)
