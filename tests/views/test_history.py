from __future__ import annotations

import json
from typing import Any

from gitops.views.history import Commit, as_json, changes, table

COMMIT = Commit("c" * 40, "2025-06-23T15:00:00Z", "status: 1 Work\n")
OLD, NEW = "a" * 40, "b" * 40


def file(*events: dict[str, Any], version: str = "", kind: str = "WorkPlacement") -> dict[str, Any]:
    status = {"versionID": version} if version else {}
    return {
        "apiVersion": "platform.kratix.io/v1alpha1",
        "kind": kind,
        "metadata": {"name": "redis", "namespace": "default"},
        "status": status,
        "events": [*events],
    }


def event(reason: str, count: int = 1, time: str = "2025-06-23T14:03:20Z") -> dict[str, Any]:
    times = {"firstTimestamp": "2025-06-23T14:03:20Z", "lastTimestamp": time}
    return {"type": "Normal", "reason": reason, "from": "Scheduler", "message": f"{reason} it", "count": count, **times}


def test_a_new_event_and_one_that_came_back_are_told_and_others_are_not() -> None:
    before = file(event("Known"), event("Back"))
    after = file(event("Known"), event("Back", 2, "2025-06-23T14:59:00Z"), event("New"))
    told = [(e.time, e.reason, e.count) for e in changes(COMMIT, before, after)]
    assert told == [("2025-06-23T14:59:00Z", "Back", 2), ("2025-06-23T14:03:20Z", "New", 1)]


def test_a_version_is_written_changed_and_removed() -> None:
    steps = [(None, file(version=OLD)), (file(version=OLD), file(version=NEW)), (file(version=NEW), None)]
    told = [e for before, after in steps for e in changes(COMMIT, before, after) if e.type == "Version"]
    assert [(e.reason, e.old, e.new) for e in told] == [
        ("Written", "", OLD),
        ("Changed", OLD, NEW),
        ("Removed", NEW, ""),
    ]


def test_the_last_events_of_a_removed_object_come_from_the_commit_message() -> None:
    message = (
        "status: 0 Works (2 events)\n\n"
        "Normal WorkplacementReconciled Work/default/redis: operation: deleted (definition removed in abc1234 by Ada)\n"
        "Normal WorkplacementReconciled Work/default/redis-large: of another object\n\n"
        "Gitops-Event: Normal WorkplacementReconciled Work/default/redis\n"
    )
    told = changes(Commit("c" * 40, "2025-06-23T15:00:00Z", message), file(kind="Work"), None)
    assert [(e.type, e.reason, e.message) for e in told] == [
        ("Normal", "WorkplacementReconciled", "operation: deleted (definition removed in abc1234 by Ada)"),
        ("Status", "Removed", "status: 0 Works (2 events)"),
    ]


def test_the_table_has_a_line_for_each_entry_whatever_stands_in_a_message() -> None:
    hostile = {**event("New"), "message": "two\nlines and \x1b[31mred\ttab"}
    text = table(changes(COMMIT, file(version=OLD), file(hostile, version=NEW)))
    assert text == (
        "TIME                   COMMIT    TYPE      REASON    MESSAGE\n"
        "2025-06-23T14:03:20Z   ccccccc   Normal    New       two\\nlines and \\x1b[31mred\\ttab\n"
        "2025-06-23T15:00:00Z   ccccccc   Version   Changed   redis: aaaaaaa -> bbbbbbb\n"
    )


def test_json_has_whole_ids_and_the_source_of_events() -> None:
    told = json.loads(as_json(changes(COMMIT, None, file(event("New"), version=NEW))))
    assert told == [
        {
            "time": "2025-06-23T14:03:20Z",
            "commit": "c" * 40,
            "object": "WorkPlacement/redis",
            "type": "Normal",
            "reason": "New",
            "message": "New it",
            "from": "Scheduler",
            "count": 1,
        },
        {
            "time": "2025-06-23T15:00:00Z",
            "commit": "c" * 40,
            "object": "WorkPlacement/redis",
            "type": "Version",
            "reason": "Written",
            "old": None,
            "new": NEW,
        },
    ]
