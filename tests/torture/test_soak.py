"""A short life of what `make torture ONLY=soak` lets live long."""

from torture.arena import Arena
from torture.soak import SOAK


def test_what_is_held_on_to_stays_bounded(tmp_path):
    arena = Arena(tmp_path, scale=0.001)
    SOAK.run(arena)
    assert not arena.findings, arena.findings[0].text
    assert arena.counts["commits of people"] == 23
