"""A merge that is only thought of comes to the tree that Git itself would make, and leaves nothing behind."""

import pytest
from support.platform import Platform

from gitops.errors import NotFoundError
from gitops.git import merges, revisions
from gitops.git.repository import Repository

LINES = "".join(f"line {number}\n" for number in range(40))
BEFORE = {"a.txt": LINES, "folder/b.txt": "b\n", "folder/c.txt": "c\n", "old": "old\n"}
FIRST, LAST = LINES.replace("line 0", "first"), LINES.replace("line 39", "last")
CASES = {
    "other files": ({"a.txt": FIRST}, {"folder/b.txt": "B\n"}),
    "other folders come and go": ({"folder/b.txt": None}, {"new/x": "x\n", "old": None}),
    "the same file in other lines": ({"a.txt": FIRST}, {"a.txt": LAST}),
    "the same change": ({"folder/b.txt": "B\n"}, {"folder/b.txt": "B\n", "new": "n\n"}),
    "the same removal": ({"old": None}, {"old": None, "new": "n\n"}),
    "renamed here, changed there": ({"a.txt": None, "moved/a.txt": LINES}, {"a.txt": LAST}),
    "changed here, renamed there": ({"a.txt": FIRST}, {"a.txt": None, "moved/a.txt": LINES}),
    "a folder in the place of a file that goes": ({"old": None, "old/x": "x\n"}, {"new": "n\n"}),
}
CONFLICTS = {
    "the same line": ({"old": "ours\n"}, {"old": "theirs\n"}),
    "changed and removed": ({"old": "ours\n"}, {"old": None}),
    "a file and a folder": ({"new": "ours\n"}, {"new/x": "theirs\n"}),
    "a folder and a file": ({"new/x": "ours\n"}, {"new": "theirs\n"}),
    "both add one file": ({"new": "ours\n"}, {"new": "theirs\n"}),
}


@pytest.fixture
def parted(platform: Platform):
    """Two branches, `main` and `side`, that changed what they are told to."""

    def part(ours, theirs):
        begun = platform.commit(BEFORE)
        platform.commit(theirs, branch="side", onto=begun)
        platform.commit(ours)
        return Repository.open(platform.path)

    return part


def merged(repo, base="main", head="side"):
    return merges.merged(repo, revisions.revision(repo, base).oid, revisions.revision(repo, head).oid)


@pytest.mark.parametrize("case", CASES)
def test_the_tree_is_the_one_that_git_makes(platform, parted, case):
    repo = parted(*CASES[case])
    objects = sorted((platform.path / "objects").rglob("*"))

    found = repo.objects.read_commit(merged(repo))

    assert sorted((platform.path / "objects").rglob("*")) == objects
    assert found.tree.hex() == platform.git("merge-tree", "--write-tree", "main", "side").strip()
    assert [parent.hex() for parent in found.parents] == [platform.tip(), platform.tip("side")]


def test_it_matters_not_where_the_repository_is(tmp_path):
    platform = Platform(tmp_path / '#a "b"\nc.git')
    begun = platform.commit(BEFORE)
    platform.commit({"a.txt": FIRST})
    platform.commit({"a.txt": LAST}, branch="side", onto=begun)
    repo = Repository.open(platform.path)

    found = repo.objects.read_commit(merged(repo))

    assert found.tree.hex() == platform.git("merge-tree", "--write-tree", "main", "side").strip()


@pytest.mark.parametrize("undone", ["x", "y"])
def test_what_two_that_merged_each_other_took_back_is_gone(platform, undone):
    side = Platform(platform.path, branch="side")
    begun = platform.commit({"x": "0", "y": "0", "z": "0"})
    platform.git("branch", "theirs", side.commit({"y": "1"}, onto=begun))
    platform.git("branch", "ours", platform.commit({"x": "1"}))
    platform.merge("theirs")
    side.merge("ours")
    platform.commit({"z": "1"})
    side.commit({undone: "0"})
    repo = Repository.open(platform.path)

    found = repo.objects.read_commit(merged(repo))

    assert found.tree.hex() == platform.git("merge-tree", "--write-tree", "main", "side").strip()


@pytest.mark.parametrize("case", CONFLICTS)
def test_a_conflict_names_the_files(parted, case):
    repo = parted(*CONFLICTS[case])

    with pytest.raises(merges.ConflictError, match=r"^\d files? conflicts?: (old|new)"):
        merged(repo)


def test_many_conflicts_are_not_all_named(parted):
    many = [f"f{number:02}" for number in range(12)]
    repo = parted(dict.fromkeys(many, "ours\n"), dict.fromkeys(many, "theirs\n"))

    with pytest.raises(merges.ConflictError, match=r"^12 files conflict: f00, .*, f09, …; merge or rebase first$"):
        merged(repo)


def test_a_branch_that_has_the_other_is_the_merge_already(platform, parted):
    repo = parted({"a.txt": FIRST}, {"old": None})
    first = revisions.revision(repo, "main~1").oid

    assert merges.merged(repo, first, revisions.revision(repo, "side").oid).hex() == platform.tip("side")
    assert merges.merged(repo, revisions.revision(repo, "side").oid, first).hex() == platform.tip("side")


@pytest.mark.parametrize("name", ["none", "", "-x", "main:old", "refs/heads/", "\x1b[31m", "0" * 40])
def test_what_is_no_commit_is_not_found(parted, name):
    repo = parted({}, {})

    with pytest.raises(NotFoundError, match="is no commit here") as told:
        revisions.revision(repo, name)
    assert "\x1b" not in str(told.value)


def test_a_tag_is_followed_to_its_commit(platform, parted):
    repo = parted({}, {})
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    platform.git(*who, "tag", "-a", "-m", "One", "v1", "side")

    assert revisions.revision(repo, "v1").oid.hex() == platform.tip("side")
