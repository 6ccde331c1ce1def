"""A checked-out branch moves together with its files and index, and nothing of the user's is touched."""

import errno
import multiprocessing
import os
import re
import signal
import subprocess
import time
import warnings
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.platform import Platform

from gitops.core.patch import patch
from gitops.core.tree import BLOB, FILE, Entry
from gitops.errors import Busy, Moved, RepositoryError
from gitops.git import moves, refs, worktree
from gitops.git.commits import Identity
from gitops.git.files import WorkFiles
from gitops.git.repository import Repository


def status(git, root):
    return git(root, "status", "--porcelain", "--untracked-files=all", "--ignored").splitlines()


def leftovers(repo):
    mine = ("*.lock", "index.gitops", "gitops/moves/*")
    return [path for pattern in mine for path in repo.common_dir.rglob(pattern)] + list(
        repo.common_dir.parent.rglob(".gitops-*")
    )


def test_files_and_index_follow_and_the_status_is_clean_without_git_reading_a_file(repo, root, git, change):
    change(repo, {"state/w/a": "1", "state/w/b": "1", "state/other/c": "1"})
    assert (root / "state/w/a").read_text() == "1"
    change(repo, {"state/w/a": "2", "state/w/b": None, "state/new/deep/d": "2", "state/other/c": None})
    assert status(git, root) == []
    assert git(root, "diff-files") == ""  # which compares the look only
    assert sorted(str(p.relative_to(root)) for p in root.rglob("*") if ".git" not in p.parts) == [
        "state",
        "state/new",
        "state/new/deep",
        "state/new/deep/d",
        "state/w",
        "state/w/a",
    ]
    assert (root / "state/w/a").stat().st_mode & 0o111 == 0
    assert leftovers(repo) == []
    git(root, "fsck", "--strict")


def test_a_file_becomes_a_folder_and_a_folder_a_file(repo, root, git, change):
    change(repo, {"a": "file", "b/c/d": "folder"})
    change(repo, {"a": None, "a/b": "now a folder", "b/c/d": None, "b": "now a file"})
    assert status(git, root) == []
    assert (root / "a/b").read_text() + (root / "b").read_text() == "now a foldernow a file"


def test_the_daemons_first_commit_in_an_empty_repository_leaves_staged_files_staged(repo, root, git, change):
    (root / "mine").write_text("mine")
    git(root, "add", "mine")
    change(repo, {"state/a": "1"})
    assert status(git, root) == ["A  mine"]
    git(root, "commit", "-q", "-m", "mine")
    assert git(root, "ls-files").splitlines() == ["mine", "state/a"]


# What the user has done to a path before the daemon changes it, or makes it, or removes it.
USER = {
    "nothing": lambda root, git, path: None,
    "edited": lambda root, git, path: write(root / path, "user's"),
    "staged": lambda root, git, path: (write(root / path, "user's"), git(root, "add", "-f", path)),
    "staged and edited": lambda root, git, path: (
        write(root / path, "staged"),
        git(root, "add", "-f", path),
        write(root / path, "user's"),
    ),
    "deleted": lambda root, git, path: (root / path).unlink(missing_ok=True),
    "deletion staged": lambda root, git, path: git(root, "rm", "-q", "--ignore-unmatch", path),
    "let go (staged), edited": lambda root, git, path: (
        git(root, "rm", "-q", "--cached", "--ignore-unmatch", path),
        write(root / path, "user's"),
    ),
    "a folder": lambda root, git, path: (
        (root / path).unlink(missing_ok=True),
        write(root / path / "inside", "user's"),
    ),
    "a symlink": lambda root, git, path: (
        (root / path).unlink(missing_ok=True),
        (root / path).parent.mkdir(exist_ok=True),
        (root / path).symlink_to(root / "victim"),
    ),
    "intended": lambda root, git, path: (write(root / path, "user's"), git(root, "add", "-fN", path)),
}
DAEMON = {"changes": ("1", "2"), "makes": (None, "2"), "removes": ("1", None)}


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def looks(path):
    if path.is_symlink():
        return f"-> {path.readlink()}"
    return sorted(p.name for p in path.iterdir()) if path.is_dir() else path.read_text() if path.exists() else None


@pytest.mark.parametrize("ignored", [False, True], ids=["", "ignored"])
@pytest.mark.parametrize("done", DAEMON)
@pytest.mark.parametrize("user", USER)
@pytest.mark.parametrize("then", ["commit", "commit -a"])
def test_the_users_next_commit_reverts_nothing_and_his_changes_stay(repo, root, git, change, user, done, ignored, then):
    before, after = DAEMON[done]
    change(repo, {"state/p": before, "state/beside": "1", "keep": "1", "victim": "safe"})
    if ignored:
        write(root / ".git/info/exclude", "state/\n")
    write(root / "untracked", "user's")
    USER[user](root, git, "state/p")
    file, index = looks(root / "state/p"), git(root, "ls-files", "-s", "state/p")

    change(repo, {"state/p": after, "state/beside": "2", "state/added": "2"})

    touched = user == "nothing" or (done == "makes" and user.startswith("delet"))
    assert looks(root / "state/p") == (after if touched else file)
    if user.startswith(("staged", "deletion staged")):
        assert touched or git(root, "ls-files", "-s", "state/p") == index
    git(root, *then.split(), "--allow-empty", "-q", "-m", "user")
    tip = {path: raw.decode() for path, raw in Platform(root / ".git").files().items()}
    assert (tip["state/beside"], tip["state/added"], tip["keep"]) == ("2", "2", "1")
    if touched or (then == "commit" and "staged" not in user):
        assert tip.get("state/p") == after
    assert (root / "untracked").read_text() == "user's"
    assert "untracked" not in tip
    assert (root / "victim").read_text() == "safe"
    assert leftovers(repo) == []


CONVERSIONS = {
    "configured": lambda root, git: git(root, "config", "core.autocrlf", "true"),
    "an attribute": lambda root, git: write(root / ".gitattributes", "state/* text eol=crlf\n"),
    "none": lambda root, git: None,
}


@pytest.mark.parametrize("conversion", ["configured", "an attribute"])
def test_files_whose_line_ends_git_converted_follow_too(repo, root, git, change, conversion):
    change(repo, {"state/changed": "one\ntwo\n", "state/removed": "1\n"})
    check_out_anew(root, git, conversion)
    assert (root / "state/changed").read_bytes() == b"one\r\ntwo\r\n"
    change(repo, {"state/changed": "one\nthree\n", "state/removed": None})
    assert status(git, root) == (["?? .gitattributes"] if conversion == "an attribute" else [])
    assert git(root, "diff-files") == ""
    assert (root / "state/changed").read_bytes() == b"one\nthree\n"
    assert not (root / "state/removed").exists()


@pytest.mark.parametrize(
    ("conversion", "edited"),
    [
        ("configured", b"one\r\nTWO\r\n"),
        ("an attribute", b"one\r\ntwo\r\nthree\r\n"),
        ("none", b"one\r\ntwo\r\n"),
        ("none", b"one\r\ntwo\n"),
    ],
)
def test_line_ends_that_the_user_converted_are_his_edit(repo, root, git, change, conversion, edited):
    change(repo, {"state/p": "one\ntwo\n"})
    check_out_anew(root, git, conversion)
    (root / "state/p").write_bytes(edited)
    change(repo, {"state/p": "2\n"})
    assert (root / "state/p").read_bytes() == edited
    change(repo, {"state/p": None})
    assert (root / "state/p").read_bytes() == edited


def check_out_anew(root, git, conversion):
    CONVERSIONS[conversion](root, git)
    for file in (root / "state").iterdir():
        file.unlink()
    git(root, "checkout", "-q", "--", "state")


@pytest.mark.parametrize("attribute", ["filter=rot", "ident", "working-tree-encoding=UTF-16"])
@pytest.mark.parametrize("after", ["2 $Id$\n", None], ids=["changes", "removes"])
def test_files_that_git_converts_are_refused_with_a_way_out(repo, root, git, change, attribute, after):
    """Else the user's next commit would revert the daemon's: the file is not what the repository holds."""
    git(root, "config", "filter.rot.smudge", "tr a-z b-za")
    git(root, "config", "filter.rot.clean", "tr b-za a-z")
    change(repo, {"state/p": "1 $Id$\n", "other/p": "1"})
    write(root / ".git/info/attributes", f"state/* {attribute}\n")
    (root / "state/p").unlink()
    git(root, "checkout", "-q", "--", "state")
    change(repo, {"other/p": "2"})
    tip = refs.tip(repo, "main")
    with pytest.raises(RepositoryError, match=f"state/p has the attribute {attribute}") as refused:
        change(repo, {"state/p": after})
    assert (refs.tip(repo, "main"), status(git, root), leftovers(repo)) == (tip, [], [])
    write(root / ".git/info/attributes", f"state/* {attribute}\n" + re.findall("'(.*?)'", str(refused.value))[0])
    (root / "state/p").unlink()
    git(root, "checkout", "-q", "--", "state")
    change(repo, {"state/p": after})
    git(root, "commit", "-qam", "user", "--allow-empty")
    assert (looks(root / "state/p"), git(root, "show", "--format=", "--name-only")) == (after, "")


def test_nothing_that_the_repository_names_is_run(repo, root, git, change, tmp_path):
    change(repo, {"state/p": "1"})
    command, ran = tmp_path / "command", tmp_path / "ran"
    command.write_text(f"#!/bin/sh\ntouch {ran}\n")
    command.chmod(0o755)
    for name in ("core.fsmonitor", "filter.rot.smudge", "filter.rot.clean", "diff.external", "core.sshCommand"):
        git(root, "config", name, str(command))
    (root / ".git/hooks").mkdir(exist_ok=True)
    for hook in ("reference-transaction", "post-index-change", "post-checkout", "post-commit", "pre-commit"):
        (root / ".git/hooks" / hook).symlink_to(command)
    change(repo, {"state/p": "2"})
    assert not ran.exists()
    git(root, "status")
    assert ran.exists()


def test_attributes_of_a_name_that_is_no_text_are_asked_for_as_git_writes_it(repo, root, git, change):
    write(root / ".git/info/attributes", "* -filter\n")
    change(repo, {"state/\udcff": "1"})
    assert status(git, root) == []


def test_nothing_is_written_through_a_symlink_that_stands_for_a_folder(repo, root, git, change, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "old").write_text("1")
    change(repo, {"state/old": "1"})
    (root / "state/old").unlink()
    (root / "state").rmdir()
    (root / "state").symlink_to(outside)
    change(repo, {"state/old": None, "state/new": "2", "state/sub/new": "2"})
    assert sorted(path.name for path in outside.iterdir()) == ["old"]
    assert (root / "state").is_symlink()


def test_paths_that_git_would_never_check_out_stay_out_of_the_work_tree(repo, root, git, change):
    change(repo, {"state/.git/hooks/pre-commit": "evil", ".GIT/config": "evil", "git~1": "evil", "fine": "1"})
    assert [path.name for path in root.iterdir() if path.name != ".git"] == ["fine"]
    assert "evil" not in (root / ".git/config").read_text()
    assert git(root, "ls-files") == "fine"


@pytest.mark.parametrize("name", ["...", " ", ". .", "a.", ".git.yaml"])
def test_a_name_of_dots_and_spaces_stands_in_the_work_tree_as_any_other(repo, root, git, change, name):
    """Else the user's next commit would remove it."""
    change(repo, {f"state/{name}": "1"})
    assert (root / "state" / name).read_text() == "1"
    assert status(git, root) == []


def test_a_file_that_only_became_executable_is_made_ordinary_again(repo, root, git, change):
    """Else the user's next commit would make it executable once more."""
    change(repo, {"state/a": "1"})
    (root / "state/a").chmod(0o755)
    git(root, "commit", "-qam", "Make it executable")
    change(repo, {"state/a": "1"})
    assert status(git, root) == []
    assert (root / "state/a").stat().st_mode & 0o111 == 0


def test_every_work_tree_with_the_branch_follows_and_no_other(repo, root, git, change, tmp_path):
    change(repo, {"a": "1"})
    git(root, "branch", "side")
    git(root, "worktree", "add", "-q", str(tmp_path / "side"), "side")
    git(root, "worktree", "add", "-q", "--force", str(tmp_path / "twin"), "main")
    linked = Repository.open(tmp_path / "side")
    change(linked, {"a": "2"})
    assert [looks(place / "a") for place in (root, tmp_path / "twin", tmp_path / "side")] == ["2", "2", "1"]
    change(linked, {"a": "3"}, branch="side")
    assert [looks(place / "a") for place in (root, tmp_path / "twin", tmp_path / "side")] == ["2", "2", "3"]
    for place in ("side", "twin"):
        assert status(git, tmp_path / place) == []
    (tmp_path / "side" / "a").unlink()
    (tmp_path / "side" / ".git").unlink()
    (tmp_path / "side").rmdir()
    change(repo, {"a": "4"}, branch="side")
    assert git(root, "show", "side:a") == "4"


def test_a_work_tree_that_is_linked_by_a_relative_path_follows_too(repo, root, git, change, tmp_path):
    """As `git worktree add --relative-paths` links it, of Git 2.48."""
    change(repo, {"a": "1"})
    git(root, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    link = repo.common_dir / "worktrees" / "side"
    (link / "gitdir").write_text(os.path.relpath(tmp_path / "side" / ".git", link) + "\n")
    (tmp_path / "side" / ".git").write_text("gitdir: " + os.path.relpath(link, tmp_path / "side") + "\n")
    change(repo, {"a": "2"}, branch="side")
    assert looks(tmp_path / "side" / "a") == "2"
    assert status(git, tmp_path / "side") == []


def test_a_work_tree_whose_git_directory_is_elsewhere_follows_and_nothing_beside_that(root, git, change, tmp_path):
    apart = tmp_path / "apart"
    apart.mkdir()
    git(root, "init", "-q", "--separate-git-dir", str(apart / "kept.git"))
    change(Repository.open(root), {"a": "1"})
    assert looks(root / "a") == "1"
    assert status(git, root) == []
    change(Repository.open(apart / "kept.git"), {"a": "2"})  # of which Git cannot tell either where its files are
    assert [path.name for path in apart.iterdir()] == ["kept.git"]


def test_a_work_tree_on_another_name_of_the_branch_follows_and_it_is_the_branch_that_head_names(
    repo, root, git, change, tmp_path
):
    change(repo, {"a": "1"})
    git(root, "symbolic-ref", "refs/heads/master", "refs/heads/main")
    git(root, "symbolic-ref", "HEAD", "refs/heads/master")
    git(root, "worktree", "add", "-q", "--detach", tmp_path / "linked")
    git(tmp_path / "linked", "symbolic-ref", "HEAD", "refs/heads/master")
    assert Repository.open(root).head_branch() == Repository.open(tmp_path / "linked").head_branch() == "main"
    change(repo, {"a": "2"})
    for tree in (root, tmp_path / "linked"):
        assert (status(git, tree), (tree / "a").read_text()) == ([], "2")


def test_a_head_that_leads_nowhere_names_a_branch_as_git_does(repo, root, git):
    git(root, "symbolic-ref", "refs/heads/one", "refs/heads/other")
    git(root, "symbolic-ref", "HEAD", "refs/heads/one")
    assert repo.head_branch() == "other"
    git(root, "symbolic-ref", "refs/heads/other", "refs/heads/one")
    assert repo.head_branch() in ("one", "other")


def test_a_folder_that_a_removed_work_tree_left_is_no_work_tree(repo, root, git, change, tmp_path):
    change(repo, {"a": "1"})
    git(root, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    (tmp_path / "side" / ".git").unlink()
    change(repo, {"a": "2", "b": "2"}, branch="side")
    assert [path.name for path in (tmp_path / "side").iterdir()] == ["a"]
    assert looks(tmp_path / "side" / "a") == "1"


def test_a_detached_head_and_a_bare_repository_have_nothing_to_follow(repo, root, git, change, tmp_path):
    change(repo, {"a": "1"})
    git(root, "checkout", "-q", "--detach")
    change(repo, {"a": "2"})
    assert (root / "a").read_text() == "1"
    git(tmp_path, "clone", "-q", "--bare", str(root), "bare.git")
    bare = Repository.open(tmp_path / "bare.git")
    change(bare, {"a": "3"})
    assert git(bare.git_dir, "show", "main:a") == "3"


def test_an_index_that_is_locked_makes_the_daemon_wait(repo, root, git, change):
    change(repo, {"a": "1"})
    lock = root / ".git/index.lock"
    lock.touch()
    before = refs.tip(repo, "main")
    with pytest.raises(Busy, match=r"index\.lock"):
        change(repo, {"a": "2"})
    assert (refs.tip(repo, "main"), looks(root / "a"), lock.exists()) == (before, "1", True)
    lock.unlink()
    assert leftovers(repo) == []
    change(repo, {"a": "2"})
    assert status(git, root) == []


def test_git_waits_for_us_as_we_for_git(repo, root, git, change, monkeypatch, sealed):
    change(repo, {"a": "1"})
    swap = refs._swap
    refused = []

    def with_a_commit_in_between(*args):
        (root / "mine").write_text("x")
        done = subprocess.run(["git", "add", "mine"], cwd=root, env=sealed, capture_output=True, check=False)
        refused.append(done.returncode)
        swap(*args)

    monkeypatch.setattr(refs, "_swap", with_a_commit_in_between)
    change(repo, {"a": "2"})
    assert refused == [128]
    assert status(git, root) == ["?? mine"]


def test_a_rebase_that_is_stopped_half_way_makes_the_daemon_wait(repo, root, git, change, sealed):
    change(repo, {"a": "1"})
    git(root, "checkout", "-q", "-b", "topic")
    write(root / "a", "topic")
    git(root, "commit", "-q", "-a", "-m", "topic")
    git(root, "checkout", "-q", "main")
    write(root / "a", "main")
    git(root, "commit", "-q", "-a", "-m", "main")
    git(root, "checkout", "-q", "topic")
    assert subprocess.run(["git", "rebase", "main"], cwd=root, env=sealed, capture_output=True, check=False).returncode
    with pytest.raises(Busy, match="rebase"):
        change(repo, {"b": "2"}, branch="topic")
    git(root, "rebase", "--abort")
    change(repo, {"b": "2"}, branch="topic")
    assert status(git, root) == []


def test_a_merge_with_conflicts_goes_on_after_the_daemons_commit(repo, root, git, change, sealed):
    change(repo, {"a": "1", "state/x": "1"})
    git(root, "checkout", "-q", "-b", "topic")
    write(root / "a", "topic")
    git(root, "commit", "-q", "-a", "-m", "topic")
    git(root, "checkout", "-q", "main")
    write(root / "a", "main")
    git(root, "commit", "-q", "-a", "-m", "main")
    assert subprocess.run(["git", "merge", "topic"], cwd=root, env=sealed, capture_output=True, check=False).returncode
    change(repo, {"state/x": "2", "a": "daemon"})
    assert status(git, root) == ["UU a"]
    write(root / "a", "merged")
    git(root, "commit", "-q", "-a", "-m", "merged")
    assert git(root, "show", "HEAD:state/x") + git(root, "show", "HEAD:a") == "2merged"


def test_files_that_a_sparse_checkout_leaves_out_stay_out(repo, root, git, change):
    change(repo, {"works/w": "1", "state/a": "1"})
    git(root, "sparse-checkout", "set", "works")
    assert not (root / "state").exists()
    change(repo, {"works/w": "2", "state/a": "2"})
    assert status(git, root) == []
    assert (looks(root / "works/w"), (root / "state").exists()) == ("2", False)
    git(root, "sparse-checkout", "set", "works", "--sparse-index")
    tip = refs.tip(repo, "main")
    with pytest.raises(RepositoryError, match="--no-sparse-index"):
        change(repo, {"state/a": "3"})
    assert refs.tip(repo, "main") == tip
    assert leftovers(repo) == []


SPARSE = {"cone": ["--cone", "works"], "patterns": ["--no-cone", "/works/"]}


@pytest.mark.parametrize("kind", SPARSE)
@pytest.mark.parametrize("left_out", [None, "1", "user's"], ids=["left out", "there all the same", "edited"])
@pytest.mark.parametrize("then", ["add .", "add -A", "stash -u", "sparse-checkout reapply", "sparse-checkout disable"])
def test_the_next_commit_from_a_sparse_checkout_reverts_nothing(repo, root, git, change, kind, left_out, then):
    change(repo, {"works/w": "1", "state/a": "1", "state/removed": "1"})
    git(root, "sparse-checkout", "set", *SPARSE[kind])
    if left_out:
        write(root / "state/a", left_out)
    documents = {"state/a": "2", "state/removed": None, "state/added": "2", "status/added": "2"}
    change(repo, documents)
    edited = left_out == "user's"
    assert status(git, root) == ([" M state/a"] if edited else [])
    assert looks(root / "state/a") == (left_out if edited else left_out and "2")
    write(root / "works/w", "user's")
    git(root, *then.split())
    git(root, "commit", "-q", "--allow-empty", "-a", "-m", "user")
    made = git(root, "show", "--format=", "--name-only").splitlines()
    his = ["state/a"] if edited and then == "sparse-checkout disable" else []
    assert made == ([] if then == "stash -u" else [*his, "works/w"])


UNSUPPORTED = {
    "split": [("config", "core.splitIndex", "true"), ("update-index", "--split-index")],
    "sparse": [("config", "index.sparse", "true"), ("sparse-checkout", "set", "works", "--sparse-index")],
}


@pytest.mark.parametrize("kind", UNSUPPORTED)
def test_the_way_out_of_an_index_that_cannot_be_handled_lasts(repo, root, git, change, sealed, kind):
    """It is not enough to write the index whole once: git would split it again the next time that it writes it."""
    change(repo, {"works/w": "1", "state/a": "1"})
    for command in UNSUPPORTED[kind]:
        git(root, *command)
    with pytest.raises(RepositoryError) as refused:
        change(repo, {"state/a": "2"})
    subprocess.run(re.findall("run '(.*?)'", str(refused.value))[0], cwd=root, env=sealed, shell=True, check=True)
    write(root / "works/w", "user's")
    git(root, "commit", "-qam", "user")
    change(repo, {"state/a": "3"})
    assert status(git, root) == []


def killed_at(root, module, owner, name, when):
    """Move the branch of the work tree *root*, and die before or after what is called there."""
    holder = import_module(module)
    for part in owner.split(".") if owner else ():
        holder = getattr(holder, part)
    original = getattr(holder, name)

    def killed(*args, **kwargs):
        result = original(*args, **kwargs) if when == "after" else None
        os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(holder, name, killed)
    repo = Repository.open(root)
    objects, old = repo.objects, refs.tip(repo, "main")
    edits = {path: Entry(FILE, objects.add(BLOB, b"2")) for path in ("state/a", "state/new/c")} | {"state/b": None}
    new = objects.commit(patch(objects, objects.commit_tree(old), edits), [old], Identity("g", "g@x"), 1, "killed")
    objects.flush()
    refs.move(repo, "main", old, new, "killed")


def in_a_fork(act, *args):
    """Let a child do it, and return how it ended."""
    child = multiprocessing.get_context("fork").Process(target=act, args=args)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking beside threads: it is those of the test runner
        child.start()
    child.join()
    return child.exitcode


POINTS = [
    ("gitops.git.moves", "", "announce"),
    ("gitops.git.worktree", "", "hold"),
    ("os", "", "link"),
    ("gitops.git.worktree", "HeldIndex", "prepare"),
    ("pygit2.transaction", "ReferenceTransaction", "lock_ref"),
    ("pygit2.transaction", "ReferenceTransaction", "set_target"),
    ("pygit2.transaction", "ReferenceTransaction", "commit"),
    ("gitops.git.files", "WorkFiles", "_write"),
    ("gitops.git.files", "WorkFiles", "follow"),
    ("gitops.git.files", "WorkFiles", "sync"),
    ("gitops.git.index", "Index", "serialise"),
    ("gitops.git.worktree", "HeldIndex", "_write"),
    ("gitops.git.worktree", "HeldIndex", "_take_back_claim"),
    ("gitops.git.moves", "Record", "remove"),
]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("point", POINTS, ids=lambda point: ".".join(filter(None, point)))
def test_after_a_kill_the_next_pass_completes_or_drops_it(repo, root, git, change, point, when):
    old = change(repo, {"state/a": "1", "state/b": "1", "mine": "1"})
    write(root / "mine", "edited")
    write(root / "untracked", "user's")
    assert in_a_fork(killed_at, root, *point, when) == -signal.SIGKILL
    for lock in repo.common_dir.rglob("refs/heads/main.lock"):  # an empty one is trusted only after a second
        past = time.time() - 30
        for path in (lock, *repo.common_dir.glob("gitops/moves/*")):
            os.utime(path, (past, past))

    daemon = Repository.open(root)
    refs.recover(daemon)

    happened = refs.tip(daemon, "main") != old
    assert status(git, root) == [" M mine", "?? untracked"]
    assert (looks(root / "state/a"), looks(root / "state/new/c")) == (("2", "2") if happened else ("1", None))
    assert leftovers(daemon) == []
    git(root, "commit", "-q", "-a", "-m", "user")
    assert git(root, "show", "--format=", "--name-only", "HEAD") == "mine"
    change(daemon, {"state/a": "3"})
    assert status(git, root) == ["?? untracked"]
    git(root, "fsck", "--strict")


def test_an_error_after_the_swap_is_made_good_by_the_next_pass(repo, root, git, change, monkeypatch):
    change(repo, {"a": "1"})
    with monkeypatch.context() as full:

        def no_space(self, change):
            raise OSError(28, "No space left on device")

        full.setattr("gitops.git.files.WorkFiles.follow", no_space)
        with pytest.raises(OSError, match="No space"):
            change(repo, {"a": "2"})
    assert (root / ".git/index.lock").exists()
    change(repo, {"b": "3"})
    assert (status(git, root), looks(root / "a"), looks(root / "b")) == ([], "2", "3")
    assert leftovers(repo) == []


def test_a_branch_that_moved_and_then_could_not_be_read_is_followed_by_the_next_pass(
    repo, root, git, change, monkeypatch
):
    change(repo, {"a": "1"})
    with monkeypatch.context() as failing:
        swap, read = refs._try_swap, refs._read

        def fails(repo, ref):
            raise RepositoryError(f"{ref} cannot be read")

        def swapped(*arguments):
            done = swap(*arguments)
            failing.setattr(refs, "_read", fails)
            return done or OSError("the folder could not be synced")

        failing.setattr(refs, "_try_swap", swapped)
        with pytest.raises(RepositoryError, match="cannot be read"):
            change(repo, {"a": "2"})
        failing.setattr(refs, "_read", read)
    refs.recover(repo)
    assert (status(git, root), looks(root / "a")) == ([], "2")
    assert leftovers(repo) == []


def test_files_that_cannot_follow_a_swap_that_seemed_to_fail_are_left_to_the_next_pass(
    repo, root, git, change, monkeypatch
):
    change(repo, {"a": "1"})
    with monkeypatch.context() as failing:
        swap = refs._try_swap

        def fails(*_):
            raise OSError(28, "No space left on device")

        failing.setattr(refs, "_try_swap", lambda *arguments: swap(*arguments) or OSError("could not be synced"))
        failing.setattr("gitops.git.files.WorkFiles.follow", fails)
        with pytest.raises(OSError, match="No space"):
            change(repo, {"a": "2"})
    refs.recover(repo)
    assert (status(git, root), looks(root / "a")) == ([], "2")
    assert leftovers(repo) == []


@pytest.mark.parametrize("elsewhere", ["to another commit", "away"])
def test_a_work_tree_does_not_follow_what_others_make_of_a_branch_that_a_kill_left_as_it_was(
    repo, root, git, change, elsewhere
):
    before = change(repo, {"state/a": "0", "state/b": "1"})
    change(repo, {"state/a": "1"})
    in_a_fork(killed_at, root, "pygit2.transaction", "ReferenceTransaction", "lock_ref", "before")
    to = ["refs/heads/main", before.hex()] if elsewhere == "to another commit" else ["-d", "refs/heads/main"]
    git(root, "update-ref", *to)
    refs.recover(repo)
    assert (looks(root / "state/a"), looks(root / "state/b")) == ("1", "1")
    assert git(root, "ls-files", "state").split() == ["state/a", "state/b"]
    assert leftovers(repo) == []


def test_a_lock_of_ours_that_the_user_removed_leaves_no_trap(repo, root, git, change):
    change(repo, {"state/a": "1", "state/b": "1"})
    in_a_fork(killed_at, root, "gitops.git.files", "WorkFiles", "sync", "before")
    (root / ".git/index.lock").unlink()
    refs.recover(Repository.open(root))
    assert status(git, root) == []
    assert looks(root / "state/a") == "2"


MIX = st.lists(
    st.tuples(
        st.sampled_from(["daemon", "edit", "stage", "remove", "commit", "commit -a"]),
        st.sampled_from(["p/a", "p/b", "p/b/c", "q"]),
        st.sampled_from(["1", "2", "3"]),
    ),
    max_size=12,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(MIX)
def test_a_plain_commit_of_the_user_holds_only_what_he_staged(tmp_path_factory, git, change, mix):
    root = tmp_path_factory.mktemp("mix")
    repo = Repository.init(root, "main")
    change(repo, {"daemon": "0"})
    for number, (what, path, text) in enumerate(mix):
        file = root / path
        if what == "daemon":
            other = {"p/b": "p/b/c", "p/b/c": "p/b"}.get(path)
            change(repo, {"daemon": str(number), path: text} | ({other: None} if other else {}))
        elif what in ("edit", "stage") and not file.is_dir() and not file.parent.is_file():
            write(file, text)
            if what == "stage":
                git(root, "add", path)
        elif what == "remove" and file.is_file():
            file.unlink()
        elif what.startswith("commit"):
            staged = git(root, "diff", "--cached", "--name-only").splitlines()
            unstaged = git(root, "diff", "--name-only").splitlines() if what == "commit -a" else []
            assert "daemon" not in staged + unstaged
            git(root, *what.split(), "-q", "--allow-empty", "-m", "user")
        assert git(root, "show", "HEAD:daemon") == looks(root / "daemon")
    assert "daemon" not in "".join(status(git, root))
    assert leftovers(repo) == []


def test_a_file_has_its_content_on_the_disk_before_it_has_its_name(repo, root, change, monkeypatch):
    """Else a power cut leaves an empty file, which passes for the user's; and the index comes after the files."""
    change(repo, {"a": "1", "d/b": "1"})
    done, real_sync, real_rename = [], WorkFiles.sync, os.rename

    def sync(files):
        done.append("sync")
        real_sync(files)

    def rename(old, new, **folders):
        done.append(Path(new).name)
        real_rename(old, new, **folders)

    monkeypatch.setattr(WorkFiles, "sync", sync)
    monkeypatch.setattr(os, "rename", rename)
    change(repo, {"a": "2", "d/b": "2", "d/c": "2"})

    assert [name for name in done if not name.startswith("pack-")] == ["sync", "a", "b", "c", "sync", "index"]
    assert leftovers(repo) == []


def test_two_new_files_of_one_content_stand_in_one_folder(repo, root, git, change):
    change(repo, {"d/a": "same", "d/b": "same"})
    change(repo, {"d/a": "other", "d/b": "other", "d/c": "other"})
    assert status(git, root) == []


@pytest.mark.parametrize("seen", ["as before", "unreadable"])
def test_a_move_that_cannot_be_seen_for_a_moment_leaves_no_work_tree_behind(repo, root, git, change, seen):
    """The branch has moved, and the disk fails when it is read back: the next look brings the work tree after it."""
    change(repo, {"state/a": "1"})
    read, old = refs._read, refs.tip(repo, "main")

    def fails(of, ref):
        if (found := read(of, ref)) == old:
            return found
        if seen == "unreadable":
            raise RepositoryError("cannot be read: Input/output error")
        return old

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(refs, "_read", fails)
        with pytest.raises((Moved, RepositoryError)):
            change(repo, {"state/a": "2"})
    refs.recover(repo)

    assert (root / "state/a").read_text() == "2"
    assert status(git, root) == []


@pytest.mark.parametrize("fails", ["index", "announcement"])
def test_a_disk_that_fails_while_something_is_held_keeps_nobody_waiting_afterwards(
    repo, root, git, change, monkeypatch, fails
):
    """What had been locked before the disk failed stayed locked until the daemon ended."""
    change(repo, {"state/a": "1"})
    with monkeypatch.context() as failing:

        def fail(folder):
            if (folder == repo.common_dir) == (fails == "index"):
                raise OSError(errno.EIO, os.strerror(errno.EIO), str(folder))

        for room in (worktree, moves):
            failing.setattr(room, "sync_folder", fail)
        failing.setattr(moves.Record, "remove", lambda record: fail(record._path.parent))
        for _ in range(2):
            with pytest.raises(OSError, match=os.strerror(errno.EIO)):
                change(repo, {"state/a": "2"})
    change(repo, {"state/a": "3"})
    assert (root / "state/a").read_text() == "3"
    assert leftovers(repo) == []
    assert status(git, root) == []
