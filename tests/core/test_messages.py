"""Commit messages: short subjects, trailers that git itself can read, and no way for a value to forge one."""

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops.core import messages
from gitops.core.delivery import PlacementDelivery, Unit
from gitops.core.events import Transition
from gitops.core.keys import Key
from gitops.core.messages import Source
from gitops.core.record import CommitName, Happened, Record
from gitops.core.recorded import RecordedPlacement
from gitops.core.selectors import Requirement, Selector
from gitops.core.sketch import Sketch
from gitops.core.tree import FILE, Change, Entry

SOURCE = Source("1" * 40, "Ada Lovelace", "ada@example.org", "Add redis", "2026-01-01T00:00:00Z")
SELECTORS = [
    Selector(frozenset({("env", "dev")}), frozenset({Requirement("tier", "In", frozenset({"a", "b"}))})),
    Selector(frozenset({("zone", "1")})),
]
HOSTILE = [
    "two\nlines",
    "two\r\nlines",
    "[skip ci]",
    "---",
    "a\n\nSigned-off-by: Mallory <m@example.org>",
    "a\n---\nGitops-Event: Normal Forged Work/x",
    "Gitops-Truncated: 0",
    "\x1b[31mred",
    "\u202ereversed",
    "\u2028",
    "\x85",
    "# comment",
    "(cherry picked from commit 1111111)",
    " " * 50,
    "x" * 5000,
    "\ud800",
    "",
]


def trailers(message):
    """What git sees in the last paragraph."""
    command = ["git", "interpret-trailers", "--parse"]
    printed = subprocess.run(command, input=message.encode(), capture_output=True, check=True).stdout.decode()
    return [tuple(line.split(": ", 1)) for line in printed.splitlines()]


def change(path):
    return Change(path, None, Entry(FILE, b"\1" * 20))


def unit(
    name="redis-small", destination="worker-1", place="state/worker-1/resources/default/redis/small/5058f", changes=2
):
    key = Key("Work", "default", name)
    made = PlacementDelivery(key, f"{name}.{destination}-5058f", object(), RecordedPlacement(), "main", place, {}, key)
    changed = [change(f"{place}/{n}") for n in range(changes)]
    return Unit(key, "main", booked=[changed], placements=[made], destinations={destination}, places={place})


def status(tally, events, works=(), versions=()):
    record = Record(Sketch(), "2026-01-01T00:00:00Z")
    for key, transition in events:
        record.happen(key, [transition])
    for name, version in dict(versions).items():
        record.version(Key("Work", *name.split("/", 1)), name.partition("/")[2], version)
    return messages.status(tally, record, works, SOURCE)


def happened(message="message", name="search"):
    return Happened(Key("Work", "team-c", name), Transition("Warning", "NoMatchingDestination", "Scheduler", message))


def test_a_documents_commit_says_what_went_where_and_why():
    assert messages.documents([unit()], SOURCE, {}, SELECTORS) == (
        "place(default/redis-small): worker-1 (+2 ~0 -0)\n"
        "\n"
        "Its selectors (env=dev,tier In (a,b); zone=1) match worker-1; source commit 1111111.\n"
        "\n"
        "Gitops-Work: default/redis-small\n"
        "Gitops-Destination: worker-1\n"
        "Gitops-Path: state/worker-1/resources/default/redis/small/5058f\n"
        f"Gitops-Source-Commit: {'1' * 40}\n"
        f"Argocd-reference-commit-sha: {'1' * 40}\n"
        "Argocd-reference-commit-author: Ada Lovelace <ada@example.org>\n"
        "Argocd-reference-commit-subject: Add redis\n"
        "Argocd-reference-commit-date: 2026-01-01T00:00:00Z\n"
    )


def test_a_status_commit_tells_each_event_once_as_a_line_and_as_a_trailer():
    versions = {"default/redis-small.worker-1-5058f": "2" * 40}

    assert status("5 Works, 4 Ready, 1 Pending", [happened()], [Key("Work", "team-c", "search")], versions) == (
        "status: 5 Works, 4 Ready, 1 Pending (1 event)\n"
        "\n"
        "Warning NoMatchingDestination Work/team-c/search: message\n"
        "\n"
        "Gitops-Event: Warning NoMatchingDestination Work/team-c/search\n"
        "Gitops-Work: team-c/search\n"
        f"Gitops-Version: default/redis-small.worker-1-5058f {'2' * 40}\n"
        f"Gitops-Source-Commit: {'1' * 40}\n"
    )


def test_ours_are_told_from_those_of_others():
    documents, recorded = messages.documents([unit()], SOURCE, {}, SELECTORS), status("1 Work", [])

    assert (messages.is_documents(documents), messages.is_status(documents)) == (True, False)
    assert (messages.is_documents(recorded), messages.is_status(recorded)) == (False, True)
    assert not messages.is_status("status: tidy up")
    assert not messages.is_documents("update(deps): pygit2")


@pytest.mark.parametrize("units", [1, 2, 60])
def test_subjects_fit_into_72_characters(units):
    found = [unit(f"{'w' * 200}-{n}", f"{'d' * 200}-{n}") for n in range(units)]

    assert len(messages.documents(found, SOURCE, {}, SELECTORS).partition("\n")[0]) <= 72


def test_a_subject_counts_one_work_as_one():
    own = Unit(Key("Destination", "", "dev"), "main", booked=[[change("x")]], destinations={"dev"})

    told = messages.documents([unit(destination="dev"), own], SOURCE, {}, SELECTORS)

    assert told.startswith("place(1 Work): dev (+3 ~0 -0)\n")


def test_a_short_subject_keeps_its_counts():
    subject = messages.documents([unit("w" * 200)], SOURCE, {}, SELECTORS).partition("\n")[0]

    assert subject.endswith("… (+2 ~0 -0)")


@pytest.mark.parametrize("gone", [True, False])
@pytest.mark.parametrize("value", HOSTILE)
def test_no_value_of_a_definition_or_a_commit_forges_or_breaks_a_trailer(value, gone):
    source = Source("1" * 40, value, value, value, "2026-01-01T00:00:00Z", value)
    removed = {Key("Work", "default", "redis-small"): CommitName(b"\1" * 20, value)} if gone else {}
    selectors = [Selector(frozenset({(value, value)}))]
    message = messages.documents([unit(place=f"state/{value}")], source, removed, selectors)

    found = trailers(message)
    assert [key for key, _ in found if key.startswith("Gitops-")] == [
        "Gitops-Work",
        "Gitops-Destination",
        "Gitops-Path",
        "Gitops-Source-Commit",
    ]
    assert ("Gitops-Source-Commit", "1" * 40) in found
    assert not any(key.startswith(("Signed-off-by", "Gitops-Event")) for key, _ in found)


@pytest.mark.parametrize("value", HOSTILE)
def test_no_message_of_an_event_forges_or_breaks_a_trailer(value):
    found = trailers(status("1 Work", [happened(value)]))

    assert found == [
        ("Gitops-Event", "Warning NoMatchingDestination Work/team-c/search"),
        ("Gitops-Source-Commit", "1" * 40),
    ]


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=60))
def test_whatever_an_event_says_git_reads_the_same_trailers(value):
    assert [key for key, _ in trailers(status("1 Work", [happened(value)]))] == [
        "Gitops-Event",
        "Gitops-Source-Commit",
    ]


def test_a_message_is_bounded_and_says_what_it_leaves_out():
    events = [happened(f"no match for {n}", f"work-{n}") for n in range(100_000)]
    works = [Key("Work", "team-c", f"work-{n}") for n in range(100_000)]
    message = status("100000 Works, 100000 Pending", events, works)

    assert 200 << 10 < len(message.encode()) <= 256 << 10
    found = trailers(message)
    kept = sum(key in ("Gitops-Event", "Gitops-Work") for key, _ in found)
    lines = message.count("\nWarning ")
    assert ("Gitops-Truncated", str(300_000 - kept - lines)) in found
    assert found[-2] == ("Gitops-Source-Commit", "1" * 40)


def test_a_message_within_the_bound_is_not_truncated():
    assert "Gitops-Truncated" not in status("1 Work", [happened()] * 100)
