"""A branch moves by compare-and-swap or not at all, and only locks that are provably ours are broken."""

import os
import shutil
import subprocess
import sys
import time

import pygit2
import pytest

from gitops.core.patch import patch
from gitops.core.tree import BLOB, EMPTY, FILE, Entry
from gitops.errors import Busy, Moved, RepositoryError
from gitops.git import moves, refs
from gitops.git.commits import Identity
from gitops.git.moves import Move
from gitops.git.pack import let_go
from gitops.git.repository import Repository

ME = Identity("gitops", "gitops@localhost")


@pytest.fixture
def bare(tmp_path, git):
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "bare.git")
    return Repository.open(tmp_path / "bare.git")


def commit(repo, *parents, note="x"):
    oid = repo.objects.commit(EMPTY, parents, ME, 1_700_000_000, note)
    repo.objects.flush()
    return oid


def leftovers(repo):
    return [*repo.common_dir.glob("refs/**/*.lock"), *repo.common_dir.glob("gitops/moves/*")]


@pytest.mark.parametrize("branch", ["main", "team/a/b", "é", "a.b"])
def test_a_branch_is_born_and_moves(bare, git, branch):
    one = commit(bare)
    assert refs.tip(bare, branch) is None
    refs.move(bare, branch, None, one, "born")
    two = commit(bare, one)
    refs.move(bare, branch, one, two, "moved")
    assert refs.tip(bare, branch) == two
    assert git(bare.git_dir, "rev-parse", f"refs/heads/{branch}") == two.hex()
    assert leftovers(bare) == []


def test_a_branch_that_is_elsewhere_does_not_move(bare):
    one, two, three = (commit(bare, note=note) for note in "abc")
    refs.move(bare, "main", None, one, "born")
    for expected in (None, two):
        with pytest.raises(Moved):
            refs.move(bare, "main", expected, three, "no")
    with pytest.raises(Moved):
        refs.move(bare, "other", one, three, "no")
    assert (refs.tip(bare, "main"), refs.tip(bare, "other")) == (one, None)
    assert leftovers(bare) == []


def test_the_comparison_is_made_under_the_lock(bare, monkeypatch, git):
    one, two, three = commit(bare), commit(bare, note="b"), commit(bare, note="c")
    refs.move(bare, "main", None, one, "born")
    announce = moves.announce

    def overtaken(common_dir, move):
        git(bare.git_dir, "update-ref", "refs/heads/main", two.hex())
        return announce(common_dir, move)

    monkeypatch.setattr(moves, "announce", overtaken)
    with pytest.raises(Moved):
        refs.move(bare, "main", one, three, "no")
    assert refs.tip(bare, "main") == two


def test_who_finds_the_lock_held_and_the_branch_elsewhere_is_too_late_and_does_not_wait(bare, monkeypatch, git):
    one, two, three = commit(bare), commit(bare, note="b"), commit(bare, note="c")
    refs.move(bare, "main", None, one, "born")
    announce = moves.announce

    def overtaken(common_dir, move):
        git(bare.git_dir, "update-ref", "refs/heads/main", two.hex())
        (bare.git_dir / "refs/heads/main.lock").touch()
        return announce(common_dir, move)

    monkeypatch.setattr(moves, "announce", overtaken)
    with pytest.raises(Moved, match=f"^refs/heads/main is at {short(two)}, not at {short(three)}$"):
        refs.move(bare, "main", one, three, "no")


def test_a_packed_branch_moves_and_the_reflog_tells_of_it(repo, root, git, change):
    one = change(repo, {"a": "1"})
    git(root, "pack-refs", "--all", "--prune")
    assert refs.tip(repo, "main") == one
    two = change(repo, {"a": "2"})
    assert refs.tip(repo, "main") == two
    assert git(root, "reflog", "-1", "--format=%gs %gn").split() == ["test", "gitops"]


WRITER = """
import sys
from pathlib import Path
from gitops.core.tree import EMPTY
from gitops.errors import Busy, Moved
from gitops.git import refs
from gitops.git.commits import Identity
from gitops.git.repository import Repository
repo, name = Repository.open(Path(sys.argv[1])), sys.argv[2]
done = 0
while done < 25:
    old = refs.tip(repo, "main")
    new = repo.objects.commit(EMPTY, [old] if old else [], Identity(name, "x"), 1, f"{name} {done}")
    repo.objects.flush()
    try:
        refs.move(repo, "main", old, new, "race")
    except (Moved, Busy):
        continue
    done += 1
"""


def test_writers_that_race_lose_nothing(bare, git):
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, bare.git_dir, name]) for name in "ab"]
    while any(writer.poll() is None for writer in writers):
        git(bare.git_dir, "pack-refs", "--all")
    assert [writer.returncode for writer in writers] == [0, 0]
    subjects = git(bare.git_dir, "log", "--format=%s", "main").splitlines()
    assert sorted(subjects) == sorted(f"{name} {n}" for name in "ab" for n in range(25))


def test_a_branch_never_leads_to_objects_that_are_not_there(bare, git):
    staged = bare.objects.commit(EMPTY, [], ME, 1, "never flushed")
    with pytest.raises(Moved):
        refs.move(bare, "main", None, staged, "no")
    bare.objects.flush()
    let_go(next((bare.objects.folder / "pack").glob("*.pack")))  # which git would leave alone otherwise
    git(bare.git_dir, "gc", "-q", "--prune=now")
    with pytest.raises(Moved, match="garbage"):
        refs.move(bare, "main", None, staged, "no")
    bare.objects.commit(EMPTY, [], ME, 1, "never flushed")
    bare.objects.flush()
    refs.move(bare, "main", None, staged, "written again")
    git(bare.git_dir, "fsck", "--strict")


@pytest.mark.parametrize("content", [b"", b"0" * 40 + b"\n"])
def test_a_lock_of_somebody_else_is_waited_for_and_named(bare, content):
    new = commit(bare)
    lock = bare.git_dir / "refs/heads/main.lock"
    lock.write_bytes(content)
    os.utime(lock, (1, 1))
    with pytest.raises(Busy, match=r"main\.lock"):
        refs.move(bare, "main", None, new, "no")
    assert lock.read_bytes() == content
    assert bare.objects.stored(new)
    lock.unlink()
    refs.move(bare, "main", None, new, "yes")


def abandon(repo, move):
    record = moves.announce(repo.common_dir, move)
    record.close()
    return record


def test_a_lock_with_our_new_id_is_taken_over_once_its_owner_is_dead(bare):
    new = commit(bare)
    move = Move("refs/heads/main", None, new)
    lock = bare.git_dir / "refs/heads/main.lock"
    lock.write_text(f"{new.hex()}\n")
    living = moves.announce(bare.common_dir, move)
    with pytest.raises(Busy):
        refs.move(bare, "main", None, new, "no")
    living.close()
    refs.move(bare, "main", None, new, "yes")
    assert leftovers(bare) == []


@pytest.mark.parametrize("content", ["", "\0" * 41, "ours"], ids=["empty", "zeros", "cut off"])
def test_a_torn_lock_is_taken_over_only_when_it_was_taken_right_after_our_announcement(bare, content):
    """A kill leaves an empty one; after a power cut some of its content, or as many zeros, may be there."""
    new = commit(bare)
    lock = bare.git_dir / "refs/heads/main.lock"
    now = time.time()
    for age_of_record, age_of_lock, ours in ((90, 89.5, True), (90, 60, True), (90, 20, False), (90, 120, False)):
        lock.write_text(new.hex()[:17] if content == "ours" else content)
        record = abandon(bare, Move("refs/heads/main", None, new))
        os.utime(record._path, (now - age_of_record,) * 2)
        os.utime(lock, (now - age_of_lock,) * 2)
        refs.recover(bare)
        assert lock.exists() != ours
        lock.unlink(missing_ok=True)
        assert leftovers(bare) == []


def test_an_empty_lock_that_git_may_be_about_to_fill_is_looked_at_again(bare):
    new = commit(bare)
    lock = bare.git_dir / "refs/heads/main.lock"
    record = abandon(bare, Move("refs/heads/main", None, new))
    lock.touch()
    os.utime(lock, (time.time() + 600,) * 2)
    os.utime(record._path, (time.time() + 600,) * 2)
    with pytest.raises(Busy):
        refs.move(bare, "main", None, new, "not yet")
    past = time.time() - 30
    os.utime(lock, (past, past))
    os.utime(record._path, (past, past))
    refs.move(bare, "main", None, new, "now")
    assert leftovers(bare) == []


@pytest.mark.parametrize(
    "branch", ["", "-x", "a..b", "a b", "HEAD", "@{", "x.lock", "refs/heads/main", "a//b", "a\0b", "/a"]
)
def test_only_names_that_are_valid_below_refs_heads_are_branches(bare, branch):
    with pytest.raises(RepositoryError, match="not a valid branch name"):
        refs.tip(bare, branch)


def test_a_symbolic_branch_is_refused_by_the_name_it_stands_for(bare, git):
    git(bare.git_dir, "symbolic-ref", "refs/heads/alias", "refs/heads/main")
    with pytest.raises(RepositoryError, match="refs/heads/main"):
        refs.move(bare, "alias", None, commit(bare), "no")


def test_a_damaged_ref_is_no_unborn_branch(bare):
    new = commit(bare)
    refs.move(bare, "main", None, new, "born")
    (bare.git_dir / "refs/heads/main").write_bytes(b"")
    with pytest.raises(RepositoryError, match="git reflog"):
        refs.tip(bare, "main")


def test_everything_is_what_git_lists(bare, git):
    one = commit(bare)
    refs.move(bare, "main", None, one, "born")
    git(bare.git_dir, "symbolic-ref", "refs/heads/alias", "refs/heads/main")
    git(bare.git_dir, "tag", "v1", "main")
    assert refs.everything(bare) == {
        "refs/heads/alias": "refs/heads/main",
        "refs/heads/main": one.hex(),
        "refs/tags/v1": one.hex(),
    }

    (bare.git_dir / "packed-refs").write_bytes(b"nonsense\n")
    with pytest.raises(RepositoryError, match=r"^the refs cannot be read: .*[^~]; 'git fsck' names what is damaged$"):
        refs.everything(bare)


def test_a_branch_below_another_one_cannot_be_written_and_the_cause_is_told(bare):
    new = commit(bare)
    refs.move(bare, "main", None, new, "born")
    with pytest.raises(RepositoryError, match=r"bytes are free"):
        refs.move(bare, "main/sub", None, new, "no")
    assert leftovers(bare) == []


def test_what_is_in_the_way_of_writing_is_told_and_heals(bare, monkeypatch):
    new = commit(bare)
    usage = shutil.disk_usage(bare.git_dir)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=7))
    with monkeypatch.context() as full:

        def no_space(self, name):
            raise OSError(28, "No space left on device")

        full.setattr(pygit2.transaction.ReferenceTransaction, "lock_ref", no_space)
        with pytest.raises(
            RepositoryError,
            match=r"^refs/heads/main cannot be written: .*No space left on device \(7 bytes are free\)$",
        ):
            refs.move(bare, "main", None, new, "no")
    assert leftovers(bare) == []
    refs.move(bare, "main", None, new, "yes")


def short(oid):
    return oid.hex()[:7]


def meanwhile(monkeypatch, happen):
    """Let something *happen* right after the swap, before it is read again what came of it."""
    swap = refs._try_swap

    def overtaken(*args):
        refusal = swap(*args)
        happen()
        return refusal

    monkeypatch.setattr(refs, "_try_swap", overtaken)


def test_a_branch_that_somebody_moves_on_at_once_has_moved(bare, monkeypatch, git):
    one = commit(bare)
    two = commit(bare, one)
    three = commit(bare, two)
    refs.move(bare, "main", None, one, "born")
    meanwhile(monkeypatch, lambda: git(bare.git_dir, "update-ref", "refs/heads/main", three.hex()))

    refs.move(bare, "main", one, two, "moved")
    assert refs.tip(bare, "main") == three
    assert leftovers(bare) == []


@pytest.mark.parametrize("elsewhere", ["to another commit", "back", "away"])
def test_a_branch_that_somebody_takes_elsewhere_at_once_has_not_moved(bare, monkeypatch, git, elsewhere):
    one, other = commit(bare), commit(bare, note="other")
    two = commit(bare, one)
    refs.move(bare, "main", None, one, "born")
    now = {"to another commit": other, "back": one, "away": None}[elsewhere]
    update = ["update-ref", "refs/heads/main", now.hex()] if now else ["update-ref", "-d", "refs/heads/main"]
    meanwhile(monkeypatch, lambda: git(bare.git_dir, *update))

    at = short(now) if now else "no commit"
    with pytest.raises(Moved, match=f"^refs/heads/main is at {at}, not at {short(two)}$"):
        refs.move(bare, "main", one, two, "moved")
    assert refs.tip(bare, "main") == now
    refs.recover(bare)
    assert leftovers(bare) == []


def test_who_comes_too_late_is_told_where_the_branch_is(bare):
    one, two = commit(bare), commit(bare, note="b")
    with pytest.raises(Moved, match=f"^refs/heads/main is at no commit, not at {short(one)}$"):
        refs.move(bare, "main", one, two, "no")
    refs.move(bare, "main", None, one, "born")
    with pytest.raises(Moved, match=f"^refs/heads/main is at {short(one)}, not at {short(two)}$"):
        refs.move(bare, "main", two, one, "no")


def test_a_lock_that_goes_away_in_time_is_no_trouble(bare, monkeypatch):
    new = commit(bare)
    lock = bare.git_dir / "refs/heads/main.lock"
    lock.touch()
    monkeypatch.setattr(time, "sleep", lambda seconds: lock.unlink())

    refs.move(bare, "main", None, new, "yes")
    assert refs.tip(bare, "main") == new


def test_the_words_for_what_stands_in_the_way(bare, monkeypatch):
    new = commit(bare)
    lock = bare.git_dir / "refs/heads/main.lock"
    lock.touch()
    os.utime(lock, (1_000_000, 1_000_000))
    monkeypatch.setattr(time, "time", lambda: 1_000_123.4)
    text = f"^{lock} has been held for 123 s: if no Git process is at work, remove it$"
    with pytest.raises(Busy, match=text):
        refs.move(bare, "main", None, new, "no")
    lock.unlink()

    usage = shutil.disk_usage(bare.git_dir)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1234))
    refs.move(bare, "main", None, new, "born")
    with pytest.raises(RepositoryError, match=r"^refs/heads/main/sub cannot be written: .+ \(1,234 bytes are free\)$"):
        refs.move(bare, "main/sub", None, new, "no")
    with pytest.raises(RepositoryError, match=r"^'-x' is not a valid branch name: see 'git check-ref-format --help'$"):
        refs.tip(bare, "-x")


def test_the_words_for_a_ref_that_is_none(bare, git):
    git(bare.git_dir, "symbolic-ref", "refs/heads/alias", "refs/heads/main")
    with pytest.raises(
        RepositoryError, match=r"^refs/heads/alias is only a name for refs/heads/main: use that branch$"
    ):
        refs.tip(bare, "alias")
    (bare.git_dir / "refs/heads/main").write_bytes(b"")
    told = "^refs/heads/main cannot be read: .*refs/heads/main; 'git reflog' and 'git update-ref' repair it$"
    with pytest.raises(RepositoryError, match=told):
        refs.tip(bare, "main")


@pytest.mark.parametrize("missing", ["commit", "tree"])
def test_a_branch_leads_neither_to_a_missing_commit_nor_to_a_missing_tree(bare, missing):
    tree = b"t" * 20
    if missing == "commit":
        tree = patch(bare.objects, None, {"a": Entry(FILE, bare.objects.add(BLOB, b"x"))})
        bare.objects.flush()
    new = bare.objects.commit(tree, [], ME, 1, "half of it")
    if missing == "tree":
        bare.objects.flush()
    told = f"^objects of {short(new)} were removed by a garbage collection, or never flushed$"
    with pytest.raises(Moved, match=told):
        refs.move(bare, "main", None, new, "no")
    assert refs.tip(bare, "main") is None


def test_the_folders_of_a_branch_that_was_born_survive_a_power_cut(bare, monkeypatch):
    one = commit(bare)
    two = commit(bare, one)
    synced = []
    monkeypatch.setattr(refs, "sync_folder", lambda folder: synced.append(str(folder.relative_to(bare.common_dir))))

    refs.move(bare, "team/a/b", None, one, "born")
    assert synced == ["refs/heads/team/a", "refs/heads/team", "refs/heads", "refs"]
    refs.move(bare, "team/a/b", one, two, "moved")
    assert len(synced) == 4
