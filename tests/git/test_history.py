"""Ancestry, ranges and "who last changed this" agree with git on any history."""

import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitops.core.patch import patch
from gitops.core.tree import BLOB, EMPTY, FILE, Entry
from gitops.git import history, refs
from gitops.git.commits import Identity
from gitops.git.repository import Repository

ME = Identity("gitops", "gitops@localhost")
PATHS = ["a", "d/a", "d/b", "d/e/f", "x/y"]
FOLDERS = ["d", "d/e", "x", "never/there"]

# A history is a list of commits: parents (as numbers of earlier ones), seconds since the one before, edits.
COMMITS = st.lists(
    st.tuples(
        st.lists(st.integers(1, 4), max_size=2, unique=True),
        st.integers(0, 1),
        st.dictionaries(st.sampled_from(PATHS), st.sampled_from([None, "1", "2"]), max_size=2),
    ),
    min_size=1,
    max_size=14,
)


def build(repo, commits):
    """Write a history; without parents a commit follows the one before it; a merge takes its first parent's tree."""
    objects, oids, when = repo.objects, [], 1_700_000_000
    for back, seconds, files in commits:
        parents = list(dict.fromkeys(oids[max(0, len(oids) - n)] for n in back or [1])) if oids else []
        edits = {path: text and Entry(FILE, objects.add(BLOB, text.encode())) for path, text in files.items()}
        tree = patch(objects, objects.commit_tree(parents[0]) if parents else EMPTY, edits)
        when += seconds
        oids.append(objects.commit(tree, parents, ME, when, f"{len(oids)}"))
    objects.flush()
    return oids


def lines(text):
    return [bytes.fromhex(line) for line in text.split()]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(COMMITS, st.data())
def test_walks_agree_with_git(repo, root, git, commits, data):
    oids = build(repo, commits)
    tip, until = oids[-1], data.draw(st.sampled_from(oids))
    for old in {*oids[:3], until}:
        expected = git(root, "merge-base", "--all", old.hex(), tip.hex()) == old.hex()
        assert history.is_ancestor(repo, old, tip) == expected
        assert history.is_ancestor(repo, tip, old) == (tip == old)
    for args, walked in (
        ([tip.hex()], history.walk(repo, tip)),
        ([tip.hex(), f"^{until.hex()}"], history.walk(repo, tip, until)),
        ([until.hex(), f"^{tip.hex()}"], history.walk(repo, until, tip)),
    ):
        found = list(walked)
        assert {info.oid for info in found} == set(lines(git(root, "rev-list", *args)))
        place = {info.oid: number for number, info in enumerate(found)}
        assert all(place[info.oid] < place.get(parent, len(found)) for info in found for parent in info.parents)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(COMMITS)
def test_the_last_change_of_a_path_is_the_one_that_git_log_shows(repo, root, git, commits):
    tip = build(repo, commits)[-1]
    found = history.last_changed(repo, tip, PATHS + FOLDERS)
    shown = {path: git(root, "log", "-1", "--format=%H", tip.hex(), "--", path) for path in PATHS + FOLDERS}
    assert {path: info.oid.hex() for path, info in found.items()} == {p: oid for p, oid in shown.items() if oid}


def test_the_newest_commit_comes_first_and_a_child_before_its_parent_whatever_the_clock_says(repo):
    objects = repo.objects
    one = objects.commit(EMPTY, [], ME, 500, "one")
    two = objects.commit(EMPTY, [one], ME, 100, "two, by a slow clock")
    side = objects.commit(EMPTY, [one], ME, 300, "side")
    top = objects.commit(EMPTY, [two, side], ME, 600, "merge")
    assert [info.oid for info in history.walk(repo, top)] == [top, side, two, one]
    assert list(history.walk(repo, top, top)) == []
    assert history.is_ancestor(repo, one, top)
    assert not history.is_ancestor(repo, top, one)


def test_the_last_change_of_a_folder_is_that_of_anything_in_it_also_its_removal(repo, change):
    first = change(repo, {"a": "1", "b": "1", "d/e": "1"})
    second = change(repo, {"a": "2", "d/f": "1"})
    tip = change(repo, {"b": "2", "d/e": None})
    found = history.last_changed(repo, tip, ["a", "b", "d", "d/e", "d/f", "never", ""])
    assert {path: info.oid for path, info in found.items()} == {
        "a": second,
        "b": tip,
        "d": tip,
        "d/e": tip,
        "d/f": second,
    }
    assert history.last_changed(repo, first, ["d/e", "d/f"])["d/e"].oid == first


def test_each_parent_of_a_merge_answers_for_what_the_merge_took_from_it(repo):
    objects = repo.objects

    def made(parents, when, **files):
        edits = {path: Entry(FILE, objects.add(BLOB, text.encode())) for path, text in files.items()}
        root = patch(objects, objects.commit_tree(parents[0]) if parents else None, edits)
        return objects.commit(root, parents, ME, when, "x")

    base = made([], 1, a="0", b="0", c="0", d="0", e="0")
    ours = made([base], 2, a="1", c="1", e="1")
    theirs = made([base], 3, b="1", c="2")
    merge = made([ours, theirs], 4, b="1", c="3", e="0")
    found = {path: info.oid for path, info in history.last_changed(repo, merge, list("abcde")).items()}
    assert found == {"a": ours, "b": theirs, "c": merge, "d": base, "e": base}


@pytest.mark.parametrize("later", [0, 1])
def test_commits_of_one_second_are_told_apart_by_who_was_built_on_whom(repo, later):
    base = repo.objects.commit(EMPTY, [], ME, 1_700_000_000, "base")
    below = repo.objects.commit(EMPTY, [base], ME, 1_700_000_000, "below")
    until = repo.objects.commit(EMPTY, [below], ME, 1_700_000_000 + later, "until")
    tip = repo.objects.commit(EMPTY, [base, until], ME, 1_700_000_002, "a merge that begins at the base")
    assert [info.oid for info in history.walk(repo, tip, until)] == [tip]


def test_what_the_end_of_a_walk_was_built_on_is_told_apart_however_late_the_walk_comes_to_it(repo):
    """The clock of who made the end was slow: the walk has passed what is below it already, as news."""
    base = repo.objects.commit(EMPTY, [], ME, 1_700_000_005, "base")
    below = repo.objects.commit(EMPTY, [base], ME, 1_700_000_009, "below")
    until = repo.objects.commit(EMPTY, [below], ME, 1_700_000_001, "until")
    tip = repo.objects.commit(EMPTY, [below, base], ME, 1_700_000_010, "tip")
    assert [info.oid for info in history.walk(repo, tip, until)] == [tip]


def test_a_walk_reads_only_what_lies_between_its_ends(repo, monkeypatch):
    oids = build(repo, [([], 1, {"a": str(n % 2)}) for n in range(200)])
    fresh = Repository.open(repo.git_dir)
    read = fresh.objects.read_commit
    asked = set()
    monkeypatch.setattr(fresh.objects, "read_commit", lambda oid: asked.add(oid) or read(oid))
    assert len(list(history.walk(fresh, oids[-1], oids[-4]))) == 3
    assert history.is_ancestor(fresh, oids[-4], oids[-1])
    assert history.last_changed(fresh, oids[-1], ["a"]).keys() == {"a"}
    assert len(asked) <= 6


def test_many_paths_cost_one_walk(repo, monkeypatch):
    objects = repo.objects
    blob = Entry(FILE, objects.add(BLOB, b"1"))
    paths = [f"d{n % 20}/f{n}" for n in range(1000)]
    root = patch(objects, None, dict.fromkeys(paths, blob))
    tip = first = objects.commit(root, [], ME, 1, "first")
    for n in range(50):
        root = patch(objects, root, {f"d{n % 20}/new": Entry(FILE, objects.add(BLOB, b"%d" % n))})
        tip = objects.commit(root, [tip], ME, 2 + n, "more")
    reads = []
    tree = objects.tree
    monkeypatch.setattr(objects, "tree", lambda oid: reads.append(oid) or tree(oid))
    assert {info.oid for info in history.last_changed(repo, tip, paths).values()} == {first}
    assert len(reads) < 50 * 4 + 30


def test_a_shallow_history_ends_where_it_was_cut(repo, root, git, change, tmp_path):
    for text in "123":
        change(repo, {"a": text})
    git(tmp_path, "clone", "-q", "--depth=2", f"file://{root}", "shallow")
    shallow = Repository.open(tmp_path / "shallow")
    tip = refs.tip(shallow, "main")
    assert len(list(history.walk(shallow, tip))) == 2
    assert history.last_changed(shallow, tip, ["a"])["a"].oid == tip


def test_a_missing_commit_is_an_error_and_no_end(repo, change):
    tip = change(repo, {"a": "1"})
    with pytest.raises(KeyError):
        history.is_ancestor(repo, b"x" * 20, tip)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(commits=COMMITS, data=st.data())
def test_a_lineage_holds_the_ancestors_of_its_tip_wherever_that_goes(repo, commits, data):
    oids = build(repo, commits)
    lineage = history.Lineage(repo)
    for tip in data.draw(st.lists(st.sampled_from(oids), min_size=1, max_size=3)):
        lineage.follow(tip)
        assert {oid for oid in oids if oid in lineage} == {o for o in oids if history.is_ancestor(repo, o, tip)}
        assert bytes(20) not in lineage
        assert tip.hex() not in lineage


def test_a_lineage_reads_as_far_back_as_somebody_asks_and_nothing_twice(repo, monkeypatch):
    oids = build(repo, [([], 1, {"a": str(n % 2)}) for n in range(100)])
    fresh = Repository.open(repo.git_dir)
    read = fresh.objects.read_commit
    asked = []
    monkeypatch.setattr(fresh.objects, "read_commit", lambda oid: asked.append(oid) or read(oid))
    lineage = history.Lineage(fresh).follow(oids[50])
    assert bytes(20) not in lineage
    assert oids[45] in lineage
    assert len(asked) < 20
    for tip in oids[51:]:
        assert oids[0] in lineage.follow(tip)
    assert len(asked) < 500


def test_a_lineage_begins_anew_when_its_tip_is_there_no_more(repo, change):
    first = change(repo, {"a": "1"})
    gone = repo.objects.commit(EMPTY, [first], ME, 1_800_000_000, "never flushed")
    lineage = history.Lineage(repo).follow(gone)
    repo.objects.discard()

    lineage.follow(first)
    assert first in lineage
    assert gone not in lineage


def test_a_lineage_that_goes_on_for_long_does_not_hold_what_its_commits_say(repo):
    """A daemon follows each push; messages may have 256 KiB."""
    objects, tree, tips = repo.objects, patch(repo.objects, EMPTY, {}), []
    for number in range(300):
        tips.append(objects.commit(tree, tips[-1:], ME, 1_700_000_000 + number, "m" * 20_000))
    objects.flush()
    lineage = history.Lineage(repo)
    tracemalloc.start()
    for tip in tips:
        lineage.follow(tip)
    repo.objects._commits.clear()  # a cache with a bound of its own
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 1_000_000
    assert tips[0] in lineage


def test_what_could_not_be_read_once_is_found_in_a_lineage_the_next_time(repo, monkeypatch):
    """Else all that is behind it would count as gone, for a daemon that goes on after a disk failed once."""
    oids = build(repo, [([], 1, {"a": "1"})] * 5)
    lineage = history.Lineage(repo).follow(oids[-1])
    read = repo.objects.read_commit

    def fails(oid):
        if oid == oids[2]:
            raise OSError("Input/output error")
        return read(oid)

    monkeypatch.setattr(repo.objects, "read_commit", fails)
    with pytest.raises(OSError, match="Input/output"):
        lineage.__contains__(oids[0])
    monkeypatch.undo()
    assert oids[0] in lineage.follow(oids[-1])
