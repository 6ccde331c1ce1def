"""Which repository and branches a command is about: `--repo`, `--branch`, and `output.branch` of the settings."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gitops.core import urls
from gitops.core.tree import Oid
from gitops.errors import NotFoundError
from gitops.git import refs
from gitops.git.repository import Repository
from gitops.settings import settings

if TYPE_CHECKING:
    from gitops.git.remote import Remote

DEFAULT_BRANCH = "main"


@dataclass(frozen=True)
class Opened:
    """An open repository with the branch that people change and the one that the daemon writes.

    With *origin* it is a clone, and the branches are those of this remote.
    """

    repo: Repository
    source: str
    output: str
    origin: Remote | None = None

    def refresh(self) -> None:
        """See where the branches of the remote are now. TransportError."""
        if self.origin:
            self.origin.fetch({self.source, self.output or self.source})

    def tip(self, branch: str) -> Oid | None:
        """Return the commit that *branch* points to, None while it is unborn."""
        return self.origin.tip(branch) if self.origin else refs.tip(self.repo, branch)


def open_repository(args: argparse.Namespace) -> Opened:
    """Open the repository that the user named, or that of the current directory. GitOpsError when it cannot be used."""
    if urls.is_typed(args.repo):
        return _open_clone(args)
    repo = Repository.open(Path(args.repo or "."))
    return resolved(Opened(repo, args.branch or repo.head_branch() or DEFAULT_BRANCH, ""), args)


def _open_clone(args: argparse.Namespace) -> Opened:
    from gitops.cli import origin  # here: most commands of most people speak with no server

    with origin.told_of(args.repo):
        return _fetched(args, *origin.open_clone(args))


def _fetched(args: argparse.Namespace, repo: Repository, remote: Remote) -> Opened:
    opened = Opened(repo, args.branch or remote.default_branch() or DEFAULT_BRANCH, "", remote)
    opened.refresh()
    opened = resolved(opened, args)
    opened.refresh()
    return opened


def resolved(opened: Opened, args: argparse.Namespace) -> Opened:
    """Complete *opened* with the branch that the daemon writes. NotFoundError for a branch that is not there."""
    tip = opened.tip(opened.source)
    if args.branch and tip is None:
        raise NotFoundError(f"branch {opened.source} is not there: 'git branch --list' shows those that are")
    output = settings(opened.repo, tip)[0].output.branch if tip else ""
    return Opened(opened.repo, opened.source, output or opened.source, opened.origin)
