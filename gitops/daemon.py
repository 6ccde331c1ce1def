"""The loop: wake, reconcile, back off, stop. What went wrong is logged and tried again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Event

import structlog

from gitops import logs
from gitops.backoff import delay
from gitops.errors import Busy, GitOpsError
from gitops.git.maintenance import Maintenance
from gitops.pulse import Pulse
from gitops.reconciler import Reconciler
from gitops.writing import Outcome

WORTH_KEEPING = 1000  # decided Works, after which what is in mind is kept for a next start

log = structlog.get_logger("gitops")


class Daemon:
    """Reconciles whenever it is woken. Told to stop, it ends the pass that is under way and begins no other."""

    def __init__(
        self,
        reconciler: Reconciler,
        stop: Event,
        maintenance: Maintenance | None = None,
        pulse: Pulse | None = None,
        absence: Callable[[], str] = str,
    ) -> None:
        """*pulse* is told how it does; *absence* says what is amiss where the branch has no commit to look at."""
        self._reconciler, self._stop, self._maintenance = reconciler, stop, maintenance
        self._pulse, self._absence = pulse or Pulse(), absence
        self._failures, self._waiting = 0, False

    def run(self, wakeups: Iterable[str]) -> None:
        """Reconcile once for each of *wakeups* (the words say why), and again after each failure, ever more rarely."""
        for reason in wakeups:
            while not self._stop.is_set() and not self.reconcile(reason):
                self._stop.wait(delay(self._failures))
                reason = "retry"
            if self._stop.is_set():
                break
            if self._maintenance:
                self._maintenance.look()
        log.info("stopped")

    def reconcile(self, reason: str) -> bool:
        """Run one pass; False when it failed. Whatever goes wrong in it, the daemon goes on."""
        try:
            with self._pulse.passing():
                outcomes = self._reconciler.reconcile()
                self._pulse.succeeded(outcomes, self._reconciler.works)
                self._tell_absence(outcomes[-1])
        except Exception as error:  # the one broad `except`: the next pass begins with nothing in mind
            if not self._stop.is_set():
                self._failures += 1
                _complain(error, reason)
            return False
        self._failures = 0
        for outcome in outcomes:
            _report(outcome, reason)
        self._reconciler.keep(worth=WORTH_KEEPING)
        return True

    def _tell_absence(self, outcome: Outcome) -> None:
        """Tell once that there is nothing to look at yet, and why."""
        waiting = not outcome.tally
        if waiting and not self._waiting:
            log.warning("waiting for a commit", cause=self._absence())
        self._waiting = waiting


def _complain(error: Exception, reason: str) -> None:
    """Tell the cause; of what nobody expected also where it came from."""
    if isinstance(error, GitOpsError | OSError):
        (log.info if isinstance(error, Busy) else log.error)("pass failed", reason=reason, cause=str(error))
    else:
        log.error("pass failed", reason=reason, **logs.bug(error))


def _report(outcome: Outcome, reason: str) -> None:
    tip = outcome.tip.hex()[:12] if outcome.tip else None
    if outcome.changed:
        log.info(
            "reconciled",
            reason=reason,
            tip=tip,
            commits=len(outcome.commits),
            events=outcome.events,
            status=outcome.tally,
            problems=[str(problem) for problem in outcome.problems],
        )
    else:
        log.debug("nothing to do", reason=reason, tip=tip)
