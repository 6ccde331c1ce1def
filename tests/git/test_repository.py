"""Which repositories are opened, and how the others are refused."""

import os
import subprocess
import sys

import pytest

from gitops.errors import RepositoryError
from gitops.git.repository import Repository


def test_a_repository_is_found_from_its_work_tree_a_folder_in_it_and_its_git_directory(repo, root):
    (root / "works" / "deep").mkdir(parents=True)
    for path in (root, root / "works" / "deep", root / ".git"):
        opened = Repository.open(path)
        assert (opened.git_dir, opened.common_dir) == (repo.git_dir, repo.common_dir)


def test_a_bare_repository_and_a_linked_work_tree_are_opened(git, repo, root, tmp_path, change):
    change(repo, {"a": "1"})
    git(tmp_path, "init", "-q", "--bare", "-b", "trunk", "bare.git")
    assert Repository.open(tmp_path / "bare.git").head_branch() == "trunk"
    git(root, "worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"))
    linked = Repository.open(tmp_path / "linked")
    assert (linked.head_branch(), linked.common_dir) == ("side", repo.common_dir)
    assert linked.git_dir == repo.git_dir / "worktrees" / "linked"


def test_a_detached_head_names_no_branch(git, repo, root, change):
    change(repo, {"a": "1"})
    git(root, "checkout", "-q", "--detach")
    assert repo.head_branch() is None


@pytest.mark.parametrize(
    ("config", "cause"),
    [
        ("extensions.objectFormat=sha256", "sha256"),
        ("extensions.refStorage=reftable", "git refs migrate"),
        ("extensions.partialClone=origin", "without --filter"),
        ("extensions.newfangled=true", "newfangled"),
    ],
)
def test_what_cannot_be_handled_is_refused_by_name(repo, root, config, cause):
    key, _, value = config.partition("=")
    section, _, name = key.partition(".")
    with (repo.git_dir / "config").open("a") as file:
        file.write(f"[core]\n\trepositoryformatversion = 1\n[{section}]\n\t{name} = {value}\n")
    with pytest.raises(RepositoryError, match=cause):
        Repository.open(root)


def test_a_damaged_configuration_is_named(repo, root):
    (repo.git_dir / "config").write_bytes(b"[core]\n\tbare = false\n\x01[")
    with pytest.raises(RepositoryError, match=r"config.*mend that file, or restore it"):
        Repository.open(root)


def test_a_place_without_a_repository_is_refused_with_the_way_out(tmp_path):
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(RepositoryError, match="gitops init"):
            Repository.open(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a repository away")
def test_the_repository_of_another_user_is_refused(repo, root):
    for path in (root, repo.git_dir):
        os.chown(path, 65534, 65534)
    with pytest.raises(RepositoryError, match=r"another user.*chown"):
        Repository.open(root)


def test_neither_home_nor_identity_nor_foreign_configuration_is_needed_or_read(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text("[init]\n\tdefaultBranch = foreign\n[core\n")  # broken: reading it would fail
    code = (
        "import sys; from pathlib import Path; from gitops.git.repository import Repository\n"
        "print(Repository.init(Path(sys.argv[1]), 'mine').head_branch())"
    )
    for environment in ({}, {"HOME": str(home), "GIT_DIR": "/nowhere", "GIT_INDEX_FILE": "/nowhere"}):
        place = tmp_path / f"new{len(environment)}"
        done = subprocess.run(
            [sys.executable, "-c", code, place], env=environment, capture_output=True, text=True, check=False
        )
        assert (done.stdout, done.stderr) == ("mine\n", "")


def test_making_a_repository_again_changes_nothing(repo, root, change):
    change(repo, {"a": "1"})
    assert Repository.init(root, "other").head_branch() == "main"


def test_what_cannot_be_read_is_no_absence(tmp_path):
    Repository.init(tmp_path / "r.git", bare=True)
    (tmp_path / "r.git" / "HEAD").unlink()
    (tmp_path / "r.git" / "HEAD").mkdir()
    with pytest.raises(RepositoryError, match="Is a directory"):
        Repository.open(tmp_path / "r.git")
