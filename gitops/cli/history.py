"""Events and versions of one object from the Git log, the newest last, as in `events`.

An object that was removed has its history too. That of a Work has the versions of its placements in it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from gitops.cli.main import Parser
from gitops.cli.repository import Opened, open_repository
from gitops.cli.selection import one_kind
from gitops.cli.status import parse, paths
from gitops.core.memory import WORK_FILE
from gitops.core.tree import Entry, Oid, lookup
from gitops.errors import NotFoundError
from gitops.git import refs
from gitops.git.commits import CommitInfo
from gitops.git.history import walk
from gitops.git.objects import ObjectStore
from gitops.views import history
from gitops.views.events import DEFAULT_NAMESPACE
from gitops.views.kinds import Kind, Object


def add_arguments(parser: Parser) -> None:
    """Add the command's options."""
    parser.add_argument("kind", metavar="KIND")
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("-n", "--namespace", metavar="NAMESPACE", default=DEFAULT_NAMESPACE, help="default: default")
    parser.add_argument("-o", "--output", choices=["json"], help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Print what the log says of the object."""
    kind = one_kind(args.kind)
    opened = open_repository(args)
    found = [entry for place in _paths(kind, args) for entry in _entries(opened, place)]
    if not found:
        where = f" in {args.namespace} namespace" if kind.namespaced else ""
        raise NotFoundError(f"no history of {kind.resource} {args.name}{where} on branch {opened.output}")
    entries = found[::-1]
    sys.stdout.write(history.as_json(entries) if args.output else history.table(entries))
    return 0


def _paths(kind: Kind, args: argparse.Namespace) -> Sequence[str]:
    """Return where the status may stand: a file, or the folder of a Work and its placements."""
    found = paths(kind, args.namespace, args.name)
    return [path.removesuffix(f"/{WORK_FILE}") for path in found]


class Change(NamedTuple):
    """A commit in which something differs from all of its parents; *before* is what the first parent has."""

    commit: CommitInfo
    before: Entry | None
    after: Entry | None


def _changes(opened: Opened, path: str) -> Iterator[Change]:
    """List the commits that changed *path*, newest first."""
    objects = opened.repo.objects
    tip = refs.tip(opened.repo, opened.output)
    for commit in walk(opened.repo, tip) if tip else ():
        after = lookup(objects, commit.tree, path)
        before = [lookup(objects, objects.read_commit(parent).tree, path) for parent in commit.parents] or [None]
        if after not in before:
            yield Change(commit, before[0], after)


def _entries(opened: Opened, path: str) -> Iterator[history.Entry]:
    """List what happened, newest first."""
    objects = opened.repo.objects
    for change in _changes(opened, path):
        commit = _named(change.commit)
        entries: list[history.Entry] = []
        for name in _names(objects, change):
            before, after = (_file(objects, entry, name) for entry in (change.before, change.after))
            whole = not name or name == WORK_FILE
            entries += (history.changes if whole else history.versions)(commit, before, after)
        yield from reversed(entries)
