"""Reading ahead is only faster: what is read is the same, and whatever goes wrong with it goes unnoticed."""

import subprocess

import pytest

from gitops.core.tree import BLOB
from gitops.git import objects
from gitops.git.repository import Repository

CONTENTS = [b"%d\n" % n * (n % 50 + 1) for n in range(600)]


@pytest.fixture
def stored(root):
    """A store that has read nothing yet, and blobs in it."""
    store = Repository.open(root).objects
    oids = [store.add(BLOB, content) for content in CONTENTS]
    store.flush()
    return Repository.open(root).objects, oids


def started(monkeypatch):
    found = []
    real = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda *args, **fields: found.append(real(*args, **fields)) or found[-1])
    return found


def test_all_are_read_by_one_process_that_ends(stored, monkeypatch):
    store, oids = stored
    processes = started(monkeypatch)
    store.expect(oids)

    assert [store.blob(oid) for oid in oids] == CONTENTS
    (process,) = processes
    assert process.returncode is not None


def test_others_in_between_and_some_left_out_are_read_as_ever(stored, monkeypatch):
    store, oids = stored
    processes = started(monkeypatch)
    store.expect(oids)
    order = [5, 3, 7, 7, 599, 0, 300]

    assert [store.blob(oids[n]) for n in order] == [CONTENTS[n] for n in order]
    assert len(processes) == 1


def test_what_is_forgotten_leaves_no_process(stored, monkeypatch):
    store, oids = stored
    processes = started(monkeypatch)
    store.expect(oids)
    store.blob(oids[0])
    store.discard()

    assert processes[0].returncode is not None
    assert [store.blob(oid) for oid in oids] == CONTENTS


def test_few_need_no_process(stored, monkeypatch):
    store, oids = stored
    processes = started(monkeypatch)
    store.expect(oids[: objects._MANY])

    assert processes == []


@pytest.mark.parametrize("wrong", ["missing", "no git", "killed"])
def test_whatever_goes_wrong_they_are_read_one_by_one(stored, monkeypatch, wrong):
    store, oids = stored
    if wrong == "no git":
        monkeypatch.setenv("PATH", "/nowhere")
    processes = started(monkeypatch)
    store.expect([*oids[:100], b"\1" * 20, *oids[100:]] if wrong == "missing" else oids)
    if wrong == "killed":
        processes[0].kill()

    assert [store.blob(oid) for oid in oids] == CONTENTS
