"""List events, as kubectl prints them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from gitops.cli.parser import Parser
from gitops.cli.repository import open_repository
from gitops.cli.selection import add_namespace_arguments, namespace_of_request, type_and_name
from gitops.cli.status import Snapshot, StatusReader
from gitops.errors import GitOpsError
from gitops.views.escape import escape
from gitops.views.events import EventTable
from gitops.views.kinds import Object, name_of
from gitops.views.output import print_jsonpath, printer
from gitops.views.serialise import to_json, to_yaml

_FORMS = ("json", "jsonpath", "jsonpath-as-json", "name", "yaml")
_TYPES = ("Normal", "Warning")

Predicate = Callable[[Object], bool]
Show = Callable[[Sequence[Object]], str]


def add_arguments(parser: Parser) -> None:
    """Add the command's options."""
    add_namespace_arguments(parser)
    parser.add_argument("--for", dest="about", metavar="TYPE/NAME", default="", help="only those of one object")
    parser.add_argument("--types", metavar="TYPES", action="append", default=[], help="only Normal or Warning ones")
    parser.add_argument("-o", "--output", metavar="FORM", default="", help="json, yaml, name, jsonpath=TEMPLATE")
    parser.add_switch("-w", "--watch", help="go on and print what happens")
    parser.add_switch("--no-headers", help="print no headers")


def run(args: argparse.Namespace) -> int:
    """Print the events that the arguments ask for."""
    matches = _predicate(args)
    show = _shower(args)
    reader = StatusReader(open_repository(args))
    namespace = namespace_of_request(args)
    if args.watch:
        return _watch(reader, lambda snapshot: filter(matches, snapshot.events(namespace)), show)
    events = list(filter(matches, reader.snapshot().events(namespace)))
    if not events:
        print("No events found" + (f" in {namespace} namespace." if namespace else "."), file=sys.stderr)
    sys.stdout.write(show(events) if events else "")
    return 0


def _watch(reader: StatusReader, find: Callable[[Snapshot], Iterable[Object]], show: Show) -> int:
    """Print each event as it comes, and again when it comes back, until the user interrupts."""
    seen: dict[str, Object] = {}
    for snapshot in reader.snapshots():
        for event in find(snapshot):
            if seen.get(name_of(event)) != event:
                sys.stdout.write(show([event]))
                sys.stdout.flush()
            seen[name_of(event)] = event
    return 0


def _predicate(args: argparse.Namespace) -> Predicate:
    types = [word for words in args.types if words for word in words.split(",")]
    known = {name.lower(): name for name in _TYPES}
    if any(word.lower() not in known for word in types):
        raise GitOpsError("valid --types are Normal or Warning")
    wanted = {known[word.lower()] for word in types} or set(_TYPES)
    about = _about(args.about) if args.about else None
    return lambda event: event["type"] in wanted and about in (None, _object(event))


def _object(event: Object) -> tuple[str, str]:
    about = event["involvedObject"]
    return about["kind"], about["name"]


def _about(word: str) -> tuple[str, str]:
    if "/" not in word:
        raise GitOpsError("--for must be in resource/name form")
    request = type_and_name(word)
    return request.kind.kind, request.name or ""


def _shower(args: argparse.Namespace) -> Show:
    """Return what prints events. GitOpsError for a form that is none."""
    name, _, template = args.output.partition("=")
    if not args.output:
        table = EventTable(namespaces=args.all_namespaces, headers=not args.no_headers)
        return lambda events: table.add(events, datetime.now(UTC))
    printer(args.output, allowed=_FORMS)  # so that a form that is none is refused
    forms: dict[str, Show] = {
        "json": lambda events: to_json(_list(events), sort=False) + "\n",
        "yaml": lambda events: to_yaml(_list(events)),
        "name": lambda events: "".join(f"event/{escape(name_of(event))}\n" for event in events),
    }
    return forms.get(name) or (lambda events: print_jsonpath(template, _list(events), name == "jsonpath-as-json"))


def _list(events: Sequence[Object]) -> Object:
    return {"kind": "EventList", "apiVersion": "v1", "metadata": {}, "items": list(events)}
