"""A small sweep: of the calls that fail, a few."""

import shutil

import pytest
from support.servers import program

from torture import sweep
from torture.arena import Arena
from torture.calls import ALL, ERRORS
from torture.passes import PASSES, SERVER


@pytest.fixture(scope="module")
def lane(tmp_path_factory):
    program("cc")
    lane = sweep.Lane(tmp_path_factory.mktemp("sweep") / "lane")
    yield lane
    lane.close()


@pytest.mark.parametrize(
    ("error", "first", "for_ever"), [("EIO", 42, False), ("EMFILE", 21, True), ("kill", 30, False)]
)
def test_a_call_that_fails_is_named_and_mended(lane, error, first, for_ever):
    """The first ended the daemon: libgit2 takes packs that it could not open for ones that are not there, for ever."""
    told = lane.ask("change", error, first, for_ever=for_ever)
    assert told["same"], told
    assert all(sweep.names(cause, error) for cause in told.get("causes", ()))


def test_a_server_whose_disk_fails_for_ever_may_leave_its_lock_which_is_named(lane):
    """Git opens its graph of commits between the lock of the branch and its move."""
    calls = [text for kind, text in lane.ask(SERVER, ALL)["calls"] if kind in ERRORS["EIO"][1]]
    first = next(n for n, text in enumerate(calls, 1) if text.endswith("objects/info/commit-graph"))
    told = lane.ask(SERVER, "EIO", first, for_ever=True)
    assert "finding" not in told, told["finding"]
    assert told["failed"] > 0


def test_a_small_sweep_finds_nothing(tmp_path, monkeypatch):
    program("cc")
    monkeypatch.setattr(sweep, "PASSES", {"change": PASSES["change"]})
    arena = Arena(tmp_path, scale=0.005)
    sweep.SWEEP.run(arena)
    assert not arena.findings
    assert arena.counts["calls failed"] > 0


def test_without_a_compiler_it_says_that_it_did_not_run(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    arena = Arena(tmp_path)
    sweep.SWEEP.run(arena)
    assert "no C compiler" in arena.notes[0]
