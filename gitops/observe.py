"""What a pass looks at before it decides: tips, the last pass in the log, settings, and the commit that people made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from gitops.branches import Branches
from gitops.core import messages
from gitops.core.catalog import STATUS
from gitops.core.messages import Source
from gitops.core.survey import Seen
from gitops.core.tree import Oid, subtree
from gitops.git.commits import CommitInfo
from gitops.git.newest import newest
from gitops.git.repository import Repository
from gitops.settings import settings


@dataclass(frozen=True)
class Observation:
    """The source tip, the output tip, and the newest status commit below it, whose tree is what status remembers."""

    source_tip: Oid
    tip: Oid | None
    last: CommitInfo | None
    source: Source
    seen: Seen


def observe(branches: Branches, branch: str) -> Observation | None:
    """Look at the repository; None while there is no commit on the source branch."""
    repo, source_tip = branches.repo, branches.tip(branch)
    if source_tip is None:
        return None
    root = repo.objects.commit_tree(source_tip)
    found, problems = settings(repo, source_tip)
    home = found.output.branch or branch
    tip = source_tip if home == branch else branches.tip(home)
    last = newest(repo, tip, messages.is_status) if tip else None
    if last is None:  # a new output branch begins with what was known so far
        last = newest(repo, source_tip, messages.is_status)
    standing = repo.objects.commit_tree(tip) if tip else None
    status = subtree(repo.objects, last.tree if last else standing, STATUS)  # in a squashed history, what stands there
    before = _last_source(repo, last, same=home == branch)
    seen = Seen(root, branch, status, found, problems, before, branches.url, branches.protocols)
    return Observation(source_tip, tip, last, _source(repo, source_tip, branches.shown), seen)


def _last_source(repo: Repository, last: CommitInfo | None, *, same: bool) -> Oid | None:
    """Return the source tree of the last pass: that of its own commit, or of the source commit that it names."""
    if last is None or same:
        return last.tree if last else None
    source = messages.source_of(last.message)
    return repo.objects.commit_tree(source) if source and source in repo.objects else None


def _source(repo: Repository, tip: Oid, url: str) -> Source:
    """Name the newest commit that is not one of ours."""
    commit = newest(repo, tip, _of_people) or repo.objects.read_commit(tip)
    date = datetime.fromtimestamp(commit.when, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Source(commit.oid.hex(), commit.author_name, commit.author_email, commit.subject, date, url)


def _of_people(message: str) -> bool:
    return not messages.is_ours(message)
