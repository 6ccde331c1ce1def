"""Objects: what is added is what git reads, durable after the flush; damage is told from absence."""

import errno
import os
import subprocess
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitops.core.patch import patch
from gitops.core.tree import BLOB, COMMIT, EMPTY, FILE, TREE, Entry, diff, object_id, serialise
from gitops.errors import MissingError, RepositoryError
from gitops.git import loose, objects, pack, refs, repository
from gitops.git.commits import Identity
from gitops.git.lock import daemon_lock
from gitops.git.objects import ObjectStore
from gitops.git.repository import Repository
from gitops.git.stored import REOPENED

ME = Identity("gitops", "gitops@localhost")


def packs(repo):
    return sorted((repo.common_dir / "objects" / "pack").glob("*.pack"))


def test_what_is_staged_can_be_read_before_and_after_the_flush_and_by_git(repo, root, git):
    store = repo.objects
    blob = store.add(BLOB, b"hello")
    tree = store.add(TREE, serialise({"a": Entry(FILE, blob)}))
    commit = store.commit(tree, [], ME, 1_700_000_000, "subject")
    for _ in range(2):
        assert store.blob(blob) == b"hello"
        assert store.tree(tree) == {"a": Entry(FILE, blob)}
        assert store.read_commit(commit).tree == store.commit_tree(commit) == tree
        assert all(oid in store for oid in (blob, tree, commit))
        store.flush()
    assert git(root, "cat-file", "-p", blob.hex()) == "hello"
    assert git(root, "ls-tree", commit.hex()) == f"100644 blob {blob.hex()}\ta"
    assert Repository.open(root).objects.tree(tree) == {"a": Entry(FILE, blob)}


def test_a_pack_is_what_git_demands(repo, root, git):
    store = repo.objects
    contents = [b"", b"x", b"y" * 15, b"z" * 16, os.urandom(4096), os.urandom(4097), b"long " * 300_000]
    edits = {f"d{n % 3}/f{n}": Entry(FILE, store.add(BLOB, content)) for n, content in enumerate(contents)}
    store.commit(patch(store, None, edits), [], ME, 1, "subject")
    store.flush()
    (pack,) = packs(repo)
    git(root, "verify-pack", str(pack))
    assert git(root, "fsck", "--strict", "--full").startswith("dangling commit")
    assert (pack.stat().st_mode & 0o777, pack.with_suffix(".idx").stat().st_mode & 0o777) == (0o444, 0o444)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.builds(bytes.__mul__, st.binary(max_size=20), st.integers(0, 400)), min_size=1, max_size=30))
def test_git_reads_every_object_of_a_pack(repo, root, sealed, contents):
    oids = [repo.objects.add(BLOB, content) for content in contents]
    repo.objects.flush()
    asked = "\n".join(oid.hex() for oid in oids).encode()
    answer = subprocess.run(["git", "cat-file", "--batch"], cwd=root, env=sealed, input=asked, capture_output=True)
    rows = (b"%b blob %d\n%b\n" % (oid.hex().encode(), len(c), c) for oid, c in zip(oids, contents, strict=True))
    assert answer.stdout == b"".join(rows)


def test_a_flush_of_nothing_and_a_discard_write_nothing(repo):
    store = repo.objects
    store.flush()
    blob, tree = store.add(BLOB, b"x"), store.add(TREE, serialise({"a": Entry(FILE, EMPTY)}))
    assert store.tree(tree)
    store.discard()
    store.flush()
    assert packs(repo) == []
    for read in (store.blob, store.tree, store.read_commit):
        with pytest.raises(KeyError):
            read(blob)
    with pytest.raises(KeyError):
        store.tree(tree)
    assert store.add(TREE, serialise({"a": Entry(FILE, EMPTY)})) in store


def test_what_was_flushed_is_not_written_again(repo, root, change):
    change(repo, {"d/a": "1"})
    assert len(packs(repo)) == 1
    store = Repository.open(root).objects
    for _ in range(3):
        store.add(BLOB, b"new")
        store.flush()
    assert len(packs(repo)) == 2


def test_an_object_of_another_kind_is_missing(repo):
    store = repo.objects
    blob = store.add(BLOB, b"x")
    tree = store.add(TREE, serialise({"a": Entry(FILE, blob)}))
    for flush in (False, True):
        if flush:
            store.flush()
        for read, oid in ((store.tree, blob), (store.read_commit, tree), (store.blob, tree)):
            with pytest.raises(KeyError):
                read(oid)


def test_the_empty_tree_is_always_there_and_stored_when_a_commit_names_it(repo, root, git):
    assert repo.objects.tree(EMPTY) == {}
    assert EMPTY in repo.objects
    commit = repo.objects.commit(EMPTY, [], ME, 1, "nothing")
    repo.objects.flush()
    assert git(root, "cat-file", "--batch-check", stdin=EMPTY.hex()) == f"{EMPTY.hex()} tree 0"
    assert repo.objects.stored(EMPTY)
    assert repo.objects.stored(commit)


@pytest.mark.parametrize(
    "damage", [lambda raw: raw[: len(raw) // 2], lambda raw: b"", lambda raw: raw[:9] + b"\xff" + raw[10:]]
)
def test_a_damaged_file_of_an_object_is_named_and_a_copy_in_a_pack_is_read_instead(repo, root, git, damage):
    content = b"content that is long enough to be cut in two"
    oid = bytes.fromhex(git(root, "hash-object", "-w", "--stdin", stdin=content))
    path = root / ".git/objects" / oid.hex()[:2] / oid.hex()[2:]
    path.chmod(0o644)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(RepositoryError, match=f"{path.name}.*damaged.*git fsck"):
        repo.objects.blob(oid)
    with pytest.raises(KeyError):
        repo.objects.blob(object_id(BLOB, b"absent"))
    repo.objects.add(BLOB, content)
    repo.objects.flush()
    assert repo.objects.blob(oid) == content
    assert Repository.open(root).objects.blob(oid) == content


def test_a_file_with_the_content_of_another_object_is_damaged(repo, root):
    oid = object_id(BLOB, b"mine")
    path = Path(loose.path_of(str(root / ".git/objects"), oid))
    path.parent.mkdir()
    path.write_bytes(zlib.compress(b"blob 6\0theirs"))
    with pytest.raises(RepositoryError, match="damaged"):
        repo.objects.blob(oid)


@pytest.mark.parametrize("damage", [os.urandom(60), b"\x9f" + b"\xff" * 5 + b"\x7f"], ids=["noise", "a petabyte"])
def test_a_damaged_pack_is_no_absence(repo, root, git, change, damage):
    commit = change(repo, {"a": "some content"})
    (pack,) = packs(repo)
    rows = map(str.split, git(root, "verify-pack", "-v", str(pack)).splitlines())
    at = next(int(row[4]) for row in rows if row[0] == commit.hex())
    pack.chmod(0o644)
    with pack.open("r+b") as file:
        file.seek(at)
        file.write(damage)
    with pytest.raises(RepositoryError, match=commit.hex()):
        Repository.open(root).objects.read_commit(commit)


@pytest.mark.parametrize("raw", [b"100644 a\0short", b"100644 \0" + b"x" * 20, b"100644 a/b\0" + b"x" * 20, b"zzz"])
def test_a_tree_that_git_does_not_allow_is_damaged_not_empty(repo, raw):
    oid = repo.objects.add(TREE, raw)
    with pytest.raises(RepositoryError, match=oid.hex()):
        repo.objects.tree(oid)


def test_objects_that_another_process_packs_and_prunes_stay_readable(repo, root, git, change):
    (root / "loose").write_text("by hand")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "hand")
    tip = refs.tip(repo, "main")
    store = Repository.open(root).objects
    tree = store.commit_tree(tip)
    git(root, "gc", "-q", "--prune=now")
    assert [store.blob(entry.oid) for entry in store.tree(tree).values()] == [b"by hand"]
    change(repo, {"more": "2"})
    git(root, "gc", "-q", "--prune=now")
    assert sorted(store.tree(store.commit_tree(refs.tip(repo, "main")))) == ["loose", "more"]


def test_objects_of_a_repository_that_is_borrowed_from_are_found(repo, root, git, tmp_path, change):
    commit = change(repo, {"a": "1"})
    git(tmp_path, "clone", "-q", "--shared", str(root), "borrower")
    borrower = Repository.open(tmp_path / "borrower")
    assert borrower.objects.tree(borrower.objects.commit_tree(commit)).keys() == {"a"}


def test_a_shallow_clone_ends_where_it_ends(repo, root, git, tmp_path, change):
    change(repo, {"a": "1"})
    tip = change(repo, {"a": "2"})
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{root}", "shallow")
    assert Repository.open(tmp_path / "shallow").objects.read_commit(tip).parents == ()


def test_memory_is_bounded_while_much_is_added_and_read(repo, monkeypatch):
    monkeypatch.setattr(objects, "_PACK_SIZE", 10_000)
    monkeypatch.setattr(objects, "_CACHED_ENTRIES", 10)
    store = repo.objects
    blobs = [store.add(BLOB, os.urandom(1000)) for _ in range(30)]
    assert len(packs(repo)) == 3
    trees = [store.add(TREE, serialise({str(n): Entry(FILE, oid)})) for n, oid in enumerate(blobs)]
    store.flush()
    for number, tree in enumerate(trees):
        assert store.tree(tree) == {str(number): Entry(FILE, blobs[number])}
    assert len(store._trees) == 10


def test_a_write_that_fails_can_be_repeated(repo, monkeypatch):
    oid = repo.objects.add(BLOB, b"x")
    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", lambda handle: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(OSError, match="No space"):
            repo.objects.flush()
    assert not repo.objects.stored(oid)
    repo.objects.flush()
    assert repo.objects.stored(oid)
    assert list(repo.objects.folder.glob("pack/tmp_*")) == []


def test_git_that_collects_garbage_leaves_what_is_being_written(repo, monkeypatch, git):
    """It takes an index without its pack for garbage at once, however new it is."""
    oid, hold = repo.objects.add(BLOB, b"x"), pack.hold

    def collected(path):
        git(repo.common_dir, "gc", "--quiet")
        hold(path)

    monkeypatch.setattr(pack, "hold", collected)
    repo.objects.flush()
    assert repo.objects.stored(oid)


class Counting(ObjectStore):
    reads = 0

    def tree(self, oid):
        self.reads += 1
        return super().tree(oid)


def test_one_change_among_20000_files_reads_only_the_trees_above_it(repo, root):
    store = repo.objects
    blob = Entry(FILE, store.add(BLOB, b"x"))
    old = patch(store, None, {f"state/d{n % 40}/w{n // 40 % 50}/f{n}": blob for n in range(20_000)})
    store.flush()
    counting = Counting(repo.common_dir / "objects")
    new = patch(counting, old, {"state/d7/w3/new": Entry(FILE, counting.add(BLOB, b"new"))})
    assert counting.reads == 4
    counting.reads = 0
    assert [change.path for change in diff(counting, old, new)] == ["state/d7/w3/new"]
    assert counting.reads == 8
    assert len(counting._staged) == 5


def test_a_commit_is_told_from_a_tree(repo):
    commit = repo.objects.add(COMMIT, b"author x <y> 1 +0000\n\nno tree")
    with pytest.raises(RepositoryError, match="names no tree"):
        repo.objects.read_commit(commit)


def test_packs_that_git_has_put_together_are_let_go(repo, root, git):
    """libgit2 keeps what it has mapped; over months that would be every pack there ever was."""
    store = repo.objects
    for number in range(REOPENED):
        store.refresh()
        oid = store.add(BLOB, b"%d" % number)
        store.flush()
        assert Repository.open(root).objects.blob(oid) == store._stored._packs.read(oid.hex())[1]
        if number == 10:
            git(root, "repack", "-adkq")
    mapped = [line for line in Path("/proc/self/maps").read_text().splitlines() if str(root) in line]

    assert not [line for line in mapped if line.endswith("(deleted)")]
    assert store.blob(store.add(BLOB, b"3")) == b"3"


def test_packs_that_nobody_puts_together_do_not_take_all_file_handles(repo):
    """A user may forbid git to, and a process of many files may have no more than 1,024 open."""
    store = repo.objects
    written = [(store.add(BLOB, b"%d" % number), store.flush())[0] for number in range(repository.OPEN_PACKS + 50)]

    assert [store.blob(oid) for oid in written] == [b"%d" % number for number in range(len(written))]
    links = [str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    assert sum(link.startswith(str(repo.common_dir)) for link in links) <= repository.OPEN_PACKS


def test_packs_that_could_not_be_seen_at_first_are_seen_later(repo, root):
    blob = repo.objects.add(BLOB, b"hello")
    repo.objects.flush()
    folder = repo.common_dir / "objects" / "pack"
    folder.rename(folder.with_name("away"))
    store = ObjectStore(folder.parent)
    folder.with_name("away").rename(folder)
    assert store.stored(blob)
    assert ObjectStore(folder.parent).blob(blob) == store.blob(blob) == b"hello"


def test_packs_that_cannot_be_opened_are_not_missing(repo, monkeypatch):
    """Too many open files: libgit2 then says that the object is not there."""

    def refuse(path, *_):
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE), str(path))

    repo.objects.add(BLOB, b"hello")
    repo.objects.flush()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refuse)
        for ask in (repo.objects.blob, repo.objects.stored):
            with pytest.raises(OSError, match="Too many open files"):
                ask(b"\x01" * 20)
    assert not repo.objects.stored(b"\x01" * 20)


def test_a_garbage_collection_leaves_what_a_ref_is_about_to_lead_to(repo, root, git):
    """One that is under way may have looked at the refs before; `git gc --prune=now` once took the tip away."""
    blob = repo.objects.add(BLOB, b"hello")
    repo.objects.flush()
    git(root, "gc", "--prune=now", "--quiet")
    assert repo.objects.intact()
    assert ObjectStore(repo.objects.folder).blob(blob) == b"hello"
    repo.objects.settle()
    git(root, "gc", "--prune=now", "--quiet")
    assert not repo.objects.stored(blob)


def test_packs_that_a_killed_daemon_held_are_let_go_by_the_next_and_those_of_others_are_not(repo):
    repo.objects.add(BLOB, b"hello")
    repo.objects.flush()
    folder = repo.objects.folder / "pack"
    (folder / "pack-1.keep").touch()
    with daemon_lock(repo):
        assert [path.name for path in folder.glob("*.keep")] == ["pack-1.keep"]


def test_a_missing_object_is_named_with_the_way_out(repo):
    with pytest.raises(MissingError, match=f"object {'ab' * 20} is missing in .*git fsck"):
        repo.objects.blob(bytes.fromhex("ab" * 20))


def test_what_a_partial_clone_leaves_out_is_no_damage(repo, root, git, tmp_path):
    git(root, "config", "uploadpack.allowFilter", "true")
    git(root, "commit", "--allow-empty", "-qm", "one")
    clone = tmp_path / "clone.git"
    git(root, "clone", "-q", "--bare", "--filter=tree:0", root.as_uri(), str(clone))
    with pytest.raises(MissingError, match=r"partial clone.* without --filter"):
        Repository.open(clone).objects.blob(bytes.fromhex("ab" * 20))
