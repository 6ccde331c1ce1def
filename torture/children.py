"""Attempts in processes of their own, one for each core: what hangs or dies there is a finding, no end of the run."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from pathlib import Path
from tempfile import TemporaryDirectory

from torture.arena import Arena

Job = tuple[str, Callable[[Arena], None]]
"""The seed of an attempt, and what it does in an arena of its own, whose counts and notes are told."""

_fork = multiprocessing.get_context("fork")


@dataclass
class _Child:
    seed: str
    process: ForkProcess
    line: Connection
    folder: TemporaryDirectory[str]
    deadline: float


def side_by_side(arena: Arena, jobs: Iterable[Job], patience: float = 120.0) -> None:
    """Do all *jobs*, as many at once as there are cores, each within *patience* seconds."""
    running: dict[Connection, _Child] = {}
    try:
        for job in jobs:
            child = _begin(arena, job, patience)
            running[child.line] = child
            if len(running) >= (os.cpu_count() or 1):
                _reap(arena, running)
        while running:
            _reap(arena, running)
    finally:
        for child in running.values():
            _end(child)


def _begin(arena: Arena, job: Job, patience: float) -> _Child:
    seed, act = job
    line, theirs = _fork.Pipe(duplex=False)
    folder = TemporaryDirectory(dir=arena.folder, ignore_cleanup_errors=True)
    own = replace(arena, folder=Path(folder.name), counts=Counter(), findings=[], notes=[])
    process = _fork.Process(target=_live, args=(theirs, act, own))
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # of forking beside threads: it is only those of a test runner
        process.start()
    theirs.close()
    return _Child(seed, process, line, folder, time.monotonic() + patience)


def _live(line: Connection, act: Callable[[Arena], None], own: Arena) -> None:
    os.setsid()
    trouble = ""
    try:
        act(own)
    except BaseException:
        trouble = traceback.format_exc()
    line.send((own.counts, own.notes, trouble))


def _reap(arena: Arena, running: dict[Connection, _Child]) -> None:
    """Wait until one at least has ended, or has had its time."""
    left = min(child.deadline for child in running.values()) - time.monotonic()
    ready = wait(list(running), max(0.0, left))
    for line, child in list(running.items()):
        if line in ready or time.monotonic() > child.deadline:
            del running[line]
            with arena.attempt(child.seed):
                _hear(arena, child)


def _hear(arena: Arena, child: _Child) -> None:
    try:
        told = child.line.recv() if child.line.poll() else (Counter(), [], "it did not come to an end in time")
    except EOFError:
        told = Counter(), [], "it died"
    finally:
        _end(child)
    counts, notes, trouble = told
    arena.counts.update(counts)
    arena.notes += notes
    assert not trouble, f"{trouble} (exit code {child.process.exitcode})"


def _end(child: _Child) -> None:
    """End it with all that it has started, and remove what it left."""
    with suppress(ProcessLookupError, TypeError):
        os.killpg(child.process.pid or 0, signal.SIGKILL)
    child.process.join()
    child.line.close()
    child.folder.cleanup()
