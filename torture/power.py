"""Power cuts in the midst of writing: nothing that was acknowledged is lost, and every restart does without help."""

from __future__ import annotations

import random
from collections import Counter
from functools import partial
from pathlib import Path

from torture import mounts
from torture.arena import Arena, Campaign
from torture.calls import compiler
from torture.children import side_by_side
from torture.cuts import Device, Disk, Syncs, Writer, build
from torture.lives import SHAPES, Life, elsewhere, ends_as_undisturbed, undisturbed_life

_CALLS = {"bare": 600, "tree": 900, "clone": 900}  # that a life makes, about, which change a file


def run(arena: Arena) -> None:
    """Cut lives off on disks of both kinds."""
    if not compiler():
        arena.notes.append("no power was cut: there is no C compiler here")
        return
    build(arena.folder)
    disks: dict[str, type[Device | Syncs]] = {"syncs": Syncs}
    if mounts.possible():
        disks["device"] = Device
    else:
        arena.notes.append("no loop devices can be had here: all cuts are of what was not synced")
    for name, kind in disks.items():
        wanted = arena.attempts(name, 60)
        side_by_side(arena, [(seed, partial(attempt, chance, kind, arena.folder)) for seed, chance in wanted])


def attempt(chance: random.Random, kind: type[Device | Syncs], tools: Path, arena: Arena) -> None:
    """Cut one life off, once or twice; let it come to its end, and compare that with the undisturbed one."""
    folder, counts = arena.folder, arena.counts
    shape, seed = chance.choice(SHAPES), str(chance.random())
    undisturbed, said = undisturbed_life(shape, seed, folder)
    if kind is Device:
        mounts.be_private()
    disk = kind(folder / "disk", chance)
    life = Life(shape, seed, disk.folder, elsewhere(folder))
    life.prepare()
    if isinstance(disk, Syncs):
        disk.heard("syncfs", "")
    heard: list[str] = []
    for _ in range(chance.choice([1, 1, 2])):
        heard += _until_the_cut(life, seed, disk, chance, tools, counts)
        _is_there(life, heard)
    ends_as_undisturbed(life, undisturbed)
    assert set(heard) <= set(said), f"{shape}: {set(heard) - set(said)} was said, and never undisturbed"


def _until_the_cut(
    life: Life, seed: str, disk: Disk, chance: random.Random, tools: Path, counts: Counter[str]
) -> list[str]:
    arguments = ["-m", "torture.lives", life.shape, seed, str(life.disk), str(life.elsewhere)]
    writer = Writer(disk, arguments, {"PYTHONHASHSEED": "0"}, tools)
    said, made = writer.run(chance.randrange(_CALLS[life.shape]), chance)
    (life.elsewhere / "boot").write_text(str(chance.random()))
    counts["power cuts"] += 1
    counts["calls before them"] += made
    said = [line for line in said if line.startswith(("commit ", "tip "))]
    counts["acknowledged"] += len(said)
    return said


def _is_there(life: Life, heard: list[str]) -> None:
    """What was acknowledged is in the history of a branch, before anybody has mended anything."""
    platform = life.platform()
    there = {str(commit.id) for branch in ("main", life.home) for commit in platform.log(branch)}
    lost = [line for line in heard if line.split()[1] not in there]
    assert not lost, f"{life.shape}: {lost} was acknowledged, and is lost"


POWER = Campaign(
    "power",
    "Power cut in mid-write: 0 acknowledged commits lost, every restart unaided, the end that of the undisturbed run.",
    run,
)
