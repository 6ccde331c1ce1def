"""Why a Work is placed where it is, and why not elsewhere: the first rule that ruled out each Destination.

It is decided anew with the code of `gitops run`, from the definitions as they are, and writes nothing.
"""

from __future__ import annotations

import argparse
import json
import sys

from gitops.cli import origin
from gitops.cli.parser import Parser
from gitops.cli.repository import open_repository
from gitops.cli.selection import add_object_arguments, read_object
from gitops.core.explaining import explain
from gitops.core.keys import Key
from gitops.core.placing import Decided
from gitops.errors import GitOpsError, NotFoundError, UsageError
from gitops.reconciler import Reconciler
from gitops.views.escape import escape_json
from gitops.views.explain import as_json, as_text


def add_arguments(parser: Parser) -> None:
    """Add the command's options."""
    add_object_arguments(parser, "work")
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text", help="output format")


def run(args: argparse.Namespace) -> int:
    """Print the explanation."""
    kind, name = read_object(args)
    if kind.kind != "Work":
        raise UsageError("only Works are explained: gitops explain work NAME")
    opened = open_repository(args)
    branches = origin.branches(opened.repo, opened.origin, args)
    planned = Reconciler(opened.repo, opened.source, branches=branches).plan()
    decided = planned.plan.decided.get(Key("Work", args.namespace, name)) if planned else None
    if planned is None or decided is None or decided.effective.removed:
        raise NotFoundError(f"no Work {args.namespace}/{name} is defined on branch {opened.source}")
    groups = explain(_good(decided), planned.plan.survey)
    if args.output == "json":
        print(escape_json(json.dumps(as_json(f"{args.namespace}/{name}", groups), indent=2)))
    else:
        sys.stdout.write(as_text(groups))
    return 0


def _good(decided: Decided) -> Decided:
    """Return a Work that was good once; what is wrong with it now is told beside."""
    if problem := decided.effective.problem:
        if decided.state is None:
            raise GitOpsError(f"{problem}; it is placed nowhere until that is mended")
        if decided.state.orphan:
            raise GitOpsError(f"{problem}; its last good definition is gone from the history; it stays where it is")
        print(f"warning: {problem}; its last good definition is explained", file=sys.stderr)
    return decided
