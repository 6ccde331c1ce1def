"""A tree is read as it was written."""

from gitops.core.sketch import Sketch
from gitops.core.tree import DIRECTORY, FILE, Entry, files, parse, serialise

A, B = (bytes([number]) * 20 for number in (1, 2))


def test_a_tree_that_is_read_says_what_was_written():
    found = {"b": Entry(FILE, A), "a": Entry(DIRECTORY, B)}

    assert parse(serialise(found)) == found
    assert list(parse(serialise(found))) == ["a", "b"]


def test_what_is_empty_has_no_bytes_and_no_files():
    assert serialise({}) == b""
    assert list(files(Sketch(), None)) == []
