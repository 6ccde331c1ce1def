"""Whether anything has changed since nothing was left to do. To find that nothing has costs what people committed."""

from __future__ import annotations

from dataclasses import replace

from gitops.branches import Branches
from gitops.core import messages
from gitops.core.rest import Rest
from gitops.core.tree import Oid
from gitops.git import history
from gitops.git.newest import newest
from gitops.git.repository import Repository


def still(branches: Branches, rest: Rest) -> Rest | None:
    """Return *rest*, with the present tips, if a pass would find nothing to do; None when that is not certain.

    Commits may have come, but only on top, and only such as change nothing of what matters on their branch.
    """
    repo = branches.repo
    if rest.url != branches.url or not all(map(branches.leads_to, rest.tips)):
        return None
    branches.look(rest.tips)
    if any(map(branches.failure, rest.tips)):
        return None
    tips = {branch: branches.tip(branch) for branch in rest.tips}
    moved = {branch for branch, tip in tips.items() if tip != rest.tips[branch]}
    if all(_changed_nothing(repo, rest, branch, rest.tips[branch], tips[branch]) for branch in moved):
        return replace(rest, tips=tips) if moved else rest
    return None


def _changed_nothing(repo: Repository, rest: Rest, branch: str, old: Oid | None, new: Oid | None) -> bool:
    """Whether *new* was built on *old*, and by commits that touch nothing that a pass looks at on *branch*."""
    if old is None or new is None or old not in repo.objects:
        return False
    objects = repo.objects
    if rest.concerns(branch, objects, objects.commit_tree(old), objects.commit_tree(new)):
        return False
    unmoved = all(newest(repo, old, kind) == newest(repo, new, kind) for kind in (messages.is_status, messages.is_ours))
    return unmoved and history.is_ancestor(repo, old, new)
