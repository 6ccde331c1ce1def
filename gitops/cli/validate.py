"""Check every definition, as a pass would: each problem with its file, line and column. Exit code 1 when there is one.

Without PATH the definitions in the work tree are checked, committed or not; of a bare repository those of the branch.
With PATH these files, or all definitions below these folders. A file outside a repository's layout may have any name.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from pathlib import Path

from gitops.cli.folder import tree
from gitops.cli.repository import open_repository
from gitops.core import checking
from gitops.core.catalog import FOLDERS, SETTINGS
from gitops.core.manifests import Problem
from gitops.core.sketch import Sketch
from gitops.core.tree import EMPTY
from gitops.errors import NotFoundError
from gitops.sandbox import Sandbox
from gitops.views.escape import escape


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    parser.add_argument(
        "paths", metavar="PATH", nargs="*", type=Path, help="files or folders (default: all definitions)"
    )


def run(args: argparse.Namespace) -> int:
    """Print the problems, one a line, and a summary."""
    objects = Sketch()
    report = _check_paths(objects, args.paths) if args.paths else _check_repository(args)
    for problem in report.problems:
        print(escape(f"{problem.location}: {problem.message}"))
    print(f"{_count(report.definitions, 'definition')}, {_count(len(report.problems), 'problem')}")
    return 1 if report.problems else 0


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _check_repository(args: argparse.Namespace) -> checking.Report:
    opened = open_repository(args)
    workdir = opened.repo.workdir()
    if workdir:
        objects = Sketch()
        found = [workdir / name for name in (*FOLDERS, SETTINGS)]
        return checking.check(objects, tree(objects, workdir, found), opened.source, Sandbox())
    tip = opened.tip(opened.source)
    root = opened.repo.objects.commit_tree(tip) if tip else EMPTY
    return checking.check(Sketch(opened.repo.objects), root, opened.source, Sandbox())


def _check_paths(objects: Sketch, paths: Iterable[Path]) -> checking.Report:
    """Check what the user named: in its repository's layout when it is in one, else on its own."""
    reports = [_check_path(objects, path) for path in paths]
    problems = tuple(dict.fromkeys(problem for report in reports for problem in report.problems))
    return checking.Report(sum(report.definitions for report in reports), problems)


def _check_path(objects: Sketch, path: Path) -> checking.Report:
    if not path.exists():
        raise NotFoundError(f"{path} is not there")
    root = _layout_root(path)
    if root is None:
        return _check_alone(objects, path)
    found = [root / name for name in (*FOLDERS, SETTINGS)]
    whole = checking.check(objects, tree(objects, root, found), "main", Sandbox())
    own = path.resolve().relative_to(root).as_posix()
    problems = tuple(p for p in whole.problems if own == "." or p.path == own or p.path.startswith(f"{own}/"))
    return checking.Report(whole.below(own), tuple(_relocated(p, root) for p in problems))


def _relocated(problem: Problem, root: Path) -> Problem:
    return problem._replace(path=os.path.relpath(root / problem.path))


def _layout_root(path: Path) -> Path | None:
    """Return the folder whose `works/`, `destinations/` or `statestores/` *path* is, holds, or is in."""
    resolved = path.resolve()
    if resolved.is_dir() and any((resolved / name).is_dir() for name in FOLDERS):
        return resolved
    return next(
        (above.parent for above in (resolved, *resolved.parents) if above.name in FOLDERS and above.is_dir()), None
    )


def _check_alone(objects: Sketch, path: Path) -> checking.Report:
    below = (p for p in path.rglob("*") if p.is_file() and p.suffix in (".yaml", ".yml", ".json"))
    files = [path] if path.is_file() else sorted(below)
    found = [checking.check_file(str(file), file.read_bytes()) for file in files]
    return checking.Report(sum(r.definitions for r in found), tuple(p for r in found for p in r.problems))
