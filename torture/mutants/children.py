"""Forked children that each do one job, as many at a time as there are processors."""

from __future__ import annotations

import gc
import os
import pickle
import shutil
import signal
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

Job = Callable[[], Any]
PROCESSORS = len(os.sched_getaffinity(0))


class Failed(NamedTuple):
    """A job that raised something."""

    trace: str


class Ended(NamedTuple):
    """How a child ended: which job it was, what came of it, and the signal that ended the child (0: none)."""

    number: int
    result: Any
    signal: int


def do(jobs: Iterable[Job], folder: Path) -> Iterator[Ended]:
    """Do each job in a child, with a folder of its own for what is temporary; yield them as they end."""
    gc.collect()
    gc.freeze()  # the memory that all share stays shared
    running: dict[int, int] = {}
    try:
        for number, job in enumerate(jobs):
            if len(running) == PROCESSORS:
                yield _wait(running, folder)
            if pid := os.fork():
                running[pid] = number
            else:
                _be_child(job, folder / str(os.getpid()))
        while running:
            yield _wait(running, folder)
    finally:
        for pid in running:  # when it is called off
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            _end_group(pid)


def _wait(running: dict[int, int], folder: Path) -> Ended:
    pid, status = os.wait()
    _end_group(pid)
    result = folder / str(pid) / "result"
    found = pickle.loads(result.read_bytes()) if result.exists() else None
    shutil.rmtree(folder / str(pid), ignore_errors=True)
    if isinstance(found, Failed):
        raise RuntimeError(found.trace)
    return Ended(running.pop(pid), found, os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0)


def _end_group(pid: int) -> None:
    """End what a child has started and left."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def _be_child(job: Job, own: Path) -> None:
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell ignores it for what it runs beside itself
        os.setsid()  # with all that it starts one group, to end them together
        own.mkdir()
        tempfile.tempdir = os.environ["TMPDIR"] = str(own)
        nothing = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(nothing, standard)
        result = job()
    except BaseException:
        result = Failed(traceback.format_exc())
    (own / "result").write_bytes(pickle.dumps(result))
    os._exit(0)
