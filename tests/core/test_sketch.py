"""A sketch is an object database that is only thought of, until there is too much of it."""

import pytest

from gitops.core.patch import patch
from gitops.core.sketch import Sketch
from gitops.core.tree import BLOB, FILE, TREE, Entry, serialise


def test_nothing_of_it_is_below_before_it_is_supplied():
    below = Sketch()
    sketch = Sketch(below)
    blob = sketch.add(BLOB, b"x")
    root = patch(sketch, None, {"a/b": Entry(FILE, blob)})

    assert (blob in below, root in below) == (False, False)
    sketch.supply(root)
    assert below.blob(blob) == b"x"
    assert set(below.tree(root)) == {"a"}


def test_what_is_more_than_there_is_room_for_goes_below_at_once():
    below = Sketch()
    sketch = Sketch(below, room=10)
    first = sketch.add(BLOB, b"12345678")
    assert first not in below
    second, third = sketch.add(BLOB, b"12345678more"), sketch.add(BLOB, b"third")

    assert [sketch.blob(oid) for oid in (first, second, third)] == [b"12345678", b"12345678more", b"third"]
    root = patch(sketch, None, {"1": Entry(FILE, first), "2/3": Entry(FILE, third)})
    sketch.supply(root)
    assert all(oid in below for oid in (first, second, third, root, sketch.tree(root)["2"].oid))


@pytest.mark.parametrize("kind", [BLOB, TREE])
def test_after_the_commit_everything_does(kind):
    below = Sketch()
    sketch = Sketch(below)
    sketch.commit()

    assert sketch.add(kind, serialise({})) in below
