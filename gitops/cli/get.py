"""List objects from the status on the output branch, as kubectl prints them."""

from __future__ import annotations

import argparse
import gc
import itertools
import sys
from collections.abc import Callable, Iterator, Sequence

from gitops.cli.parser import Parser
from gitops.cli.repository import open_repository
from gitops.cli.selection import Group, Request, Selected, add_selection_arguments, read_requests, select
from gitops.cli.status import StatusReader
from gitops.errors import GitOpsError
from gitops.views.events import without_events
from gitops.views.kinds import Kind, Object, name_of, namespace_of
from gitops.views.output import TABLES, Found, Printer, printer
from gitops.views.sorting import order
from gitops.views.table import Options, Tables


def add_arguments(parser: Parser) -> None:
    """Add the command's options."""
    add_selection_arguments(parser)
    parser.add_argument(
        "-o",
        "--output",
        metavar="FORM",
        default="",
        help="json, yaml, name, wide, jsonpath=TEMPLATE, jsonpath-as-json=TEMPLATE, custom-columns=HEADER:PATH,…",
    )
    parser.add_switch("-w", "--watch", help="go on and print what changes")
    parser.add_switch("--no-headers", help="print no headers")
    parser.add_switch("--show-labels", help="print the labels as the last column")
    parser.add_switch("--show-kind", help="print the kind before each name")
    parser.add_switch("--ignore-not-found", help="an object that is not there is no error")
    parser.add_argument("--sort-by", metavar="PATH", default="", help="sort by a field, as .metadata.name")


def run(args: argparse.Namespace) -> int:
    """Print the objects that the arguments name."""
    if args.show_labels and args.output not in TABLES:
        raise GitOpsError(f"--show-labels option cannot be used with {args.output} printer")
    if not args.resources:
        raise GitOpsError("Required resource not specified: one or more of works, workplacements, destinations, …")
    requests = read_requests(args)
    show = None if args.output in TABLES else printer(args.output, headers=not args.no_headers)
    reader = StatusReader(open_repository(args), events=False)
    if args.watch:
        return _watch(reader, requests, args, show)
    gc.disable()  # what is read has no cycles, and goes when the command ends
    return _print(select(reader.snapshot(), requests, args), args, show)


def _print(selected: Selected, args: argparse.Namespace, show: Printer | None) -> int:
    errors = [] if args.ignore_not_found else selected.errors
    if args.sort_by:
        selected = _sorted(selected, args)
    text = _tables(selected, args) if show is None else _whole(selected, show)
    sys.stdout.write(text)
    sys.stdout.flush()
    if not text and not errors and show is None and not args.ignore_not_found:
        print(_nothing(selected, args), file=sys.stderr)
    for error in errors:
        print(error, file=sys.stderr)
    return 1 if errors else 0


def _tables(selected: Selected, args: argparse.Namespace) -> str:
    runs = [(kind, list(groups)) for kind, groups in itertools.groupby(selected.groups, key=lambda group: group.kind)]
    tables = Tables(_options(args, kinds=args.show_kind or len({kind.kind for kind, _ in runs}) > 1))
    rows = [(kind, [obj for group in groups for obj in _objects(group)]) for kind, groups in runs]
    return "".join(tables.add(kind, objects) for kind, objects in rows if objects)


def _whole(selected: Selected, show: Printer) -> str:
    """Print all as one object: a List, unless one was asked for by its name."""
    groups = selected.groups
    if not groups and selected.errors:
        return ""
    alone = len(groups) == 1 and groups[0].named and not selected.errors
    return show([Found(group.kind, obj) for group in groups for obj in _objects(group)], alone)


def _objects(group: Group) -> list[Object]:
    return [without_events(file) for file in group.objects]


def _options(args: argparse.Namespace, kinds: bool) -> Options:
    return Options(not args.no_headers, args.all_namespaces, kinds, args.show_labels)


def _sorted(selected: Selected, args: argparse.Namespace) -> Selected:
    """Sort all that was found, in tables each kind for itself. JSONPathError where two or more have no order."""
    alone = [Group(group.kind, [obj], group.named) for group in selected.groups for obj in group.objects]
    if len(alone) < 2:
        return selected
    groups = [alone[place] for place in order(args.sort_by, [obj for group in alone for obj in group.objects])]
    if args.output in TABLES:
        kinds = [group.kind for group in selected.groups]
        groups.sort(key=lambda group: kinds.index(group.kind))
    return Selected(groups, selected.errors)


def _nothing(selected: Selected, args: argparse.Namespace) -> str:
    if args.all_namespaces or not all(group.kind.namespaced for group in selected.groups):
        return "No resources found"
    return f"No resources found in {args.namespace} namespace."


def _watch(reader: StatusReader, requests: Sequence[Request], args: argparse.Namespace, show: Printer | None) -> int:
    """Print what is there, then each object that changes, until the user interrupts."""
    if len({request.kind.kind for request in requests}) > 1:
        raise GitOpsError("you may only specify a single resource type")
    if args.sort_by:
        print("warning: --watch or --watch-only requested, --sort-by will be ignored", file=sys.stderr)
    rows = _rows(args, show)
    before: dict[tuple[str, str], Object] | None = None
    for snapshot in reader.snapshots():
        selected = select(snapshot, requests, args)
        if selected.errors and before is None:
            return _print(selected, args, show)
        if len(requests) > 1:
            raise GitOpsError("you may only watch a single resource or type of resource at a time")
        after = _by_key(selected)
        for changed in _changes(before, after):
            sys.stdout.write(rows(requests[0].kind, changed))
            sys.stdout.flush()
        before = after
    return 0


Rows = Callable[[Kind, Sequence[Object]], str]


def _rows(args: argparse.Namespace, show: Printer | None) -> Rows:
    """Return what prints objects one after the other: rows of one table, or documents."""
    if show is None:
        return Tables(_options(args, kinds=args.show_kind)).add
    return lambda kind, objects: "".join(show([Found(kind, obj)], True) for obj in objects)


def _by_key(selected: Selected) -> dict[tuple[str, str], Object]:
    objects = (obj for group in selected.groups for obj in _objects(group))
    return {(namespace_of(obj), name_of(obj)): obj for obj in objects}


def _changes(
    before: dict[tuple[str, str], Object] | None, after: dict[tuple[str, str], Object]
) -> Iterator[Sequence[Object]]:
    """List what is printed together: first all that is there, then each new or different one, or as it was last."""
    if before is None:
        yield from [list(after.values())] if after else []
        return
    for key in sorted(before.keys() | after.keys()):
        if before.get(key) != after.get(key):
            yield [after.get(key) or before[key]]
