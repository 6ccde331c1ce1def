"""Status files: one shape for the same facts, and nothing in one that is a reason to fail."""

import re
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops.api.status import Condition, Event, Status
from gitops.core import statusfile, yaml
from gitops.core.events import KEPT

FILE = b"""\
apiVersion: platform.kratix.io/v1alpha1
kind: WorkPlacement
metadata:
  name: redis-small.worker-1-5058f
  namespace: default
  labels:
    kratix.io/work: redis-small
  generation: 1
spec:
  targetDestinationName: worker-1
  id: 5058f1af8388633f609cadb75a75dc9d
  promiseName: redis
  resourceName: small
  generation: 1
status:
  conditions:
  - lastTransitionTime: "2025-06-23T14:03:20Z"
    message: Scheduled to correct Destination
    reason: ScheduledToDestination
    status: "True"
    type: ScheduleSucceeded
  - lastTransitionTime: "2025-06-23T14:03:20Z"
    message: ""
    reason: WorkloadsWrittenToStateStore
    status: "True"
    type: WriteSucceeded
  versionID: 5058f1af8388633f609cadb75a75dc9d00000000
  inventory:
    state/worker-1/redis.yaml: 0a58f1af8388633f609cadb75a75dc9d00000000
events:
- type: Normal
  reason: WorkloadsWrittenToStateStore
  from: WorkPlacementController
  message: "successfully written to Destination: worker-1 with versionID: 5058f"
  count: 1
  firstTimestamp: "2025-06-23T14:03:20Z"
  lastTimestamp: "2025-06-23T14:03:20Z"
"""
TIME = "2025-06-23T14:03:20Z"
STATUS = Status(
    kind="WorkPlacement",
    name="redis-small.worker-1-5058f",
    namespace="default",
    labels={"kratix.io/work": "redis-small"},
    spec={
        "targetDestinationName": "worker-1",
        "id": "5058f1af8388633f609cadb75a75dc9d",
        "promiseName": "redis",
        "resourceName": "small",
        "generation": 1,
    },
    conditions=(
        Condition("ScheduleSucceeded", "True", "ScheduledToDestination", "Scheduled to correct Destination", TIME),
        Condition("WriteSucceeded", "True", "WorkloadsWrittenToStateStore", "", TIME),
    ),
    extra={
        "versionID": "5058f1af8388633f609cadb75a75dc9d00000000",
        "inventory": {"state/worker-1/redis.yaml": "0a58f1af8388633f609cadb75a75dc9d00000000"},
    },
    events=(
        Event(
            type="Normal",
            reason="WorkloadsWrittenToStateStore",
            source="WorkPlacementController",
            message="successfully written to Destination: worker-1 with versionID: 5058f",
            count=1,
            first_timestamp=TIME,
            last_timestamp=TIME,
        ),
    ),
)


def test_the_shape():
    assert statusfile.dump(STATUS) == FILE
    assert statusfile.load(FILE) == STATUS


def test_what_is_empty_is_left_out():
    assert statusfile.dump(Status("Destination", "worker-1")) == (
        b"apiVersion: platform.kratix.io/v1alpha1\n"
        b"kind: Destination\n"
        b"metadata:\n"
        b"  name: worker-1\n"
        b"  generation: 1\n"
        b"status: {}\n"
    )


def test_an_inventory_of_ten_thousand_documents_is_read_back():
    status = STATUS._replace(extra={"inventory": {f"state/w/{n}": "0a58f1" for n in range(10_000)}})
    assert statusfile.load(statusfile.dump(status)) == status


word = st.text(max_size=20)
some = st.text(min_size=1, max_size=20)
json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | word,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(word, inner, max_size=3),
    max_leaves=5,
)
statuses = st.builds(
    Status,
    kind=some,
    name=some,
    namespace=word,
    labels=st.dictionaries(word, word, max_size=2),
    generation=st.integers(1, 2**63),
    spec=st.dictionaries(word, json_like, max_size=3),
    conditions=st.lists(st.builds(Condition, some, some, word, word, word), max_size=3).map(tuple),
    extra=st.dictionaries(word.filter(lambda key: key != "conditions"), json_like, max_size=3),
    events=st.lists(st.builds(Event, some, some, word, word, st.integers(1), word, word), max_size=3).map(tuple),
)


def as_data(status):
    """The file as data."""
    metadata = {
        "name": status.name,
        "namespace": status.namespace,
        "labels": status.labels,
        "generation": status.generation,
    }
    conditions = [
        {
            "lastTransitionTime": c.last_transition_time,
            "message": c.message,
            "reason": c.reason,
            "status": c.status,
            "type": c.type,
        }
        for c in status.conditions
    ]
    events = [
        {
            "type": e.type,
            "reason": e.reason,
            "from": e.source,
            "message": e.message,
            "count": e.count,
            "firstTimestamp": e.first_timestamp,
            "lastTimestamp": e.last_timestamp,
        }
        for e in status.events
    ]
    file = {"apiVersion": "platform.kratix.io/v1alpha1", "kind": status.kind}
    file["metadata"] = {key: value for key, value in metadata.items() if value}
    file["spec"] = status.spec
    file["status"] = {**({"conditions": conditions} if conditions else {}), **status.extra}
    file["events"] = events
    return {key: value for key, value in file.items() if value or key == "status"}


@given(statuses)
@settings(deadline=None)
def test_what_is_written_is_what_the_emitter_makes_of_the_data(status):
    assert statusfile.dump(status) == yaml.dump(as_data(status))


@given(statuses)
@settings(deadline=None)
def test_what_is_written_is_read_back(status):
    raw = statusfile.dump(status)
    assert statusfile.load(raw) == status
    assert statusfile.dump(statusfile.load(raw)) == raw


WRITTEN = FILE.partition(b"events:\n")[2].decode()
# One in each line, the first is nothing.
SCALARS = """
Normal
Ready
True
null
Null
~
1
0
01
-1
1.5
0x1F
999999999999
2025-06-23T14:03:20Z
""
"a: b"
"\\u0041"
"Ä"
"a
"a" # b
'a'
Ä
[a]
|
All good
All  good
All: good
All #good
"""
AFTERWARDS = [
    "\n",
    "# told\n",
    "events: []\n",
    "---\n",
    "- a\n",
    "  more: 1\n",
    "kind: Work\n",
    24 * WRITTEN,
    25 * WRITTEN,
]


def changed(field, scalar):
    return re.sub(f"(?m)^(..{field}:).*", lambda found: f"{found[1]} {scalar}", WRITTEN)


def test_as_many_events_as_are_kept_are_read_however_many_nodes_they_have_but_no_more(monkeypatch):
    monkeypatch.setattr(statusfile, "MAX_NODES", 100)
    kept = FILE + changed("message", "All good").encode() + (KEPT - 2) * WRITTEN.encode()

    assert len(statusfile.load(kept).events) == KEPT
    assert statusfile.load(kept + WRITTEN.encode()) is None


def test_a_text_of_several_lines_before_the_events_is_read_whole():
    raw = FILE.replace(b"\nevents:\n", b"\n  note: |\n    one\n    two\nevents:\n")
    assert statusfile.load(raw).extra["note"] == "one\ntwo\n"


@pytest.mark.parametrize("field", ["type", "reason", "from", "message", "count", "firstTimestamp", "lastTimestamp"])
def test_events_are_read_as_any_reader_of_yaml_reads_them(field):
    for scalar, after in product([*SCALARS.splitlines(), "All good "], ["", WRITTEN]):
        assert_alike(changed(field, scalar) + after)


@pytest.mark.parametrize("after", AFTERWARDS)
def test_whatever_comes_after_an_event_is_read_as_any_reader_of_yaml_reads_it(after):
    assert_alike(WRITTEN + after)


def assert_alike(events):
    """A comment is something that we never write."""
    raw = FILE.replace(WRITTEN.encode(), events.encode())
    assert statusfile.load(raw) == statusfile.load(raw.replace(b"\nevents:\n", b"\nevents: # told\n"))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"- a\n",
        b"a: b: c\n",
        b"\xff",
        FILE + b"---\n" + FILE,
        FILE.replace(b"kind: WorkPlacement\n", b""),
        FILE.replace(b"  name: redis-small.worker-1-5058f\n", b""),
        FILE.replace(b"  name: redis-small.worker-1-5058f\n", b"  name: 1\n"),
        FILE.replace(b"platform.kratix.io", b"example.com"),
        FILE + b"kind: Work\n",
        b"events: []\n" + FILE,
        b"events: []\n" + FILE.replace(WRITTEN.encode(), b""),
        b"<<<<<<< HEAD\n" + FILE,
        FILE + b"\xff",
        FILE + b"--- [\n",
    ],
)
def test_what_is_no_status_file_is_none(raw):
    assert statusfile.load(raw) is None


def load(body):
    return statusfile.load(b"apiVersion: platform.kratix.io/v1alpha1\nkind: Work\nmetadata: {name: a}\n" + body)


BARE = Status("Work", "a")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", BARE),
        (b"unknown: 1\n", BARE),
        (b"status: x\nevents: y\nspec: []\n", BARE),
        (b"status: {conditions: {}}\nevents: [null, 1, {}, {type: Normal}]\n", BARE),
        (b"status: {conditions: [null, x, {}, {type: Ready}, {type: 1, status: x}]}\n", BARE),
        (b"status: {future: [1]}\n", BARE._replace(extra={"future": [1]})),
        (
            b"status: {conditions: [{type: Ready, status: 'True', reason: 1, more: x}]}\n",
            BARE._replace(conditions=(Condition("Ready", "True", ""),)),
        ),
        (
            b"events: [{type: Normal, reason: R, count: -1}, {type: Normal, reason: S, count: true}]\n",
            BARE._replace(events=tuple(Event("Normal", r, "", "", 1, "", "") for r in "RS")),
        ),
        (
            b"events: [{type: Normal, reason: R, count: 0}]\n",
            BARE._replace(events=(Event("Normal", "R", "", "", 1, "", ""),)),
        ),
    ],
)
def test_what_cannot_be_right_is_left_out(body, status):
    assert load(body) == status
    assert statusfile.dump(load(body)) == statusfile.dump(status)


def test_metadata_that_cannot_be_right_is_left_out():
    raw = b"apiVersion: platform.kratix.io/v1alpha1\nkind: Work\nmetadata:\n  name: a\n"
    assert statusfile.load(raw + b"  namespace: 1\n  labels: {a: 1, b: c}\n  generation: '3'\n") == (
        BARE._replace(labels={"b": "c"})
    )


@given(st.binary(max_size=200) | st.integers(0, len(FILE)).map(lambda cut: FILE[:cut]))
@settings(deadline=None)
def test_nothing_is_a_reason_to_fail(raw):
    statusfile.load(raw)


@given(json_like, st.sampled_from(["metadata", "spec", "status", "events"]))
@settings(deadline=None)
def test_no_value_is_a_reason_to_fail(value, field):
    file = {"apiVersion": "platform.kratix.io/v1alpha1", "kind": "Work", "metadata": {"name": "a"}, field: value}
    found = statusfile.load(yaml.dump(file))
    assert found is None or statusfile.load(statusfile.dump(found)) == found
