"""Wait until objects have a condition, as kubectl does."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

from gitops.cli.parser import Parser
from gitops.cli.repository import open_repository
from gitops.cli.selection import Request, add_selection_arguments, not_found, read_requests, select
from gitops.cli.status import Snapshot, StatusReader
from gitops.errors import GitOpsError, UsageError
from gitops.views.escape import escape
from gitops.views.events import without_events
from gitops.views.gotext import quote, seconds
from gitops.views.kinds import Kind, Object, name_of, namespace_of
from gitops.views.output import Found, Printer, printer
from gitops.views.waiting import Goal, read_for

_FORMS = ("json", "jsonpath", "jsonpath-as-json", "name", "yaml")
_WEEK = 7 * 24 * 3600.0


class Target(NamedTuple):
    """An object that is waited for."""

    kind: Kind
    namespace: str
    name: str


def add_arguments(parser: Parser) -> None:
    """Add the command's options."""
    add_selection_arguments(parser)
    parser.add_argument(
        "--for",
        dest="condition",
        metavar="WHAT",
        default="",
        help="condition=NAME[=STATUS], jsonpath={PATH}[=VALUE], create, delete",
    )
    parser.add_argument(
        "--timeout", metavar="TIME", default="30s", help="default 30s; 0: look once; --timeout=-1s: a week"
    )
    parser.add_switch("--all", help="all objects of the type")
    parser.add_argument("-o", "--output", metavar="FORM", default="", help="json, yaml, name, jsonpath=TEMPLATE")


def run(args: argparse.Namespace) -> int:
    """Wait for each of the objects that the arguments name; the time limit is for all of them together."""
    goal = read_for(args.condition)
    show = printer(args.output, allowed=_FORMS) if args.output else None
    timeout = _timeout(args.timeout)
    requests = _requests(args)
    reader = StatusReader(open_repository(args))
    targets = _targets(reader.snapshot(), requests, args)
    if not targets and not goal.met(None):
        raise GitOpsError("no matching resources found")
    waiting = _Waiting(reader, goal, timeout, show)
    errors = [error for target in targets if (error := waiting.wait(target))]
    for error in errors:
        plain = len(errors) > 1 or error.startswith("Error from server")
        print(error if plain else f"error: {error}", file=sys.stderr)
    return 1 if errors else 0


class _Waiting:
    """Waits for objects, one after the other, until a common deadline."""

    def __init__(self, reader: StatusReader, goal: Goal, timeout: float, show: Printer | None) -> None:
        self._reader, self._goal, self._timeout, self._show = reader, goal, timeout, show
        self._deadline = time.monotonic() + timeout

    def wait(self, target: Target) -> str:
        """Wait for one object and say so on standard output. Returns what went wrong."""
        file: Object | None = None
        for snapshot in self._reader.snapshots(self._deadline):
            before, file = file, snapshot.get(target.kind, target.namespace, target.name)
            try:
                if self._goal.met(without_events(file) if file else None):
                    self._announce(target.kind, file or before)
                    return ""
            except GitOpsError as error:
                return str(error)
            if file is None and not self._goal.may_be_absent:
                return not_found(target.kind, target.name)
        late = "timed out waiting for the condition on" if self._timeout else "condition not met for"
        return f"{late} {target.kind.plural}/{escape(target.name)}" if file else "timed out waiting for the condition"

    def _announce(self, kind: Kind, file: Object | None) -> None:
        """Say that it is as it should be; what was not there from the start is not worth a word."""
        if file is None:
            return
        obj = without_events(file)
        met = f"{kind.full_singular}/{escape(name_of(obj))} condition met\n"
        sys.stdout.write(self._show([Found(kind, obj)], True) if self._show else met)
        sys.stdout.flush()


def _requests(args: argparse.Namespace) -> Sequence[Request]:
    if not args.resources:
        raise GitOpsError("You must provide one or more resources by argument: TYPE/NAME, TYPE NAME, or TYPE --all")
    requests = read_requests(args)
    if any(request.name is None for request in requests) and not (args.all or args.selector or args.field_selector):
        raise GitOpsError("resource(s) were provided, but no name was specified")
    return requests


def _targets(snapshot: Snapshot, requests: Sequence[Request], args: argparse.Namespace) -> list[Target]:
    targets: list[Target] = []
    for request in requests:
        if request.name is not None:
            targets.append(Target(request.kind, args.namespace, request.name))
        else:
            found = (obj for group in select(snapshot, [request], args).groups for obj in group.objects)
            targets += [Target(request.kind, namespace_of(obj), name_of(obj)) for obj in found]
    return targets


def _timeout(text: str) -> float:
    """Return a time as Go writes it: `30s`, `1m30s`, `0`. A negative one stands for a week, as in kubectl."""
    unsigned = text.lstrip("+-")
    found = 0.0 if unsigned == "0" else seconds(unsigned)
    if found is None:
        raise UsageError(f'invalid argument {quote(text)} for "--timeout": give a time such as 30s or 1m30s')
    return _WEEK if text.startswith("-") else found
