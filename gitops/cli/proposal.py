"""What a pull request proposes: the branches as they would be once `--head` was merged into `--base`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import NamedTuple

from gitops.branches import naming
from gitops.cli.parser import Parser
from gitops.cli.repository import Opened
from gitops.core.text import printable
from gitops.core.tree import Oid
from gitops.errors import NotFoundError, UsageError
from gitops.git import merges, revisions
from gitops.git.repository import HEADS
from gitops.git.revisions import Revision

_ID = 40  # hexadecimal digits


class Proposal(NamedTuple):
    """The source branch, and where it and the branches beside it are taken to be."""

    source: str
    tips: Mapping[str, Oid]


def add_arguments(parser: Parser) -> None:
    """Add what names a proposal."""
    parser.add_argument("--base", metavar="REV", help="what would be merged into (default: the source branch)")
    parser.add_argument("--head", metavar="REV", help="what would be merged (default with --base: HEAD)")


def proposal(opened: Opened, args: argparse.Namespace) -> Proposal:
    """Return the branches as they are, or after the merge that *args* names. NotFoundError, ConflictError, UsageError.

    Where the base is a branch of a remote, such as `origin/main`, that remote's other branches are taken as well: a
    clone made for a check of a pull request has no others.
    """
    if args.base is None and args.head is None:
        return Proposal(opened.source, {})
    base, head = _base(opened, args), _head(opened, args)
    source = args.branch or revisions.branch(base.ref) or opened.source
    beside = revisions.branches(opened.repo, base.ref)
    return Proposal(source, {**beside, source: merges.merged(opened.repo, base.oid, head.oid)})


def _base(opened: Opened, args: argparse.Namespace) -> Revision:
    if args.base is not None:
        return _find(opened, args.base)
    tip = opened.tip(opened.source)
    if tip is None:
        raise NotFoundError(f"branch {opened.source} has no commit yet: give another --base")
    return Revision(tip, HEADS + opened.source)


def _head(opened: Opened, args: argparse.Namespace) -> Revision:
    if args.head is not None:
        return _find(opened, args.head)
    if opened.origin:
        raise UsageError("--base needs --head: with --repo URL nothing is checked out")
    return _find(opened, "HEAD")


def _find(opened: Opened, name: str) -> Revision:
    """Find a commit by what Git calls it; of a remote, a branch, or the id of a commit that is on one."""
    if opened.origin is None:
        return revisions.revision(opened.repo, name)
    with naming(opened.origin.url):
        opened.origin.fetch([name])
    if tip := opened.origin.tip(name):
        return Revision(tip, HEADS + name)
    if len(name) == _ID:
        return revisions.revision(opened.repo, name)
    raise NotFoundError(f"{printable(name)} is no branch there")
