"""A process of the simulation: a thread that runs only while the others stand still, and stops where luck tells it to.

So passes of several daemons overlap in any way, and yet one seed gives one order of things.
"""

from __future__ import annotations

import errno
import random
import threading
import zlib
from collections import Counter
from collections.abc import Callable, Mapping

_READ = "read "  # of an object: there are hundreds in a pass
_SELDOM = 40


class Killed(BaseException):
    """The process got SIGKILL: nothing that it does from now on has an effect."""


class Luck:
    """How likely which fault is at each effect, and the chance of the step that is under way."""

    def __init__(self, odds: Mapping[str, float], tell: Callable[[str], None], struck: Counter[str]) -> None:
        self.odds, self.tell, self._struck = odds, tell, struck
        self.calm = False
        self.begin("")

    def begin(self, step: str) -> random.Random:
        """Return the chance of a *step*."""
        self._step, self._marks = step, set[str]()
        self.chance = random.Random(step)
        return self.chance

    def strikes(self, fault: str, where: str = "") -> bool:
        """Whether *fault* happens now, at a place that is perhaps one of many."""
        odds = 0.0 if self.calm else self.odds.get(fault, 0.0)
        if odds <= 0:
            return False
        if where.startswith(_READ):
            return self._is_marked(f"{self._step} {fault} {where}", odds / _SELDOM)
        return self._count(fault, struck=self.chance.random() < odds)

    def _is_marked(self, place: str, odds: float) -> bool:
        """Decide by the place alone, once: the order in which objects are read is that of sets, and no promise."""
        if place in self._marks or zlib.crc32(place.encode()) >= odds * 2**32:
            return False
        self._marks.add(place)
        return self._count("fault while reading", struck=True)

    def _count(self, fault: str, *, struck: bool) -> bool:
        self._struck[f"times {fault}"] += struck
        return struck


class Process:
    """What is under way in one daemon: at most one thing at a time, perhaps held up."""

    def __init__(self, name: str, luck: Luck) -> None:
        self.name, self._luck = name, luck
        self._go, self._back = threading.Semaphore(0), threading.Semaphore(0)
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None
        self._dead = False

    @property
    def busy(self) -> bool:
        """Whether something is held up in it."""
        return self._thread is not None

    def run(self, act: Callable[[], None]) -> None:
        """Begin to *act*; return when that has ended or is held up. Raises what it raises."""
        self._dead, self._error = False, None
        self._thread = threading.Thread(target=self._act, args=(act,), name=self.name, daemon=True)
        self._thread.start()
        self._await()

    def go_on(self) -> None:
        """Go on with what was held up."""
        self._go.release()
        self._await()

    def kill(self) -> None:
        """End it wherever it is held up."""
        self._dead = True
        while self.busy:
            self.go_on()

    def reach(self, where: str) -> None:
        """Called by what is under way, before and after each effect: here it may be held up, or die."""
        luck = self._luck
        if self._dead:
            raise Killed
        if luck.calm or self._thread is not threading.current_thread():
            return
        if luck.strikes("held up", where):
            luck.tell(f"{self.name} is held up at: {where}")
            self._back.release()
            self._go.acquire()
            if self._dead:
                raise Killed
            luck.tell(f"{self.name} goes on from: {where}")
        if where.startswith((_READ, "flush")) and luck.strikes("disk fails", where):
            luck.tell(f"{self.name}: the disk fails at: {where}")
            raise OSError(errno.EIO, "Input/output error")
        if luck.strikes("killed", where):
            luck.tell(f"{self.name} is killed at: {where}")
            self._dead = True
            raise Killed

    def _act(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Killed:
            pass
        except BaseException as error:
            self._error = error
        self._thread = None
        self._back.release()

    def _await(self) -> None:
        self._back.acquire()
        if self._error:
            error, self._error = self._error, None
            raise error

    @property
    def dead(self) -> bool:
        """Whether it was killed."""
        return self._dead
