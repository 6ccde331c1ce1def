"""gitops.yaml as it is in effect: for the daemon, and for the commands that read what it wrote."""

from __future__ import annotations

from collections.abc import Iterator

from gitops.api.settings import Settings
from gitops.core import definitions
from gitops.core.catalog import SETTINGS
from gitops.core.problems import Problem
from gitops.core.tree import Oid
from gitops.git import history
from gitops.git.repository import Repository

_SEARCHED = 1_000  # versions of gitops.yaml that are tried for a good one


def settings(repo: Repository, tip: Oid) -> tuple[Settings, tuple[Problem, ...]]:
    """Return the settings at the commit *tip*; wrong ones are reported, and the last good ones stay in effect."""
    found, problems = definitions.settings(repo.objects, repo.objects.commit_tree(tip))
    if found is not None:
        return found, problems
    for older in _older_settings(repo, tip):
        found, _ = definitions.settings(repo.objects, older)
        if found is not None:
            return found, problems
    return Settings(), problems


def _older_settings(repo: Repository, tip: Oid) -> Iterator[Oid]:
    for _ in range(_SEARCHED):
        changed = history.last_changed(repo, tip, [SETTINGS]).get(SETTINGS)
        if changed is None or not changed.parents:
            return
        tip = changed.parents[0]
        yield repo.objects.commit_tree(tip)
