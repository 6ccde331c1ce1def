"""What a pass would change: placements first, then files. It decides with the code of `gitops run`, and writes nothing.

Exit code 0; with --detailed-exitcode 0 when nothing would change, 2 when something would, 1 for an error.
"""

from __future__ import annotations

import argparse
import json
import sys

from gitops.cli import origin
from gitops.cli.repository import open_repository
from gitops.errors import NotFoundError
from gitops.reconciler import Reconciler
from gitops.views import plan as view
from gitops.views.escape import escape_json

CHANGES = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text", help="output format")
    parser.add_argument(
        "--detailed-exitcode", action="store_true", help="exit with 2 when something would change, 64 on wrong usage"
    )
    if "--detailed-exitcode" in sys.argv:
        parser.usage_exit_code = 64  # type: ignore[attr-defined]


def run(args: argparse.Namespace) -> int:
    """Print the plan."""
    opened = open_repository(args)
    branches = origin.branches(opened.repo, opened.origin, args)
    planned = Reconciler(opened.repo, opened.source, branches=branches).plan()
    if planned is None:
        raise NotFoundError(f"branch {opened.source} has no commit yet")
    if args.output == "json":
        found = view.as_json(planned.plan, planned.objects, writes=planned.writes)
        print(escape_json(json.dumps(found, indent=2)))
    else:
        sys.stdout.write(view.as_text(planned.plan, planned.objects, writes=planned.writes))
    return CHANGES if args.detailed_exitcode and planned.writes else 0
