"""The daemon: watches the repository, and answers each commit on the source branch with commits, until SIGTERM.

With --once it makes one pass and ends: exit code 0 when it was done, 1 when it could not reconcile, 75 when another
daemon works on this clone.
"""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import ExitStack, closing, nullcontext
from functools import partial
from threading import Event
from typing import NamedTuple

import structlog

from gitops import access, logs, watch
from gitops.backoff import delay
from gitops.branches import Branches
from gitops.cache import Cache
from gitops.cli.origin import daemon_branches, secrets
from gitops.cli.parser import Parser
from gitops.cli.repository import DEFAULT_BRANCH, absence
from gitops.core.text import counted
from gitops.daemon import Daemon
from gitops.errors import Busy, NotFoundError, SecretNotFoundError, TransportError, UsageError
from gitops.git.maintenance import Maintenance
from gitops.pulse import Pulse
from gitops.reconciler import Reconciler
from gitops.secrets import Secret
from gitops.server.http import Server
from gitops.server.webhook import Webhook
from gitops.threads import stopped_by_signals
from gitops.views.escape import escape
from gitops.views.gotext import seconds
from gitops.writing import Outcome

PATIENCE = 30.0  # seconds that one pass waits for the locks of others
log = structlog.get_logger("gitops")


class _Home(NamedTuple):
    """The branch that is reconciled, one of *branches*; *asked* tells that the user named it."""

    branches: Branches
    source: str
    asked: bool

    @property
    def unborn(self) -> str:
        return f"branch {self.source} has no commit yet"

    def absence(self) -> str | None:
        """Return what is amiss where it has no commit; None if it may still get its first one."""
        return absence(self.branches.repo, self.source, self.branches.origin, self.asked)


def duration(text: str) -> float:
    """Read a duration as Go writes it, such as `30s` or `1m30s`; return seconds."""
    if (found := seconds(text)) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a duration such as 30s, 5m or 1h")
    return found


def address(text: str) -> tuple[str, int]:
    """Read `HOST:PORT`; without a host it is this machine alone."""
    host, _, port = text.rpartition(":")
    if not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no address such as 127.0.0.1:8080")
    return host.strip("[]") or "127.0.0.1", int(port)


def add_arguments(parser: Parser) -> None:
    """Add what the command takes."""
    parser.add_argument("--once", action="store_true", help="make one pass, then end")
    parser.add_argument(
        "--interval", type=duration, default=60.0, metavar="1m", help="look again after this time at the latest"
    )
    parser.add_argument(
        "--listen",
        type=address,
        metavar="127.0.0.1:8080",
        help="answer /healthz, /readyz and /metrics there, and be woken by POST /webhook",
    )
    parser.add_argument("--verbose", action="store_true", help="log passes that found nothing to do, too")


def run(args: argparse.Namespace) -> int:
    """Reconcile once, or until told to stop."""
    if args.interval <= 0:
        raise UsageError("--interval must be more than 0")
    if args.listen and args.once:
        raise UsageError("--listen is for a daemon: leave --once out")
    logs.configure(verbose=args.verbose)
    with ExitStack() as held:
        stop = held.enter_context(stopped_by_signals())
        branches = daemon_branches(args, held, stop.is_set, args.interval)
        source = _source(branches, args, stop)
        if source is None:
            return 0
        home = _Home(branches, source, asked=bool(args.branch))
        cache = Cache(branches.repo.common_dir / "gitops", source)
        reconciler = Reconciler(branches.repo, source, cache=cache, branches=branches)
        maintenance = held.enter_context(closing(Maintenance(branches.repo)))
        if args.once:
            _once(home, reconciler)
            maintenance.look()
            maintenance.wait()
        else:
            _forever(args, home, reconciler, maintenance, stop)
        reconciler.keep()
        return 0


def _source(branches: Branches, args: argparse.Namespace, stop: Event) -> str | None:
    """Return the source branch; the daemon waits for a server that has to be asked for it. None when told to stop."""
    if branches.origin is None:
        return args.branch or branches.repo.head_branch() or DEFAULT_BRANCH
    if args.branch:
        return str(args.branch)
    failures = 0
    while not stop.is_set():
        try:
            return branches.default() or DEFAULT_BRANCH
        except TransportError as error:
            failures += 1
            if args.once:
                raise
            if not stop.is_set():
                log.error("cannot begin", cause=str(error))
            stop.wait(delay(failures))
    return None


def _once(home: _Home, reconciler: Reconciler) -> None:
    """Make one pass and say what came of it. NotFoundError when it is another branch that has the commits."""
    outcomes = _patiently(reconciler)
    tally = outcomes[-1].tally
    if not tally and (why := home.absence()):
        raise NotFoundError(why)
    for problem in outcomes[-1].problems:
        print(escape(f"problem: {problem}"), file=sys.stderr)
    commits = [commit for outcome in outcomes for commit in outcome.commits]
    if not commits:
        print(f"nothing to do ({escape(tally or home.unborn)})")
        return
    events = sum(outcome.events for outcome in outcomes)
    told = f"{counted(len(commits), 'commit')}, {counted(events, 'event')}, tip {commits[-1].hex()[:7]}"
    print(f"{escape(tally)}: {told}")


def _patiently(reconciler: Reconciler) -> list[Outcome]:
    """Reconcile, waiting for a git command of somebody else to end."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return reconciler.reconcile()
        except Busy:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def _server(args: argparse.Namespace, pulse: Pulse, bell: Event) -> Server:
    host, port = args.listen
    server = Server(host, port, pulse, Webhook(partial(_token, secrets(args).find(*access.WEBHOOK)), bell.set))
    log.info("listening", host=host, port=server.port)
    return server


def _token(secret: Secret) -> str | None:
    try:
        return secret.get("token")
    except SecretNotFoundError:
        return None


def _rung(bell: Event) -> bool:
    """Whether somebody rang since this was asked before."""
    if rung := bell.is_set():
        bell.clear()
    return rung


def _forever(
    args: argparse.Namespace, home: _Home, reconciler: Reconciler, maintenance: Maintenance, stop: Event
) -> None:
    pulse, bell, branches = Pulse(), Event(), home.branches
    daemon = Daemon(reconciler, stop, maintenance, pulse, lambda: home.absence() or home.unborn)
    repository = branches.shown if branches.origin else str(branches.repo.git_dir)
    folders = [] if branches.origin else [branches.repo.common_dir]
    with closing(_server(args, pulse, bell)) if args.listen else nullcontext():
        log.info("started", repository=repository, branch=home.source, interval=args.interval)
        daemon.run(watch.changes(folders, args.interval, stop, reconciler.wait, partial(_rung, bell)))
