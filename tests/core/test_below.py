"""An inventory that is not spelt out is the same mapping as one that is."""

from hypothesis import given
from hypothesis import strategies as st

from gitops.core.below import Additions, Below
from gitops.core.tree import FILE, Change, Entry

FILES = st.dictionaries(st.sampled_from(["x.yaml", "a/b.yaml", "a/c"]), st.binary(min_size=20, max_size=20))


@given(st.sampled_from(["", "state/dev"]), FILES)
def test_it_is_the_mapping_that_it_stands_for(place, files):
    whole = {f"{place}/{path}" if place else path: oid for path, oid in files.items()}
    below = Below(place, tuple(files.items()))

    assert len(below) == len(whole)
    assert bool(below) == bool(whole)
    assert dict(below) == whole == dict(below.items())
    assert below == whole
    assert list(below) == list(whole)
    assert all(path in below for path in whole)
    assert "other" not in below


@given(FILES)
def test_additions_are_the_changes_where_nothing_was(files):
    changes = [Change(path, None, Entry(FILE, oid)) for path, oid in files.items()]
    additions = Additions(files)

    assert list(additions) == changes
    assert len(additions) == len(changes)
    assert [additions[n] for n in range(len(changes))] == changes
