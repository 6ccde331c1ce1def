"""Damaged files, full disks and too few handles: a small part of what `make torture ONLY=damage` does."""

from torture.arena import Arena
from torture.damage import DAMAGE


def test_damage_is_made_good_or_named(tmp_path):
    arena = Arena(tmp_path, scale=0.001)
    DAMAGE.run(arena)
    assert not arena.findings, arena.findings[0].text
    assert arena.counts["damages of a clone"]
    assert (
        arena.counts["damages of a repository"] == arena.counts["named with the way out"] + arena.counts["done without"]
    )
