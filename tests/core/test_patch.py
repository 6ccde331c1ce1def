"""Trees are edited along the changed paths only, and come out as if they were written anew."""

import hypothesis.strategies as st
from hypothesis import example, given

from gitops.core.patch import edited, patch
from gitops.core.sketch import Sketch
from gitops.core.tree import DIRECTORY, EMPTY, EXECUTABLE, FILE, TREE, Entry, Tree, files, parse, serialise

A, B, C = (bytes([number]) * 20 for number in (1, 2, 3))
names = st.text("ab0.~ é", min_size=1, max_size=3)
entries = st.builds(Entry, st.sampled_from([FILE, DIRECTORY]), st.sampled_from([A, B, C]))
leaves = st.builds(Entry, st.sampled_from([FILE, EXECUTABLE]), st.sampled_from([A, B]))
places = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map("/".join)
edits = st.lists(st.tuples(places, st.none() | leaves), max_size=8)
wide = st.dictionaries(names, entries, min_size=20, max_size=60)


def tree(found):
    return Tree(found, serialise(found))


@given(wide, st.data())
@example({f"a{n}": Entry(FILE, A) for n in range(40)}, None)
def test_an_edited_tree_is_what_would_be_written_of_its_entries(found, data):
    edits = {"a1": Entry(FILE, B)}
    if data:
        edits = data.draw(st.dictionaries(st.sampled_from(sorted(found)) | names, st.none() | entries, max_size=3))
    wanted = {name: e for name, e in {**found, **edits}.items() if e}

    made = edited(tree(found), edits)

    assert made == wanted
    assert made.raw == serialise(wanted)


def test_a_row_that_also_stands_across_two_others_is_not_mistaken_for_it():
    """Ids may be chosen so that the end of one and the beginning of the next row are the bytes of a third row."""
    old = bytes(11) + b"100644 z0"
    found = {"a": Entry(FILE, old), "y": Entry(FILE, b"100644 a\0" + bytes(11)), "z0": Entry(FILE, A)}
    found |= {f"b{n}": Entry(FILE, A) for n in range(40)}
    assert serialise(found).count(serialise({"a": Entry(FILE, old)})) == 2

    assert parse(edited(tree(found), {"a": Entry(FILE, B)}).raw) == {**found, "a": Entry(FILE, B)}


def edit(folder, path, entry, objects):
    """Set (None: remove) one path in files by their paths, and let what is in its way go."""
    parts = path.split("/")
    above = {"/".join(parts[:n]) for n in range(1, len(parts))}
    kept = {p: e for p, e in folder.items() if p not in above | {path} and not p.startswith(f"{path}/")}
    if entry and entry.is_tree:
        return kept | {f"{path}/{name}": below for name, below in files(objects, entry.oid)}
    return kept | {path: entry} if entry else kept


@given(edits, edits)
def test_later_edits_win_over_earlier_ones_and_over_what_is_in_their_way(before, after):
    objects = Sketch()
    whole = Entry(DIRECTORY, patch(objects, None, {"a": Entry(FILE, C), "b/a": Entry(FILE, C)}))
    root, wanted = EMPTY, {}
    for some in (before, [("c", whole), *after]):
        root = patch(objects, root, some)
        for path, entry in some:
            wanted = edit(wanted, path, entry, objects)
        assert dict(files(objects, root)) == wanted
    assert root == patch(objects, None, wanted)
    assert root == patch(objects, None, list(wanted.items()))


def test_directories_that_become_empty_vanish():
    objects = Sketch()
    root = patch(objects, None, {"a/b/c": Entry(FILE, A), "d": Entry(FILE, B)})

    assert dict(files(objects, patch(objects, root, {"a/b/c": None}))) == {"d": Entry(FILE, B)}
    assert patch(objects, root, {"a/b/c": None, "d": None}) == EMPTY
    assert objects.add(TREE, b"") == EMPTY
