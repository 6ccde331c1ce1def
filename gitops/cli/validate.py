"""Check every definition, as a pass would: each problem with its file, line and column. Exit code 1 when there is one.

Without PATH the definitions in the work tree are checked, committed or not; of a bare repository those of the branch.
With PATH these files, or all definitions below these folders. A file outside a repository's layout may have any name,
and be a pipe. Which of two definitions that clash was there first, status tells.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

from gitops import access
from gitops.branches import Branches
from gitops.cli.folder import tree
from gitops.cli.parser import Parser
from gitops.cli.repository import DEFAULT_BRANCH, Opened, open_repository
from gitops.core import checking
from gitops.core.catalog import FOLDERS, SETTINGS, unit_path
from gitops.core.sketch import Sketch
from gitops.core.survey import Seen
from gitops.core.text import counted
from gitops.errors import NotFoundError
from gitops.git.history import Lineage
from gitops.git.revisions import revision
from gitops.observe import observe
from gitops.sandbox import Sandbox
from gitops.views.escape import escape


def add_arguments(parser: Parser) -> None:
    """Add what the command takes."""
    parser.add_argument(
        "paths", metavar="PATH", nargs="*", type=Path, help="files or folders (default: all definitions)"
    )


def run(args: argparse.Namespace) -> int:
    """Print the problems, one a line, and a summary."""
    report = _check_paths(args, args.paths) if args.paths else _check_repository(args)
    for problem in report.problems:
        print(escape(f"{problem.location}: {problem.message}"))
    print(f"{counted(report.definitions, 'definition')}, {counted(len(report.problems), 'problem')}")
    return 1 if report.problems else 0


def _check_repository(args: argparse.Namespace) -> checking.Report:
    opened = open_repository(args, detached=True)
    workdir = opened.repo.workdir()
    if workdir:
        return _check_files(workdir, opened)
    return checking.check(Sketch(opened.repo.objects), _seen(opened), Sandbox())


def _check_files(root: Path, opened: Opened | None) -> checking.Report:
    """Check the definitions below *root* as the files are; with the status of the repository there, if it is one."""
    seen = _seen(opened) if opened else Seen(None, DEFAULT_BRANCH, None, protocols=access.protocols(os.environ))
    objects = Sketch(opened.repo.objects if opened else None)
    source = tree(objects, root, [root / name for name in (*FOLDERS, SETTINGS)])
    return checking.check(objects, replace(seen, source=source), Sandbox())


def _seen(opened: Opened) -> Seen:
    """Return what a pass would see on the source branch; where HEAD is on no branch, as in CI, on the commit there."""
    repo = opened.repo
    detached = repo.workdir() and repo.head_branch() is None
    tips = {opened.source: revision(repo, "HEAD").oid} if detached else {}
    branches = Branches(repo, origin=opened.origin, tips=tips)
    found = observe(branches, opened.source, Lineage(repo))
    return found.seen if found else Seen(None, opened.source, None, url=branches.url, protocols=branches.protocols)


def _check_paths(args: argparse.Namespace, paths: Iterable[Path]) -> checking.Report:
    """Check what the user named: in its repository's layout when it is in one, else on its own."""
    check = cache(partial(_check_layout, args))
    reports = [_check_path(path, check) for path in paths]
    problems = tuple(dict.fromkeys(problem for report in reports for problem in report.problems))
    return checking.Report(sum(report.definitions for report in reports), problems)


def _check_layout(args: argparse.Namespace, root: Path) -> checking.Report:
    there = argparse.Namespace(**{**vars(args), "repo": str(root)})
    return _check_files(root, open_repository(there, detached=True) if (root / ".git").exists() else None)


def _check_path(path: Path, check: Callable[[Path], checking.Report]) -> checking.Report:
    if not path.exists():
        raise NotFoundError(f"{path} is not there")
    root = _layout_root(path)
    if root is None:
        return _check_alone(path)
    whole = check(root)
    own = unit_path(path.resolve().relative_to(root).as_posix())
    problems = tuple(p for p in whole.problems if own == "." or p.path == own or p.path.startswith(f"{own}/"))
    return checking.Report(whole.below(own), tuple(p._replace(path=os.path.relpath(root / p.path)) for p in problems))


def _layout_root(path: Path) -> Path | None:
    """Return the folder whose settings, `works/`, `destinations/` or `statestores/` *path* is, holds, or is in."""
    resolved = path.resolve()
    if resolved.is_dir() and any((resolved / name).is_dir() for name in FOLDERS):
        return resolved
    if resolved.name == SETTINGS:
        return resolved.parent
    return next(
        (above.parent for above in (resolved, *resolved.parents) if above.name in FOLDERS and above.is_dir()), None
    )


def _check_alone(path: Path) -> checking.Report:
    below = (p for p in path.rglob("*") if p.is_file() and p.suffix in (".yaml", ".yml", ".json"))
    files = sorted(below) if path.is_dir() else [path]  # which may be a pipe
    found = [checking.check_file(str(file), file.read_bytes()) for file in files]
    return checking.Report(sum(r.definitions for r in found), tuple(p for r in found for p in r.problems))
