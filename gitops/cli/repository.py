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
from gitops.git.repository import HEADS, Repository
from gitops.git.revisions import REMOTES
from gitops.settings import settings

if TYPE_CHECKING:
    from gitops.git.remote import Remote

DEFAULT_BRANCH = "main"
_LISTED = 20  # branches


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


def open_repository(args: argparse.Namespace, *, detached: bool = False) -> Opened:
    """Open the repository that the user named, or that of the current directory. GitOpsError when it cannot be used.

    NotFoundError where the source branch should be there and is not; *detached*: a commit on no branch will do as well.
    """
    if urls.is_typed(args.repo):
        return _open_clone(args)
    repo = Repository.open(Path(args.repo or "."))
    opened = Opened(repo, args.branch or repo.head_branch() or DEFAULT_BRANCH, "")
    return _completed(opened, asked=bool(args.branch), detached=detached)


def _open_clone(args: argparse.Namespace) -> Opened:
    from gitops.branches import naming  # here: most commands of most people speak with no server
    from gitops.cli import origin

    with naming(args.repo):
        return _fetched(args, *origin.open_clone(args))


def _fetched(args: argparse.Namespace, repo: Repository, remote: Remote) -> Opened:
    opened = Opened(repo, args.branch or remote.default_branch() or DEFAULT_BRANCH, "", remote)
    opened.refresh()
    opened = _completed(opened, asked=bool(args.branch))
    opened.refresh()
    return opened


def _completed(opened: Opened, *, asked: bool, detached: bool = False) -> Opened:
    """Add the branch that the daemon writes."""
    tip = opened.tip(opened.source)
    if tip is None and (asked or not detached) and (why := absence(opened.repo, opened.source, opened.origin, asked)):
        raise NotFoundError(why)
    output = settings(opened.repo, tip)[0].output.branch if tip else ""
    return Opened(opened.repo, opened.source, output or opened.source, opened.origin)


def absence(repo: Repository, branch: str, origin: Remote | None, asked: bool) -> str | None:
    """Return what is amiss where *branch* has no commit; None if it may still get its first one.

    Somebody who *asked* for one of other branches is told which there are.
    """
    if origin:
        there, fetched = origin.branches(), []
    else:
        names = sorted(refs.everything(repo))
        there = [name.removeprefix(HEADS) for name in names if name.startswith(HEADS)]
        fetched = [name.removeprefix(REMOTES) for name in names if name.startswith(REMOTES)]
        fetched = [name for name in fetched if name.partition("/")[2] == branch]
    if fetched:
        return f"branch {branch} is not here, only {fetched[0]}: 'git branch {branch} {fetched[0]}' makes it"
    if asked and there:
        others = f" and {len(there) - _LISTED} more" if len(there) > _LISTED else ""
        return f"branch {branch} is not there; there are: {', '.join(there[:_LISTED])}{others}"
    return None
