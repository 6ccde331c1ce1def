"""What is waited for, and what is heard meanwhile."""

import os
import signal
import time
from threading import Event, get_ident

import pytest

from gitops.threads import Threads, stopped_by_signals

_PATIENCE = 10  # seconds


@pytest.fixture
def told():
    """Set by a signal, as the daemon is told to stop."""
    told = Event()
    before = signal.signal(signal.SIGUSR1, lambda *_: told.set())
    yield told
    signal.signal(signal.SIGUSR1, before)


def test_a_signal_is_heard_although_it_wakes_nobody(told):
    """Another thread may get it, or it comes just before the wait begins: nothing interrupts the wait then."""

    def work():
        time.sleep(0.1)  # by now it is waited for
        signal.pthread_kill(get_ident(), signal.SIGUSR1)
        return told.wait(_PATIENCE)

    threads = Threads("test")
    begun = threads.submit(work)
    threads.wait([begun])
    threads.close()

    assert begun.result()


def test_what_takes_too_long_is_waited_for_no_longer():
    threads, end = Threads("test"), Event()
    begun = threads.submit(end.wait)
    threads.wait([begun], 0.01)
    assert not begun.done()
    end.set()
    threads.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_comes_while_the_lock_of_what_it_sets_is_held_is_heard(number):
    before = signal.getsignal(number)
    with stopped_by_signals() as stop:
        with stop._cond:  # as for a moment in each `stop.wait()`
            os.kill(os.getpid(), number)
        assert stop.wait(10)
    assert signal.getsignal(number) is before
