"""What a pass looks at before it decides: tips, the last pass in the log, settings, and the commit that people made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from gitops.branches import Branches
from gitops.core import messages
from gitops.core.catalog import FOLDERS, SETTINGS, STATUS
from gitops.core.messages import Source
from gitops.core.survey import Seen
from gitops.core.tree import Oid, Tree, subtree
from gitops.errors import GitOpsError
from gitops.git import history
from gitops.git.commits import CommitInfo
from gitops.git.history import Lineage
from gitops.git.newest import newest
from gitops.git.repository import Repository
from gitops.settings import settings

_OUTPUT = (
    "{0} has no definitions, and its status comes from another branch: it is an output branch. Give the branch with the"
    " definitions with --branch; or, if {0} is to be one, commit a gitops.yaml to it"
)


@dataclass(frozen=True)
class Observation:
    """Where the source branch and the home branch stand (*tip*; None: unborn), and what was *seen* there.

    *source* is the newest commit that people made, *past* are all commits that led to the source tip.
    """

    source_tip: Oid
    tip: Oid | None
    source: Source
    seen: Seen
    past: Lineage


def observe(branches: Branches, branch: str, lineage: Lineage) -> Observation | None:
    """Look at the repository, and follow the *lineage* of the source branch; None while there is no commit on it.

    GitOpsError when it is the output branch of another: there is no definition, and all would be withdrawn.
    """
    repo, source_tip = branches.repo, branches.tip(branch)
    if source_tip is None:
        return None
    root = repo.objects.commit_tree(source_tip)
    in_effect, problems = settings(repo, source_tip)
    home = in_effect.output.branch or branch
    tip = source_tip if home == branch else branches.tip(home)
    last, past = _last_status(repo, tip, source_tip), lineage.follow(source_tip)
    if home == branch and last and _is_output(repo.objects.tree(root), last, past):
        raise GitOpsError(_OUTPUT.format(branch))
    status = _status(repo, last, tip)
    before, rewritten = _last_source(repo, last, status, past, same=home == branch)
    if status and before is None and branches.look_again(branch) != source_tip:
        return observe(branches, branch, lineage)  # others may have answered what is new there
    seen = Seen(root, branch, status, in_effect, problems, before, rewritten, branches.url, branches.protocols)
    return Observation(source_tip, tip, _source(repo, source_tip, branches.shown), seen, past)


def _last_status(repo: Repository, tip: Oid | None, source_tip: Oid) -> CommitInfo | None:
    """Return the newest status commit; a new output branch begins with what was known on the source branch."""
    last = newest(repo, tip, messages.is_status) if tip else None
    return last or newest(repo, source_tip, messages.is_status)


def _status(repo: Repository, last: CommitInfo | None, tip: Oid | None) -> Oid | None:
    """Return the tree that status remembers: that of its newest commit, or what stands at a *tip* that was squashed."""
    root = last.tree if last else repo.objects.commit_tree(tip) if tip else None
    return subtree(repo.objects, root, STATUS)


def _is_output(root: Tree, last: CommitInfo, past: Lineage) -> bool:
    """Whether a branch without any definition has its status from a commit that never was on it."""
    source = messages.source_of(last.message)
    return root.keys().isdisjoint((*FOLDERS, SETTINGS)) and source is not None and source not in past


def _last_source(
    repo: Repository, last: CommitInfo | None, status: Oid | None, past: Lineage, *, same: bool
) -> tuple[Oid | None, bool]:
    """Return the source tree of the last pass, and whether commits that status names may be gone for good.

    If definitions and status are on the *same* branch, it is the tree of the *last* status commit itself; otherwise
    that of the source commit which its message names. Where no status commit is left, in a squashed history, it is that
    of the commit that brought *status*. It has to be one of the *past*: what people took out of the history is still in
    some clones and not in others, and all have to come to the same decision.
    """
    if last and same:
        return last.tree, False
    source = messages.source_of(last.message) if last else _status_commit(repo, past.tip) if status and same else None
    if source and source in past:
        return repo.objects.commit_tree(source), last is None and not repo.objects.is_shallow
    return None, status is not None and not repo.objects.is_shallow


def _status_commit(repo: Repository, tip: Oid) -> Oid | None:
    """Return the commit that brought the status that stands in *tip*, whatever its message says."""
    found = history.last_changed(repo, tip, [STATUS]).get(STATUS)
    return found.oid if found else None


def _source(repo: Repository, tip: Oid, url: str) -> Source:
    """Describe the newest commit that people made."""
    commit = newest(repo, tip, _of_people) or repo.objects.read_commit(tip)
    date = datetime.fromtimestamp(commit.when, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Source(commit.oid.hex(), commit.author_name, commit.author_email, commit.subject, date, url)


def _of_people(message: str) -> bool:
    return not messages.is_ours(message)
