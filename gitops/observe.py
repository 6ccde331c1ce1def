"""What a pass looks at before it decides: tips, the last pass in the log, settings, and the commit that people made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from gitops.core import messages
from gitops.core.catalog import STATUS
from gitops.core.messages import Source
from gitops.core.survey import Seen
from gitops.core.tree import Oid, subtree
from gitops.git import history, refs
from gitops.git.commits import CommitInfo
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


def observe(repo: Repository, branch: str) -> Observation | None:
    """Look at the repository; None while there is no commit on the source branch."""
    source_tip = refs.tip(repo, branch)
    if source_tip is None:
        return None
    root = repo.objects.commit_tree(source_tip)
    found, problems = settings(repo, source_tip)
    home = found.output.branch or branch
    tip = source_tip if home == branch else refs.tip(repo, home)
    last = newest(repo, tip, messages.is_status) if tip else None
    if last is None:  # a new output branch begins with what was known so far
        last = newest(repo, source_tip, messages.is_status)
    standing = repo.objects.commit_tree(tip) if tip else None
    status = subtree(repo.objects, last.tree if last else standing, STATUS)  # in a squashed history, what stands there
    seen = Seen(root, branch, status, found, problems, _last_source(repo, last, same=home == branch))
    return Observation(source_tip, tip, last, _source(repo, source_tip), seen)


def _last_source(repo: Repository, last: CommitInfo | None, *, same: bool) -> Oid | None:
    """Return the source tree of the last pass: that of its own commit, or of the source commit that it names."""
    if last is None or same:
        return last.tree if last else None
    source = messages.source_of(last.message)
    return repo.objects.commit_tree(source) if source and source in repo.objects else None


def newest(repo: Repository, tip: Oid, wanted: Callable[[str], bool]) -> CommitInfo | None:
    """Return the newest commit whose message is *wanted*.

    It is mostly near the tip: what the first one among the first parents reaches is older, and not looked at.
    """
    commit: CommitInfo | None = repo.objects.read_commit(tip)
    while commit and not wanted(commit.message):
        commit = repo.objects.read_commit(commit.parents[0]) if commit.parents else None
    walked = history.walk(repo, tip, commit.oid if commit else None)
    beside = next((other for other in walked if wanted(other.message)), None)
    if commit is None or beside is None:
        return commit or beside
    after = beside.committed > commit.committed or history.is_ancestor(repo, commit.oid, beside.oid)
    return beside if after else commit


def _source(repo: Repository, tip: Oid) -> Source:
    """Name the newest commit that is not one of ours."""
    commit = newest(repo, tip, lambda message: not messages.is_ours(message)) or repo.objects.read_commit(tip)
    date = datetime.fromtimestamp(commit.when, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Source(commit.oid.hex(), commit.author_name, commit.author_email, commit.subject, date, repo.origin())
