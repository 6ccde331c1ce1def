"""Make a repository with an example Work and Destination, or add what is missing to an existing one.

A new repository gets its first commit. In an existing one files are added, never changed, and nothing is committed.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from gitops import authoring
from gitops.api.settings import Commit
from gitops.cli.parser import Parser
from gitops.core import urls
from gitops.errors import UsageError
from gitops.git.commits import Identity
from gitops.git.repository import Repository

STARTER = Path(__file__).parent / "starter"


def add_arguments(parser: Parser) -> None:
    """Add where the repository is, or will be."""
    parser.add_argument("directory", metavar="DIR", nargs="?", help="where (default: --repo, or the current directory)")


def run(args: argparse.Namespace) -> int:
    """Make or complete the repository, and say what to do next. UsageError where none can be."""
    where = args.directory or args.repo or "."
    if urls.is_typed(where):
        raise UsageError(f"{urls.shown(where)}: init makes a repository on this machine: run it in a clone, and push")
    root = Path(where)
    missing = _missing(root)
    if (root / ".git").exists():
        Repository.open(root)  # or it is said why it is of no use
        _add(root, missing)
    else:
        _refuse_foreign(root)
        _make(root, args.branch or "main", missing)
    return 0


def _missing(root: Path) -> Mapping[str, bytes]:
    """The starter's files, but for the folders and files that *root* has already."""
    return {path: text for path, text in authoring.files_below(STARTER).items() if not (root / _top(path)).exists()}


def _top(path: str) -> str:
    return path.partition("/")[0]


def _refuse_foreign(root: Path) -> None:
    if (root / "HEAD").is_file() and (root / "objects").is_dir():
        raise UsageError(f"{root} is a bare repository: run 'gitops init' in a clone of it, commit and push")
    above = next((folder for folder in root.resolve().parents if (folder / ".git").exists()), None)
    if above and root.exists():
        raise UsageError(f"{root} is inside the repository {above}: run 'gitops init {above}', or name a new folder")


def _make(root: Path, branch: str, files: Mapping[str, bytes]) -> None:
    repo = Repository.init(root, branch)
    author = Identity.parse(Commit().author)
    authoring.commit(repo, branch, files, author, datetime.now(UTC), "Add an example Work and Destination")
    _tell(f"Made a Git repository in {_name(root)}:", files)
    _advise(root, "gitops run --once", "gitops get works", "git log")


def _add(root: Path, files: Mapping[str, bytes]) -> None:
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    if files:
        _tell(f"Added to {_name(root)}, and not committed:", files)
        tops = " ".join(sorted({_top(path) for path in files}))
        _advise(root, f"git add {tops}", "git commit -m 'Add gitops'", "gitops run --once")
    else:
        print(f"Nothing is missing in {_name(root)}.")
        _advise(root, "gitops validate", "gitops run --once")


def _name(root: Path) -> str:
    return "this folder" if root.resolve() == Path.cwd() else str(root)


def _tell(heading: str, files: Iterable[str]) -> None:
    print(heading)
    for path in files:
        print(f"  {path}")


def _advise(root: Path, *commands: str) -> None:
    print("\nNext:")
    for command in [f"cd {shlex.quote(str(root))}"] * (root.resolve() != Path.cwd()) + list(commands):
        print(f"  {command}")
