"""The simulation in small: histories keep the laws, a seed is one history, and a broken law is found and told."""

from pathlib import Path

import pytest
from support import oracle

from torture.arena import Arena
from torture.simulation.campaign import digest, play, run
from torture.simulation.history import History
from torture.simulation.seeds import FOUND


def test_some_histories(tmp_path):
    arena = Arena(tmp_path, seed=7, scale=0.0004)
    run(arena)
    assert arena.findings == []
    assert arena.counts["histories"] == 4


@pytest.mark.parametrize("found", FOUND, ids=lambda found: found.seed)
def test_what_was_found_once_is_mended(found):
    assert History(found.seed).run(found.steps).finding is None


def test_a_seed_is_one_history():
    told = [History("history-3-3").run() for _ in range(2)]
    assert told[0].trace == told[1].trace
    assert told[0].tips == told[1].tips
    assert digest(told[0]) == digest(told[1]) != digest(History("history-3-4").run([0, 1, 2]))


def test_a_broken_law_is_found_and_told_with_the_steps_that_show_it(monkeypatch):
    def judge(*_):
        raise AssertionError("a law is broken")

    monkeypatch.setattr(oracle, "judge", judge)
    found = play("history-3-3").finding
    assert found.startswith("with the steps [] of the history:")
    assert "a law is broken" in found
    assert "daemon" in found


def test_nothing_touches_the_disk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    play("history-3-5")
    assert list(tmp_path.iterdir()) == []
    assert not Path("/nowhere").exists()
