"""Real repositories in a sealed home: neither the user's nor the system's configuration of Git counts."""

import os
import subprocess
from pathlib import Path

import pytest

from gitops.core.patch import patch
from gitops.core.tree import BLOB, FILE, Entry
from gitops.git import refs
from gitops.git.commits import Identity
from gitops.git.repository import Repository

DAEMON = Identity("gitops", "gitops@localhost")


@pytest.fixture(scope="session")
def sealed(tmp_path_factory):
    """The environment of a git command."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path_factory.mktemp("home")),
        "GIT_CONFIG_NOSYSTEM": "1",
        "LC_ALL": "C",
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.com",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.com",
    }


@pytest.fixture(scope="session")
def git(sealed):
    """Run git in a folder and return what it printed, without the last newline. Fails when git does."""

    def run(folder: Path, *args: str, stdin: str | bytes = "", env: dict[str, str] | None = None) -> str:
        raw = stdin.encode() if isinstance(stdin, str) else stdin
        done = subprocess.run(
            ["git", *args], cwd=folder, input=raw, capture_output=True, env=sealed | (env or {}), check=False
        )
        assert done.returncode == 0, (args, done.stderr.decode())
        return done.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")

    return run


@pytest.fixture
def repo(tmp_path):
    return Repository.init(tmp_path / "repo", "main")


@pytest.fixture
def root(repo):
    """The work tree of `repo`."""
    return repo.git_dir.parent


@pytest.fixture
def change():
    """Commit changed files (path -> text, None removes) on a branch, as the daemon does, and return the commit."""

    def run(repo, files, branch="main", when=1_700_000_000):
        old = refs.tip(repo, branch)
        new = staged_commit(repo, old, files, when)
        repo.objects.flush()
        refs.move(repo, branch, old, new, "test")
        return new

    def staged_commit(repo, old, files, when):
        edits = {path: text if text is None else blob(repo, text) for path, text in files.items()}
        tree = patch(repo.objects, repo.objects.commit_tree(old) if old else None, edits)
        return repo.objects.commit(tree, [old] if old else [], DAEMON, when, "the daemon's change")

    def blob(repo, text):
        return Entry(FILE, repo.objects.add(BLOB, text.encode()))

    run.staged = staged_commit
    return run
