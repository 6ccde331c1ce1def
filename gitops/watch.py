"""When to look again, never what changed: an event is a hint, the interval is the truth."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import structlog
from watchfiles import watch

_STEP = 1  # ms between two looks at what the kernel has told; an event is handed over at the second look
_DEBOUNCE = 0  # ms for which further events are waited for: a pass that finds nothing to do costs less
_TICK = 1.0  # seconds after which the clock is looked at, whatever happens in the directories
_LENT = "gitops/transport/"  # by whose links the kernel may name the same folders
_FILES = {"HEAD", "packed-refs"}

_log = structlog.get_logger(__name__)


def changes(
    git_dirs: Iterable[Path],
    interval: float,
    stop: threading.Event,
    wait: Callable[[], float] = lambda: math.inf,
    woken: Callable[[], bool] = lambda: False,
) -> Iterator[str]:
    """Yield why to look again, until *stop* is set.

    "start" comes at once; "ref" when the watch has begun, and soon after a ref may have moved; "interval" when nothing
    came for *interval* seconds; "retry" when *wait* returns 0, the seconds until what failed may be tried again; and
    "webhook" when *woken*, which is asked once a second, says that somebody called. *git_dirs* are the directories that
    all work trees of a repository share. Where they cannot be watched, the log says why, and intervals are left.
    """
    yield "start"
    due = time.monotonic() + interval
    folders = [f"{path.resolve()}/" for path in git_dirs]
    unwatched = bool(folders)  # of what moved during the first pass, which comes before the watch, nobody tells
    for told in _looks(folders, interval, stop):
        moved, late = told or unwatched, time.monotonic() >= due
        unwatched = False
        called = woken()
        if moved or late or called or wait() <= 0:
            yield "ref" if moved else "interval" if late else "webhook" if called else "retry"
            due = time.monotonic() + interval


def _looks(folders: Sequence[str], interval: float, stop: threading.Event) -> Iterator[bool]:
    """Yield whether a ref may have moved: at once when one may, and now and then when none did."""
    tick = min(_TICK, interval)
    if not folders:
        yield from _ticks(tick, stop)
        return
    try:
        for events in watch(
            *folders,
            watch_filter=None,  # the default one hides .git
            debounce=_DEBOUNCE,
            step=_STEP,
            rust_timeout=max(1, int(tick * 1000)),
            yield_on_timeout=True,
            stop_event=stop,
        ):
            yield any(_is_ref(path, folders) for _, path in events)
    except (OSError, RuntimeError) as error:  # the second is how watchfiles tells of limits of the system
        _log.warning("cannot watch the repository, so it is looked at in intervals", cause=str(error), seconds=interval)
    yield from _ticks(tick, stop)


def _ticks(tick: float, stop: threading.Event) -> Iterator[bool]:
    while not stop.wait(tick):
        yield False


def _is_ref(path: str, folders: Sequence[str]) -> bool:
    folder = next((folder for folder in folders if path.startswith(folder)), None)
    if folder is None or path.endswith(".lock"):
        return False
    name = path.removeprefix(folder).removeprefix(_LENT)
    ref = name.startswith("refs/") and not name.startswith("refs/gitops/")
    return name in _FILES or ref or (name.startswith("worktrees/") and name.endswith("/HEAD"))
