"""What is left out of a status file to read it faster changes nothing of what is shown."""

import pytest

from gitops.api.status import Condition, Event, Status
from gitops.cli import status as reader
from gitops.core import statusfile

HEAD = b"apiVersion: v1\nkind: Work\nmetadata:\n  name: a\n"
EVENT = Event("Normal", "Ready", "Scheduler", "one\nevents:\n- two", 2, "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z")
READY = Condition("Ready", "True", "Ready", "\nevents:\n", "2026-01-01T00:00:00Z")


def shown(raw):
    """Return what `get` reads of a file: without the events, in doubt the whole."""
    found = reader.parse(reader._without_events(raw)) or reader.parse(raw)
    return found and {key: value for key, value in found.items() if key != "events"}


def whole(raw):
    found = reader.parse(raw)
    return found and {key: value for key, value in found.items() if key != "events"}


def test_events_are_not_read():
    status = Status(kind="Work", name="a", namespace="team", conditions=(READY,), events=(EVENT, EVENT))
    raw = statusfile.dump(status)

    assert b"events" not in reader._without_events(raw).splitlines()[-1]
    assert len(reader._without_events(raw)) < len(raw) / 2
    assert shown(raw) == whole(raw)
    assert whole(raw)["status"]["conditions"][0]["message"] == "\nevents:\n"


@pytest.mark.parametrize(
    "tail",
    [
        b"events:\n- type: Normal\nstatus:\n  phase: Ready\n",
        b"events:\n- type: Normal\n\n# a comment\nspec: 1\n",
        b"events:\n- type: Normal\n---\nkind: Other\n",
        b"events:\n- type: Normal\n---\n- a\n",
        b'status: "a\nevents:\n- b"\n',
        b"status: |\n  a\nevents:\n- b\n",
        b"events:\n",
        b"events: []\n",
        b"status:\n  events:\n  - a\n",
    ],
)
def test_what_stands_otherwise_is_read_as_a_whole(tail):
    assert shown(HEAD + tail) == whole(HEAD + tail)
