"""Processes that are measured: how long they take, and how much memory they and all their children need."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import perf_counter, sleep
from typing import IO, NamedTuple

GITOPS = str(Path(sys.executable).with_name("gitops"))
Command = Sequence[str | Path]
_LOOK = 0.001  # seconds between two looks at a process
_WEIGH = 10  # looks, after which its memory is read again


def seal(home: Path) -> None:
    """Keep this process and its children to *home*: no settings of Git, no cache and no identity but what is there."""
    for name in [name for name in os.environ if name.startswith(("GIT_", "XDG_"))]:
        del os.environ[name]
    home.mkdir()
    os.environ |= {"HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "LC_ALL": "C"}


class Run(NamedTuple):
    """One process: seconds until it had done its work, seconds until it ended, and its peak memory in KiB."""

    done: float
    ended: float
    peak: int


def timed(command: Command, given: Path | None = None, *, cwd: Path | None = None) -> float:
    """Run *command* with the file *given* as its input; return the seconds until it ended."""
    with Path(given or os.devnull).open("rb") as source:
        begun = perf_counter()
        subprocess.run(command, stdin=source, stdout=subprocess.DEVNULL, check=True, cwd=cwd)
        return perf_counter() - begun


def watched(command: Command, given: Path | None = None, done: Callable[[], bool] = lambda: False) -> Run:
    """Run *command* likewise, and look at it every millisecond, to see when it is *done* and how it grows."""
    with Path(given or os.devnull).open("rb") as source:
        begun = perf_counter()
        with subprocess.Popen(command, stdin=source, stdout=subprocess.DEVNULL) as process:
            finished, peak = _watch(process, done)
    ended = perf_counter()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Run((finished or ended) - begun, ended - begun, peak)


def _watch(process: subprocess.Popen[bytes], done: Callable[[], bool]) -> tuple[float | None, int]:
    finished: float | None = None
    peaks: dict[int, int] = {}
    looks = 0
    while process.poll() is None:
        if finished is None and done():
            finished = perf_counter()
        if looks % _WEIGH == 0:
            peaks |= memory(process.pid, "VmHWM")  # the newest figure: one from before `exec` is the parent's
        looks += 1
        sleep(_LOOK)
    return finished, sum(peaks.values())


def memory(pid: int, field: str) -> dict[int, int]:
    """Return *field* (VmRSS now, VmHWM at its peak) in KiB of a process and of each that it started, by their ids."""
    return {each: size for each in _family(pid) if (size := _status(each, field))}


def _family(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in _read(task).split():
            yield from _family(int(child))


def _status(pid: int, field: str) -> int:
    lines = _read(Path(f"/proc/{pid}/status")).splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{field}:")), 0)


def _read(path: Path) -> str:
    """Return what a file of /proc says; nothing when its process has ended."""
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def lines(stream: IO[bytes]) -> Iterator[tuple[float, bytes]]:
    """Yield each line of *stream* with the moment at which it came."""
    for line in stream:
        yield perf_counter(), line
