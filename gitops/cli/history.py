"""Events and versions of one object from the Git log, the newest last, as in `events`.

An object that was removed has its history too. That of a Work has the versions of its placements in it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from gitops.cli.parser import Parser
from gitops.cli.repository import Opened, open_repository
from gitops.cli.selection import add_object_arguments, read_object
from gitops.cli.status import parse, paths
from gitops.core.memory import WORK_FILE
from gitops.core.tree import Entry, Oid, lookup
from gitops.errors import NotFoundError
from gitops.git.commits import CommitInfo
from gitops.git.history import walk
from gitops.git.objects import ObjectStore
from gitops.views import history
from gitops.views.kinds import Object


def add_arguments(parser: Parser) -> None:
    """Add the command's options."""
    add_object_arguments(parser)
    parser.add_argument("-o", "--output", choices=["json"], help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Print what the log says of the object."""
    kind, name = read_object(args)
    opened = open_repository(args)
    # where its status may stand: a file, or the folder of a Work and its placements
    places = [path.removesuffix(f"/{WORK_FILE}") for path in paths(kind, args.namespace, name)]
    found = [_entries(opened.repo.objects, change) for change in _changes(opened, places)]
    entries = [entry for each in reversed(found) for entry in each]
    if ends := ", ".join(sorted(oid.hex()[:7] for oid in opened.repo.objects.ends)):
        told = f"the log of this shallow clone ends at {ends}; `git fetch --unshallow` brings what was before"
        print(f"warning: {told}", file=sys.stderr)
    if not found:
        where = f" in {args.namespace} namespace" if kind.namespaced else ""
        raise NotFoundError(f"no history of {kind.resource} {name}{where} on branch {opened.output}")
    sys.stdout.write(history.as_json(entries) if args.output else history.table(entries))
    return 0


class Change(NamedTuple):
    """A commit in which something differs from all of its parents; *before* is what the first parent has."""

    commit: CommitInfo
    before: Entry | None
    after: Entry | None


def _changes(opened: Opened, places: Sequence[str]) -> Iterator[Change]:
    """List the commits that changed one of *places*, newest first; of those that end a shallow clone nobody knows."""
    objects = opened.repo.objects
    tip = opened.tip(opened.output)
    for commit in walk(opened.repo, tip) if tip else ():
        if commit.oid in objects.ends:
            continue
        parents = [objects.read_commit(parent).tree for parent in commit.parents]
        for place in places:
            after = lookup(objects, commit.tree, place)
            before = [lookup(objects, tree, place) for tree in parents] or [None]
            if after not in before:
                yield Change(commit, before[0], after)


def _entries(objects: ObjectStore, change: Change) -> list[history.Entry]:
    """Return what happened in one commit."""
    made = datetime.fromtimestamp(change.commit.committed, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    commit = history.Commit(change.commit.oid.hex(), made, change.commit.message)
    before, after = (_files(objects, entry) for entry in (change.before, change.after))
    entries: list[history.Entry] = []
    for name in sorted(before.keys() | after.keys(), key=lambda name: (name != WORK_FILE, name)):
        old, new = before.get(name), after.get(name)
        if old != new:
            tell = history.changes if name in ("", WORK_FILE) else history.versions
            entries += tell(commit, _read(objects, old), _read(objects, new))
    return entries


def _files(objects: ObjectStore, entry: Entry | None) -> Mapping[str, Oid]:
    """Return the files of a Work's folder by their names; a file that stands alone has none."""
    if entry is None:
        return {}
    if not entry.is_tree:
        return {"": entry.oid}
    return {name: each.oid for name, each in objects.tree(entry.oid).items() if not each.is_tree}


def _read(objects: ObjectStore, oid: Oid | None) -> Object | None:
    return parse(objects.blob(oid)) if oid else None
