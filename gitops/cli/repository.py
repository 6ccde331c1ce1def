"""Which repository and branches a command is about: `--repo`, `--branch`, and `output.branch` of the settings."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from pathlib import Path

from gitops.api.settings import Settings
from gitops.core.manifests import load_settings
from gitops.core.tree import lookup
from gitops.errors import NotFoundError, UsageError
from gitops.git import refs
from gitops.git.repository import Repository

SETTINGS = "gitops.yaml"
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
    if args.branch and refs.tip(repo, source) is None:
        raise NotFoundError(f"branch {source} is not there: 'git branch --list' shows those that are")
    return Opened(repo, source, _settings(repo, source).output.branch or source)


def _settings(repo: Repository, branch: str) -> Settings:
    """Return the settings on *branch*; those that cannot be read are the defaults, as they are for the daemon."""
    tip = refs.tip(repo, branch)
    entry = lookup(repo.objects, repo.objects.read_commit(tip).tree, SETTINGS) if tip else None
    if entry is None or entry.is_tree:
        return Settings()
    settings, _ = load_settings(SETTINGS, repo.objects.blob(entry.oid))
    return settings or Settings()
