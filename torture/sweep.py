"""Every call of the edge fails: all that a reference pass makes, once and for ever, with each error there can be."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from torture.arena import Arena, Campaign
from torture.calls import ALL, ERRORS, KILL, compiler, environment
from torture.lanes import Job, run_in_lanes
from torture.passes import PASSES, SERVER

_ALIKE = 1  # calls of one kind about one file, in one pass, that are tried
_NAMED = 0.99  # of the causes must name what went wrong
_VARYING = re.compile(r"[0-9a-f]{6,}|\d+|(?<=[-_])\w{6,8}(?=/|$)")  # in the names of files
_ANSWER = 120.0  # seconds


class Lane:
    """A process that disturbs passes: see `torture.sweeper`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        sealed = {"HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", "GIT_ALLOW_PROTOCOL": "file", "LC_ALL": "C"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "torture.sweeper", str(folder)],
            env={**os.environ, **sealed, "PYTHONPATH": os.pathsep.join(sys.path), **environment(folder)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, of: str, error: str, first: int = 0, *, for_ever: bool = False) -> dict[str, Any]:
        """Let a pass be disturbed; return what became of it."""
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps([of, error, first, for_ever]), file=self._process.stdin, flush=True)
        told: dict[str, Any] = json.loads(self._process.stdout.readline())
        return told

    def close(self) -> None:
        self._process.communicate(timeout=_ANSWER)


def run(arena: Arena) -> None:
    """Sweep over all passes, errors and calls; of a smaller arena a part that its seed chooses."""
    if not compiler():
        arena.notes.append("not run: there is no C compiler here, which the shim in torture/calls.c needs")
        return
    run_in_lanes(arena, _jobs, lambda number: Lane(arena.folder / f"lane-{number}"))
    _tell(arena)


def _jobs(arena: Arena, lane: Lane) -> Iterator[Job[Lane]]:
    """List what is tried: of calls that differ in nothing but a number, or an object's name, the first few."""
    if arena.only:
        of = arena.only.partition("-")[0]
        return iter([job for job in _jobs_of(lane, of) if job.seed == arena.only])
    found = [job for of in PASSES for job in _jobs_of(lane, of)]
    return iter(Random(arena.seed).sample(found, min(len(found), arena.times(len(found)))))


def _jobs_of(lane: Lane, of: str) -> Iterator[Job[Lane]]:
    calls = lane.ask(of, ALL)["calls"]
    for error, (_, kinds) in ERRORS.items():
        alike: Counter[str] = Counter()
        for first, (_, text) in enumerate((call for call in calls if call[0] in kinds), 1):
            alike[_VARYING.sub("#", text)] += 1
            if alike[_VARYING.sub("#", text)] > _ALIKE:
                continue
            for for_ever in (False, True) if error != KILL else (False,):
                seed = f"{of}-{error}-{first}{'-for-ever' if for_ever else ''}"
                yield Job(seed, partial(_try, of=of, error=error, first=first, for_ever=for_ever))


def _try(arena: Arena, lane: Lane, chance: Random, of: str, error: str, first: int, for_ever: bool) -> None:
    told = lane.ask(of, error, first, for_ever=for_ever)
    arena.counts[f"{error} for ever" if for_ever else error] += 1
    assert "finding" not in told, f"{error} in {told.get('call', f'call {first}')}\n{told['finding']}"
    arena.counts["calls failed"] += told.get("failed", 1)
    arena.counts["ended as if nothing had been"] += told["same"]
    for cause in told.get("causes", ()) if of != SERVER else ():  # which tells only what git tells on the other side
        arena.counts["causes told"] += 1
        if not names(cause, error):
            arena.counts["causes not named"] += 1
            with (arena.folder / "unnamed").open("a") as file:
                file.write(f"{of}-{error}-{first} {told['call']}: {cause}\n")


def names(cause: str, error: str) -> bool:
    """Whether a text tells what went wrong, of a full disk also how full it is; or which lock an error left behind.

    What git says, where a repository elsewhere is asked, is told as it is.
    """
    said = os.strerror(ERRORS[error][0]).lower() in cause.lower()
    full = error == "ENOSPC" and "(secret: " not in cause
    return "has been held" in cause or (said and (not full or "bytes are free" in cause))


def _tell(arena: Arena) -> None:
    unnamed, told = arena.counts["causes not named"], arena.counts["causes told"]
    if unnamed:
        lines = sorted((arena.folder / "unnamed").read_text().splitlines())
        arena.notes += [f"the cause is not named: {line[:400]}" for line in lines]
    if told:
        arena.notes.append(f"{1 - unnamed / told:.2%} of {told:,} causes are named")
    with arena.attempt("sweep-named"):
        assert unnamed <= (1 - _NAMED) * max(told, 100), f"{unnamed} of {told} causes are not named"


SWEEP = Campaign(
    "sweep",
    "Every call to the system that a pass makes may fail, once or for ever: the cause is named, nothing is torn, and"
    " when the fault is gone the next pass mends all by itself.",
    run,
)
