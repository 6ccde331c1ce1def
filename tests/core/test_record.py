"""What a pass did, gathered: everything is counted, and of very much only the first is kept by name."""

import pytest

from gitops.api.status import Status
from gitops.core import record as records
from gitops.core.events import NORMAL, Transition
from gitops.core.keys import Key
from gitops.core.patch import patch
from gitops.core.record import CommitName, Facts, Record, inventories, restored
from gitops.core.sketch import Sketch
from gitops.core.tree import BLOB, FILE, Entry, files

WORK = Key("Work", "default", "redis")
FOLDER = "works/default/redis"
HAPPENED = [Transition(NORMAL, "Happened", "WorkController", f"number {number}") for number in range(5)]


@pytest.fixture
def objects():
    return Sketch()


@pytest.fixture
def record(objects):
    return Record(objects, "2026-01-01T00:00:00Z")


def test_all_events_and_versions_are_counted_and_the_first_are_named(record, monkeypatch):
    monkeypatch.setattr(records, "NAMED", 3)
    record.happen(WORK, HAPPENED)
    for number in range(5):
        record.version(WORK, f"redis.dev-{number}", "0" * 40)

    assert (record.events, record.renewed) == (5, 5)
    assert [found.transition for found in record.happened] == HAPPENED[:3]
    assert record.versions == {f"default/redis.dev-{number}": "0" * 40 for number in range(3)}


def test_a_status_that_stays_as_it_is_is_not_written(record):
    standing = Status("Work", "redis", "default")
    record.add("works/default/redis/work.yaml", standing, standing, ())
    assert record.files == {}
    record.add("works/default/redis/work.yaml", None, standing, HAPPENED)
    assert list(record.files) == ["works/default/redis/work.yaml"]
    assert [found.object for found in record.happened] == [WORK] * 5


def test_what_is_written_in_a_folder_is_one_tree_on_top_of_what_stands_there(record, objects):
    standing = patch(objects, None, {"work.yaml": Entry(FILE, objects.add(BLOB, b"old")), "a.yaml": entry(objects)})
    with record.folder(FOLDER, standing):
        record.write(f"{FOLDER}/work.yaml", b"new")
    assert {path: objects.blob(found.oid) for path, found in files(objects, record.files[FOLDER].oid)} == {
        "work.yaml": b"new",
        "a.yaml": b"same",
    }


def test_a_folder_that_is_left_empty_goes_and_one_without_changes_is_not_touched(record, objects):
    standing = patch(objects, None, {"a.yaml": entry(objects)})
    record.write("README.md", b"overview")
    with record.folder(FOLDER, standing):
        pass
    assert list(record.files) == ["README.md"]
    with record.folder(FOLDER, standing):
        record.remove(f"{FOLDER}/a.yaml")
    assert record.files[FOLDER] is None
    with record.folder(f"{FOLDER}2", standing):
        record.remove(f"{FOLDER}2")
    assert record.files[f"{FOLDER}2"] is None
    assert "README.md" in record.files


def entry(objects):
    return Entry(FILE, objects.add(BLOB, b"same"))


def test_inventories_are_written_in_one_order():
    found = inventories({"b": {"y": b"\x01" * 20, "x": b"\x02" * 20}, "a": {}})
    assert [(branch, list(written.items())) for branch, written in found.items()] == [
        ("a", []),
        ("b", [("x", "02" * 20), ("y", "01" * 20)]),
    ]


def test_who_changed_what_was_put_back_is_named_if_anybody_knows():
    ada = CommitName(b"\x12\x34\x56\x78" * 5, "Ada")
    facts = Facts("now", "main", meddlers={("main", "b"): ada, ("out", "a"): CommitName(b"\x00" * 20, "Bob")})
    by_ada, unknown = restored("main", ["b", "a", "c"], "Controller", facts)
    by_ada_text = "1 files changed outside gitops in 1234567 by Ada were restored"
    assert by_ada == ("Warning", "DriftCorrected", "Controller", by_ada_text)
    assert unknown[3] == "2 files changed outside gitops in an unknown commit were restored"
    assert list(restored("main", [], "Controller", facts)) == []
