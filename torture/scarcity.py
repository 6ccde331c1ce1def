"""Too little of something: a disk that is full at any moment of a pass, and no handle left for one more file."""

from __future__ import annotations

import os
import random
import resource
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from gitops.errors import GitOpsError
from torture import mounts
from torture.arena import Arena
from torture.children import side_by_side
from torture.lives import SHAPES, STEPS, Life, Say, elsewhere, ends_as_undisturbed, undisturbed_life

_KILOBYTES = 8192  # of the disk
_LEFT = 150_000  # bytes, at most, that are left on it
_HANDLES = 30  # that a process may have more than it has already, at most


class _Want(NamedTuple):
    """A want of something: what makes it, what ends it, and what must be said about it."""

    begin: Callable[[], None]
    end: Callable[[], None]
    said: tuple[str, ...]


def run(arena: Arena) -> None:
    """Let lives run short of disk and of handles."""
    kinds = {"handles": _handles}
    if mounts.possible():
        kinds["space"] = _space
    else:
        arena.notes.append("no small file system can be had here: no disk was full")
    for kind, make in kinds.items():
        wanted = arena.attempts(kind, 40)
        side_by_side(arena, [(seed, partial(run_short, chance, kind, make)) for seed, chance in wanted])


def run_short(chance: random.Random, kind: str, make: Callable[[Path, random.Random], _Want], arena: Arena) -> None:
    """Let one pass of a life run short; it fails with the cause, or does without, and is made good afterwards."""
    shape, seed = chance.choice(SHAPES), str(chance.random())
    undisturbed, _ = undisturbed_life(shape, seed, arena.folder)
    (arena.folder / "disk").mkdir()
    want = make(arena.folder / "disk", chance)
    life = Life(shape, seed, arena.folder / "disk", elsewhere(arena.folder))
    life.prepare()
    arena.counts[f"too few {kind}"] += 1
    steps = iter([False] * chance.randrange(STEPS) + [True])

    def say(line: str) -> None:
        if line.startswith("tip "):
            want.end()
        elif next(steps, False):
            want.begin()

    trouble = _trouble(life, say)
    want.end()
    assert trouble is None or any(word in str(trouble) for word in want.said), f"{shape}: {trouble!r}"
    arena.counts["shortages named" if trouble else "shortages without effect"] += 1
    ends_as_undisturbed(life, undisturbed)


def _trouble(life: Life, say: Say) -> Exception | None:
    try:
        life.live(say)
    except (GitOpsError, OSError) as error:
        return error
    return None


def _space(disk: Path, chance: random.Random) -> _Want:
    mounts.be_private()
    mounts.mount_memory(disk, _KILOBYTES)
    ballast, left = disk / "ballast", chance.randrange(_LEFT)

    def fill() -> None:
        found = os.statvfs(disk)
        ballast.write_bytes(bytes(max(0, found.f_bavail * found.f_frsize - left)))

    return _Want(fill, lambda: ballast.unlink(missing_ok=True), ("bytes are free", "No space left", "no space"))


def _handles(disk: Path, chance: random.Random) -> _Want:
    before, more = resource.getrlimit(resource.RLIMIT_NOFILE), chance.randrange(_HANDLES)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (len(list(Path("/proc/self/fd").iterdir())) + more, before[1]))

    return _Want(
        limit, lambda: resource.setrlimit(resource.RLIMIT_NOFILE, before), ("Too many open files", "open files")
    )
