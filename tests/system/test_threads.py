"""What is waited for, and what is heard meanwhile."""

import signal
import time
from threading import Event, get_ident

import pytest

from gitops.threads import Threads

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
