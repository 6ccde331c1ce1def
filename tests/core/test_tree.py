"""A tree says what Git says of it, and is looked up and compared as a plain list of paths would be."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from gitops.core.patch import patch
from gitops.core.sketch import Sketch
from gitops.core.tree import (
    BLOB,
    COMMIT,
    DIRECTORY,
    EMPTY,
    EXECUTABLE,
    FILE,
    LINK,
    SUBMODULE,
    TREE,
    Entry,
    children,
    diff,
    files,
    lookup,
    object_id,
    obstacle,
    parse,
    serialise,
    subtree,
)

A, B = (bytes([number]) * 20 for number in (1, 2))
leaves = st.builds(Entry, st.sampled_from([FILE, EXECUTABLE, LINK, SUBMODULE]), st.sampled_from([A, B]))
paths = st.lists(st.sampled_from("ab"), min_size=1, max_size=4).map("/".join)


def above(path):
    """The directories that a path has above it, the nearest last."""
    parts = path.split("/")
    return ["/".join(parts[:n]) for n in range(1, len(parts))]


@st.composite
def folders(draw):
    """Files by their paths, none of which is a directory of another."""
    found = {}
    for path, entry in draw(st.dictionaries(paths, leaves, max_size=8)).items():
        if found.keys().isdisjoint(above(path)) and not any(other.startswith(f"{path}/") for other in found):
            found[path] = entry
    return found


def stored(objects, folder):
    """The id of the tree of a folder; none when nothing is in it."""
    return patch(objects, None, folder) if folder else None


@pytest.mark.parametrize(
    ("kind", "content", "oid"),
    [
        (BLOB, b"hello\n", "ce013625030ba8dba906f756967f9e9ca394464a"),
        (TREE, b"", "4b825dc642cb6eb9a060e54bf8d69288fbee4904"),
        (COMMIT, b"x", "eaa562e454681104aee02c9809ea2ca6ec4aa5cd"),
    ],
)
def test_an_object_has_the_id_that_git_gives_it(kind, content, oid):
    assert object_id(kind, content).hex() == oid


def test_a_tree_is_written_as_git_writes_it():
    """A directory stands where its name and a slash would."""
    rows = [
        (b"100755 \xe9.sh\0", A),  # a name that is no UTF-8
        (b"100644 a.b\0", B),
        (b"40000 a\0", A),
        (b"120000 a0\0", B),
        (b"160000 b\0", A),
    ]
    raw = b"".join(head + oid for head, oid in [*rows[1:], rows[0]])
    found = {
        "\udce9.sh": Entry(EXECUTABLE, A),
        "b": Entry(SUBMODULE, A),
        "a0": Entry(LINK, B),
        "a": Entry(DIRECTORY, A),
        "a.b": Entry(FILE, B),
    }

    assert serialise(found) == raw
    assert parse(raw) == found
    assert parse(raw).raw == raw
    assert list(parse(raw)) == ["a.b", "a", "a0", "b", "\udce9.sh"]
    assert children(raw) == [B, A, B, A, A]
    assert serialise({}) == b""


@pytest.mark.parametrize(
    ("mode", "is_tree", "is_file"),
    [
        (FILE, False, True),
        (EXECUTABLE, False, True),
        (0o100664, False, True),
        (LINK, False, False),
        (SUBMODULE, False, False),
        (DIRECTORY, True, False),
    ],
)
def test_what_an_entry_is(mode, is_tree, is_file):
    assert (Entry(mode, A).is_tree, Entry(mode, A).is_file) == (is_tree, is_file)


@given(folders(), paths)
def test_what_stands_at_a_path_is_found(folder, path):
    objects = Sketch()
    root = stored(objects, folder)
    below = {each.removeprefix(f"{path}/"): entry for each, entry in folder.items() if each.startswith(f"{path}/")}
    directory = stored(objects, below)

    assert lookup(objects, root, path) == (Entry(DIRECTORY, directory) if below else folder.get(path))
    assert subtree(objects, root, path) == directory
    assert subtree(objects, root, "") == root
    assert dict(files(objects, root, "x/")) == {f"x/{each}": entry for each, entry in folder.items()}
    assert obstacle(objects, root, path) == {each: folder[each] for each in above(path) if each in folder}


@given(folders(), folders())
def test_what_differs_is_what_differs_path_by_path(old, new):
    objects = Sketch()
    found = list(diff(objects, stored(objects, old), stored(objects, new), "x/"))

    wanted = {(f"x/{p}", old.get(p), new.get(p)) for p in old.keys() | new.keys() if old.get(p) != new.get(p)}
    assert set(found) == wanted
    assert len(found) == len(wanted)
    assert {change.path for change in diff(objects, EMPTY, stored(objects, new))} == new.keys()
