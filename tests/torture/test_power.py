"""Power cuts in the midst of writing; those that once lost something, and some that never did."""

import random

import pytest
from support.servers import program

from torture.arena import Arena
from torture.cuts import Syncs
from torture.power import POWER


@pytest.fixture(autouse=True)
def compiler():
    program("cc")


def test_what_was_acknowledged_survives_power_cuts(tmp_path):
    arena = Arena(tmp_path, scale=0.001)
    POWER.run(arena)
    assert not arena.findings, arena.findings[0].text
    assert arena.counts["power cuts"] >= arena.counts["attempts"] > 0


def test_what_was_not_synced_may_be_lost_and_what_was_is_there(tmp_path):
    """The disk that has no mercy keeps its word: else the campaign would prove nothing."""
    lost = set()
    for seed in range(20):
        disk = Syncs(tmp_path / f"disk-{seed}", random.Random(seed))
        for name in ("synced", "named", "neither"):
            (disk.folder / name).write_text("x" * 2000)
        disk.heard("fsync", str(disk.folder / "synced"))
        disk.heard("fsync", str(disk.folder / "named"))
        (disk.folder / "neither").unlink()
        disk.heard("fsync", str(disk.folder))
        (disk.folder / "neither").write_text("y" * 2000)
        (disk.folder / "named").rename(disk.folder / "renamed")
        disk.cut(random.Random(seed))
        disk.close()
        left = {path.name: path.read_text() for path in disk.folder.iterdir()}
        assert left["synced"] == "x" * 2000
        assert left.get("renamed", "x" * 2000) == left.get("named", "x" * 2000) == "x" * 2000
        lost |= {name for name in ("named", "renamed", "neither") if name not in left}
        lost |= {"content"} if left.get("neither", "y" * 2000) != "y" * 2000 else set()
    assert lost == {"named", "renamed", "neither", "content"}
