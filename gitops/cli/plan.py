"""What a pass would change: placements first, then files. It decides with the code of `gitops run`, and writes nothing.

Only what is committed counts. With --base or --head it is the pass after the head was merged into the base: what a pull
request comes to.

With -o diff it is a patch for `git apply`; where a branch other than that of the status changes, a line `branch NAME`
begins the patch of each branch.
Exit code 0; with --detailed-exitcode 0 when nothing would change, 2 when something would, 1 for an error.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable

from gitops.cli import origin, proposal
from gitops.cli.parser import Parser
from gitops.cli.repository import open_repository
from gitops.git.patches import patch
from gitops.reconciler import Planned, Reconciler
from gitops.views.escape import escape, escape_json
from gitops.views.markdown import as_markdown
from gitops.views.plan import as_json
from gitops.views.plan_text import as_diff, as_text

CHANGES = 2
OUTPUTS = ("text", "json", "markdown", "diff")


def add_arguments(parser: Parser) -> None:
    """Add what the command takes."""
    proposal.add_arguments(parser)
    parser.add_argument("-o", "--output", choices=OUTPUTS, default="text", help="output format")
    parser.add_argument(
        "--detailed-exitcode", action="store_true", help="exit with 2 when something would change, 64 on wrong usage"
    )
    if "--detailed-exitcode" in sys.argv:
        parser.usage_exit_code = 64


def run(args: argparse.Namespace) -> int:
    """Print the plan."""
    opened = open_repository(args, detached=args.base is not None)
    source, tips = proposal.proposal(opened, args)
    branches = origin.branches(opened.repo, opened.origin, args, tips)
    planned = Reconciler(opened.repo, source, branches=branches).plan()
    if planned is None:
        print(f"Plan: nothing to change: branch {source} has no commit yet.", file=sys.stderr)
        return 0
    sys.stdout.writelines(_told(planned, args.output))
    return CHANGES if args.detailed_exitcode and planned.writes else 0


def _told(planned: Planned, output: str) -> Iterable[str]:
    plan, objects, writes = planned.plan, planned.objects, planned.writes
    if output == "diff":
        for branch, failure in sorted(plan.failures.items()):
            print(escape(f"warning: nothing can be written to branch {branch}: {failure}"), file=sys.stderr)
        return as_diff(plan, objects, patch)
    if output == "markdown":
        return [as_markdown(plan, objects, patch, writes=writes)]
    if output == "json":
        return [escape_json(json.dumps(as_json(plan, objects, writes=writes), indent=2)), "\n"]
    return [as_text(plan, objects, writes=writes)]
