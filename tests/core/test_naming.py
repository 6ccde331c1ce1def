"""Kratix's golden ids, and what keeps two groups apart."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops.api.work import WorkloadGroup
from gitops.core.naming import group_id, short_ids


@pytest.mark.parametrize(
    ("directory", "expected"),
    [
        (".", "5058f1af8388633f609cadb75a75dc9d"),
        ("", "5058f1af8388633f609cadb75a75dc9d"),
        ("./", "5058f1af8388633f609cadb75a75dc9d"),
        ("foo", "acbd18db4cc2f85cedef654fccc4a4d8"),
        ("foo/", "acbd18db4cc2f85cedef654fccc4a4d8"),
        ("./foo", "acbd18db4cc2f85cedef654fccc4a4d8"),
        ("dir", "736007832d2167baaae763fd3a3f3cf1"),
        ("scheduled-dir", "705248a42236c2a255748b232c0c6c8a"),
        ("dry-run-summary", "bbee86671b56a2c14baee4fe438fa8a4"),
    ],
)
def test_kratix_group_ids(directory, expected):
    assert group_id(WorkloadGroup(directory=directory)) == expected


@pytest.mark.parametrize(
    ("ids", "short"),
    [
        (["5058f1af8388633f609cadb75a75dc9d"], ["5058f"]),
        (["705248a42236c2a255748b232c0c6c8a", "5058f1af8388633f609cadb75a75dc9d"], ["70524", "5058f"]),
        (["x"], ["x"]),
        (["abcde1", "abcde2", "fffff0"], ["abcde1", "abcde2", "fffff"]),
        (["abcdefg1", "abcdefh1"], ["abcdefg", "abcdefh"]),
        (["abcde", "abcdef"], ["abcde", "abcdef"]),
        ([], []),
    ],
)
def test_k10_short_ids_are_five_characters_or_as_many_as_it_takes(ids, short):
    assert short_ids(ids) == short


@settings(deadline=None)
@given(st.lists(st.text("ab", min_size=1, max_size=8), unique=True, max_size=8))
def test_k10_groups_of_one_work_never_share_a_short_id(ids):
    found = short_ids(ids)

    assert len(set(found)) == len(ids)
    assert all(own.startswith(short) for own, short in zip(ids, found, strict=True))
