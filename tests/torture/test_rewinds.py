"""The campaign `rewinds`, small: one history, turned over once."""

import random

from torture.arena import Arena
from torture.rewinds import Lane, attempt


def test_what_people_removed_stays_away(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "file")  # so that definitions may name paths
    arena = Arena(tmp_path)
    attempt(arena, Lane(tmp_path, 0), random.Random(3), upheavals=1)
    assert sum(arena.counts.values()) == 1
