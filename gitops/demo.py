"""The example platform as a story: its repository, its people, and a clock that only they move."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from gitops import authoring
from gitops.git.commits import Identity
from gitops.git.repository import Repository
from gitops.reconciler import Reconciler
from gitops.resources import resource

BRANCH = "main"
ADA = Identity("Ada Platform", "ada@example.com")
_START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
_STEP = timedelta(minutes=5)
_GLANCE = timedelta(seconds=4)
_CHANGED, _LABEL = "destinations/prod-us.yaml", b"    storage: nvme\n"


class Demo:
    """The example repository in a scratch repository. Each step happens five minutes after the one before."""

    def __init__(self, folder: Path) -> None:
        """Make the repository in *folder*, with Ada's first commit, and her as its user."""
        self.now = _START
        self.repo = Repository.init(folder, BRANCH)
        with (self.repo.git_dir / "config").open("a") as config:  # so that one can commit there at once
            config.write(f"[user]\n\tname = {ADA.name}\n\temail = {ADA.email}\n")
        self._files = authoring.files_below(Path(str(resource("example-repo"))))
        authoring.commit(self.repo, BRANCH, self._files, ADA, self.now, "Describe the platform")

    @property
    def seen(self) -> datetime:
        """When somebody looks at what the last step did."""
        return self.now + _GLANCE

    def reconcile(self) -> None:
        """One pass."""
        self.now += _STEP
        Reconciler(self.repo, BRANCH, lambda: self.now).reconcile()

    def take_label(self) -> str:
        """Commit that prod-us has no fast disks any more; return the commit's id."""
        self.now += _STEP
        changed = {_CHANGED: self._files[_CHANGED].replace(_LABEL, b"")}
        return authoring.commit(self.repo, BRANCH, changed, ADA, self.now, "Give the disks of prod-us back").hex()
