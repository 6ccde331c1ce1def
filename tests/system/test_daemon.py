"""The loop: whatever goes wrong in a pass is told, and tried again."""

from threading import Event

import pygit2
import pytest
import structlog
from support.definitions import destination, work

from gitops.daemon import Daemon


class Impatient(Event):
    """An end that is waited for in vain, and at once."""

    def wait(self, timeout=None):
        return False


class Stumbling:
    """A reconciler whose first pass fails in a way of its own."""

    def __init__(self, reconciler, error):
        self._reconciler, self._error = reconciler, error

    def __getattr__(self, name):
        return getattr(self._reconciler, name)

    def reconcile(self):
        if error := self._error:
            self._error = None
            raise error
        return self._reconciler.reconcile()


@pytest.mark.parametrize(
    "error", [KeyError("x"), ValueError("x"), MemoryError("x"), RecursionError("x"), pygit2.GitError("x")]
)
def test_nothing_that_goes_wrong_in_a_pass_ends_the_daemon(platform, error):
    platform.commit({"destinations/dev.yaml": destination("dev", env="dev"), "works/redis.yaml": work("redis")})
    with structlog.testing.capture_logs() as log:
        Daemon(Stumbling(platform.reconciler(), error), Impatient()).run(["start"])
    assert platform.subjects()[0].startswith("status: ")
    (told,) = [event for event in log if event["event"] == "pass failed"]
    assert type(error).__name__ in told["cause"]
    assert "test_daemon.py" in told["bug"], "a report of the bug needs the place where it arose"
