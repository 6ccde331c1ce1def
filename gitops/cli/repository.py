"""Which repository and branches a command is about: `--repo`, `--branch`, and `output.branch` of the settings."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from pathlib import Path

from gitops.errors import NotFoundError, UsageError
from gitops.git import refs
from gitops.git.repository import Repository
from gitops.settings import settings

_DEFAULT_BRANCH = "main"
_URL = re.compile(r"[a-z][a-z0-9+.-]*://|[^/]+@[^/]+:")


@dataclass(frozen=True)
class Opened:
    """An open repository with the branch that people change and the one that the daemon writes."""

    repo: Repository
    source: str
    output: str


def open_repository(args: argparse.Namespace) -> Opened:
    """Open the repository that the user named, or that of the current directory. GitOpsError when it cannot be used."""
    if _URL.match(args.repo or ""):
        raise UsageError(f"--repo {args.repo}: clone the repository, and give the path of the clone")
    repo = Repository.open(Path(args.repo or "."))
    source = args.branch or repo.head_branch() or _DEFAULT_BRANCH
    tip = refs.tip(repo, source)
    if args.branch and tip is None:
        raise NotFoundError(f"branch {source} is not there: 'git branch --list' shows those that are")
    output = settings(repo, tip)[0].output.branch if tip else ""
    return Opened(repo, source, output or source)
