"""The index is read and written as git does it, in all its versions, and the user's part of it is kept."""

import pytest

from gitops.core.tree import FILE, Change, Entry
from gitops.errors import RepositoryError
from gitops.git.index import Index


@pytest.fixture
def work(root, git):
    """A work tree whose index holds a bit of everything."""
    for name in ("a", "a.b", "dir/one", "dir/two", "é", "long" + "g" * 5000):
        path = root / name
        path.parent.mkdir(exist_ok=True)
        if len(name) < 255:
            path.write_text(name)
    oid = git(root, "hash-object", "-w", "--stdin", stdin="x")
    git(root, "add", ".")
    git(root, "update-index", "--add", "--cacheinfo", f"100755,{oid},{'long/' + 'g' * 5000}")
    git(root, "update-index", "--index-info", stdin=f"100644 {oid} 1\tfight\n100644 {oid} 2\tfight\n")
    git(root, "update-index", "--skip-worktree", "dir/two")
    git(root, "update-index", "--assume-unchanged", "a")
    (root / "intended").write_text("later")
    git(root, "add", "-N", "intended")
    return root


@pytest.mark.parametrize("version", ["2", "4"])
def test_an_index_comes_back_as_it_was(work, git, version):
    git(work, "update-index", "--index-version", version)
    path = work / ".git/index"
    before = git(work, "ls-files", "--stage", "-v", "--debug")
    path.write_bytes(Index(path.read_bytes(), "index").serialise())
    assert git(work, "ls-files", "--stage", "-v", "--debug") == before
    assert "fight" in before
    assert "intended" in before


def staged(path, old, new):
    return Change(path, *(Entry(FILE, oid * 20) if oid else None for oid in (old, new)))


def test_only_what_the_user_has_not_staged_differently_follows():
    index = Index(b"", "index")
    base = [staged(path, None, b"1") for path in ("same", "his", "gone", "file", "d/x")]
    assert index.follow(base) == base
    index.follow([staged("his", b"1", b"9"), staged("gone", b"1", None)])
    changes = [
        staged("same", b"1", b"2"),
        staged("his", b"1", b"2"),
        staged("gone", b"1", b"2"),
        staged("file/below", None, b"2"),
        staged("d", None, b"2"),
        staged("new", None, b"2"),
    ]
    assert [change.path for change in index.follow(changes)] == ["same", "new"]
    assert index.follow(changes)[0].path == "same"  # again, after a crash: nothing more
    assert [c.path for c in index.follow([staged("d/x", b"1", None), staged("d", None, b"2")])] == ["d/x", "d"]


@pytest.mark.parametrize("raw", [b"junk", b"DIRC" + b"\0" * 40, b"DIRC\0\0\0\2\0\0\0\5" + b"\0" * 20])
def test_a_damaged_index_is_refused_by_name(raw):
    with pytest.raises(RepositoryError, match="the/index cannot be brought up to date"):
        Index(raw, "the/index")


def test_what_an_index_may_hold_and_we_cannot_is_refused_with_the_way_out(work, git):
    git(work, "update-index", "--split-index")
    with pytest.raises(RepositoryError, match="--no-split-index"):
        Index((work / ".git/index").read_bytes(), "index")
