"""The loop: wake, reconcile, back off, stop. What went wrong is logged and tried again."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Event

import structlog

from gitops.backoff import delay
from gitops.errors import Busy, GitOpsError
from gitops.git.upkeep import Upkeep
from gitops.reconciler import Reconciler
from gitops.writing import Outcome

WORTH_KEEPING = 1000  # decided Works, after which what is in mind is kept for a next start

log = structlog.get_logger("gitops")


class Daemon:
    """Reconciles whenever it is woken. Told to stop, it ends the pass that is under way and begins no other."""

    def __init__(self, reconciler: Reconciler, stop: Event, upkeep: Upkeep | None = None) -> None:
        self._reconciler, self._stop, self._upkeep = reconciler, stop, upkeep
        self._failures = 0

    def run(self, wakeups: Iterable[str]) -> None:
        """Reconcile once for each of *wakeups* (the words say why), and again after each failure, ever more rarely."""
        for reason in wakeups:
            while not self._stop.is_set() and not self.reconcile(reason):
                self._stop.wait(delay(self._failures))
                reason = "retry"
            if self._stop.is_set():
                break
            if self._upkeep:
                self._upkeep.look()
        log.info("stopped")

    def reconcile(self, reason: str) -> bool:
        """Run one pass; False when it failed."""
        try:
            outcomes = self._reconciler.reconcile()
        except (GitOpsError, OSError) as error:
            if self._stop.is_set():
                return False
            self._failures += 1
            (log.info if isinstance(error, Busy) else log.error)("pass failed", reason=reason, cause=str(error))
            return False
        self._failures = 0
        for outcome in outcomes:
            _report(outcome, reason)
        self._reconciler.keep(worth=WORTH_KEEPING)
        return True


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
