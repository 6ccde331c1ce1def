"""When to look again, never what changed: an event is a hint, the interval is the truth."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import structlog
from watchfiles import watch

_STEP = 1  # ms without an event, after which those before are one wake-up
_DEBOUNCE = 50  # ms at most that events are gathered
_TICK = 1_000  # ms after which the clock is looked at, whatever happens in the directories
_FILES = {"HEAD", "packed-refs"}

_log = structlog.get_logger(__name__)


def changes(git_dirs: Iterable[Path], interval: float, stop: threading.Event) -> Iterator[str]:
    """Yield "start" at once, then "ref" soon after a ref may have moved, and "interval" *interval* seconds after that.

    *git_dirs* are the directories that all work trees of a repository share. Ends when *stop* is set. Where watching is
    impossible, the log says why, and only intervals are left.
    """
    yield "start"
    due = time.monotonic() + interval
    for moved in _wake_ups([path.resolve() for path in git_dirs], interval, stop):
        if moved or time.monotonic() >= due:
            yield "ref" if moved else "interval"
            due = time.monotonic() + interval


def _wake_ups(git_dirs: Sequence[Path], interval: float, stop: threading.Event) -> Iterator[bool]:
    """Yield whether a ref may have moved, now and then even when nothing did."""
    tick = min(_TICK, max(1, int(interval * 1000)))
    try:
        for events in watch(
            *git_dirs,
            watch_filter=None,
            debounce=_DEBOUNCE,
            step=_STEP,
            rust_timeout=tick,
            yield_on_timeout=True,
            stop_event=stop,
        ):
            yield any(_is_ref(Path(path), git_dirs) for _, path in events)
    except Exception as error:  # watchfiles raises classes of its own, in Rust, besides OSError
        _log.warning("cannot watch the repository, looking at it every interval", cause=str(error), seconds=interval)
    while not stop.wait(interval):
        yield False
