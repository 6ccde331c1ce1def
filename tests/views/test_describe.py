from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from gitops.views.describe import describe, title
from gitops.views.events import EventTable, split

SHA = "0123456789abcdef0123456789abcdef01234567"


def work(*events: dict[str, Any], **parts: Any) -> dict[str, Any]:
    metadata = {"name": "redis", "namespace": "default", "generation": 1}
    return {
        "apiVersion": "platform.kratix.io/v1alpha1",
        "kind": "Work",
        "metadata": metadata,
        **parts,
        "events": [*events],
    }


def event(kind: str, reason: str, source: str, message: str, count: int, first: str, last: str) -> dict[str, Any]:
    times = {"firstTimestamp": f"2025-06-23T{first}Z", "lastTimestamp": f"2025-06-23T{last}Z"}
    return {"type": kind, "reason": reason, "from": source, "message": message, "count": count, **times}


MISMATCH = "Target destination no longer matches destinationSelectors for workloadGroups: [5058f1af]"
AGAIN = event("Warning", "DestinationSelectorMismatch", "Scheduler", MISMATCH, 2, "14:03:20", "14:03:21")
WRITTEN = event(
    "Normal",
    "WorkloadsWrittenToStateStore",
    "WorkPlacementController",
    f"successfully written to Destination: worker-1 with versionID: {SHA}",
    1,
    "14:01:02",
    "14:01:02",
)
NOW = datetime(2025, 6, 23, 14, 3, 25, 999999, tzinfo=UTC)


def test_an_event_that_came_back_shows_its_count_and_both_ages() -> None:
    obj, events = split(work(AGAIN))
    assert describe(obj, events, NOW).partition("Events:")[2] == (
        "\n"
        "  Type     Reason                       Age              From       Message\n"
        "  ----     ------                       ----             ----       -------\n"
        f"  Warning  DestinationSelectorMismatch  4s (x2 over 5s)  Scheduler  {MISMATCH}\n"
    )


def test_a_single_event_shows_its_age() -> None:
    obj, events = split(work(WRITTEN))
    assert describe(obj, events, NOW).partition("Events:")[2] == (
        "\n"
        "  Type    Reason                        Age    From                     Message\n"
        "  ----    ------                        ----   ----                     -------\n"
        "  Normal  WorkloadsWrittenToStateStore  2m23s  WorkPlacementController  successfully written to Destination: "
        f"worker-1 with versionID: {SHA}\n"
    )


def test_events_come_in_the_order_of_their_last_time() -> None:
    obj, events = split(work(AGAIN, WRITTEN))
    text = describe(obj, events, NOW)
    assert text.index("WorkloadsWritten") < text.index("DestinationSelectorMismatch")


def test_fields_are_titled_and_sorted_and_indented() -> None:
    status = {"versionID": SHA, "list": [1, "two", [3], {"b": None, "a": True}], "map": {"a/b.yaml": "x"}, "empty": []}
    obj, _ = split(work(status=status, spec={"targetDestinationName": "worker-1", "url": "u"}))
    obj["metadata"].update(labels={"b": "2", "a": "1"}, annotations={"note": "short", "text": "two\nlines"})
    assert describe(obj, [], NOW) == (
        "Name:         redis\n"
        "Namespace:    default\n"
        "Labels:       a=1\n"
        "              b=2\n"
        "Annotations:  note: short\n"
        "              text:\n"
        "                two\n"
        "                lines\n"
        "API Version:  platform.kratix.io/v1alpha1\n"
        "Kind:         Work\n"
        "Metadata:\n"
        "  Generation:  1\n"
        "Spec:\n"
        "  Target Destination Name:  worker-1\n"
        "  URL:                      u\n"
        "Status:\n"
        "  Empty:\n"
        "  List:\n"
        "    1\n"
        "    two\n"
        "    [3]\n"
        "    A:  true\n"
        "    B:  <nil>\n"
        "  Map:\n"
        "    a/b.yaml:  x\n"
        f"  Version ID:  {SHA}\n"
        "Events:        <none>\n"
    )


def test_without_its_events_the_section_is_left_out() -> None:
    obj, _ = split(work(AGAIN))
    assert "Events" not in describe(obj, None, NOW)


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("lastTransitionTime", "Last Transition Time"),
        ("apiVersion", "API Version"),
        ("versionID", "Version ID"),
        ("uid", "UID"),
        ("HTTPServer", "HTTP Server"),
        ("a-b", "A - B"),
        ("state/a.yaml", "state/a.yaml"),
        ("a1", "a1"),
    ],
)
def test_titles_of_fields(field: str, words: str) -> None:
    assert title(field) == words


def test_an_event_keeps_its_name_when_it_comes_back() -> None:
    once = {**AGAIN, "count": 1, "lastTimestamp": AGAIN["firstTimestamp"]}
    names = {split(work(entry))[1][0]["metadata"]["name"] for entry in (once, AGAIN)}
    assert len(names) == 1
    assert split(work(WRITTEN))[1][0]["metadata"]["name"] not in names


def test_the_events_of_an_object_without_namespace_are_in_the_default_one() -> None:
    destination = work(AGAIN)
    del destination["metadata"]["namespace"]
    found = split(destination)[1][0]
    assert found["metadata"]["namespace"] == "default"
    assert "namespace" not in found["involvedObject"]


def test_what_is_no_event_in_a_status_file_is_left_out() -> None:
    assert split(work() | {"events": "none"})[1] == []
    assert split(work() | {"events": ["text", {"count": "x"}]})[1][0]["count"] == 1


def test_the_table_of_events_keeps_its_columns_while_rows_are_added() -> None:
    table = EventTable()
    events = split(work(AGAIN, WRITTEN))[1]
    assert table.add(events[:1], NOW) == (
        "LAST SEEN         TYPE      REASON                        OBJECT       MESSAGE\n"
        f"4s (x2 over 5s)   Warning   DestinationSelectorMismatch   Work/redis   {MISMATCH}\n"
    )
    assert table.add(events[1:], NOW).startswith(
        "2m23s             Normal    WorkloadsWrittenToStateStore   Work/redis"
    )
