"""What is done side by side, how long it is waited for, and how a signal tells all of it to end."""

from __future__ import annotations

import math
import signal
import threading
from collections.abc import Callable, Collection, Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

_SIDE_BY_SIDE = 16
_TICK = 0.25  # seconds between two looks up: a signal that came just before the wait began does not interrupt it

P = ParamSpec("P")
T = TypeVar("T")


@contextmanager
def stopped_by_signals() -> Iterator[threading.Event]:
    """Lend what SIGTERM and SIGINT set.

    A thread sets it: the signal may come while the main thread holds the lock that it takes, and waits for nobody.
    """
    stop = threading.Event()
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, lambda *_: threading.Thread(target=stop.set).start()) for number in numbers]
    try:
        yield stop
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


class Threads:
    """Threads of one *name*; what more is to be done waits until one of them is free."""

    def __init__(self, name: str) -> None:
        self._pool = futures.ThreadPoolExecutor(_SIDE_BY_SIDE, name)

    def submit(self, act: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> futures.Future[T]:
        """Begin to *act*, and return what tells how that ended."""
        return self._pool.submit(act, *args, **kwargs)

    def wait(self, work: Collection[futures.Future[T]], seconds: float = math.inf) -> None:
        """Wait until all *work* is done, or for so many *seconds*. Signals are heeded meanwhile."""
        while seconds > 0 and futures.wait(work, min(seconds, _TICK)).not_done:
            seconds -= _TICK

    def close(self) -> None:
        """Begin nothing more, and wait for what is under way."""
        self._pool.shutdown(cancel_futures=True)
