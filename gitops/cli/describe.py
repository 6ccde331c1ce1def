"""Show objects and their events, as kubectl prints them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from gitops.cli.parser import Parser
from gitops.cli.repository import open_repository
from gitops.cli.selection import Request, add_selection_arguments, read_requests, select
from gitops.cli.status import Snapshot, StatusReader
from gitops.errors import GitOpsError
from gitops.views.describe import describe
from gitops.views.events import split
from gitops.views.kinds import Object, name_of


def add_arguments(parser: Parser) -> None:
    """Add the command's options."""
    add_selection_arguments(parser)
    parser.add_switch("--show-events", default=True, help="on unless --show-events=false")


def run(args: argparse.Namespace) -> int:
    """Print the descriptions of the objects that the arguments name."""
    if not args.resources:
        raise GitOpsError("You must specify the type of resource to describe: works, workplacements, destinations, …")
    requests = read_requests(args)
    snapshot = StatusReader(open_repository(args)).snapshot()
    selected = select(snapshot, requests, args)
    if selected.errors and len(args.resources) == 2:
        selected.groups = []
        if alike := _alike(snapshot, requests, args):
            sys.stdout.write("".join(f"{_text(file, args)}\n" for file in alike))
            return 0
    texts = [_text(file, args) for group in selected.groups for file in group.objects]
    sys.stdout.write("\n\n".join(texts))
    sys.stdout.flush()
    nothing = "No resources found" + ("" if args.all_namespaces else f" in {args.namespace} namespace.")
    for error in selected.errors or ([] if texts else [nothing]):
        print(error, file=sys.stderr)
    return 1 if selected.errors else 0


def _alike(snapshot: Snapshot, requests: Sequence[Request], args: argparse.Namespace) -> list[Object]:
    """Return the objects whose names begin with the one that was asked for and is not there."""
    kinds, beginning = args.resources
    if "," in kinds:
        raise GitOpsError("you may only specify a single resource type")
    listed = snapshot.all(requests[0].kind, args.namespace)
    return [file for file in listed if name_of(file).startswith(beginning)]


def _text(file: Object, args: argparse.Namespace) -> str:
    obj, events = split(file)
    return describe(obj, events if args.show_events else None, datetime.now(UTC))
