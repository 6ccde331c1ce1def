"""Text from outside never does anything to a terminal, a log or a message."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops.core.text import counted, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, é, 日本語", "plain, é, 日本語"),
        ("\x1b[31m", "\\x1b[31m"),
        ("a\nb\tc", "a\\nb\\tc"),
        ("a\u202eb", "a\\u202eb"),
        ("\udc80", "\\udc80"),
        ("\U000e0001", "\\U000e0001"),
    ],
)
def test_what_cannot_be_seen_is_escaped(text, shown):
    assert printable(text) == shown


def test_every_control_and_format_character_is_escaped():
    harmful = [
        c for c in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    ]
    assert len(harmful) > 2_000
    assert all(printable(c).isascii() and len(printable(c)) > 1 for c in harmful)


@given(st.text(st.characters(exclude_categories=())), st.integers(1, 40))
def test_it_is_one_bounded_line(text, limit):
    shown = printable(text, limit)
    assert len(shown) <= limit
    assert shown.isprintable()


def test_what_is_cut_off_ends_in_an_ellipsis():
    assert printable("x" * 11, 10) == "x" * 9 + "…"
    assert printable("\n" * 6, 10) == "\\n\\n\\n\\n\\…"
    assert printable("x" * 10, 10) == "x" * 10


def test_one_is_no_plural():
    assert [counted(number, "file") for number in (0, 1, 2)] == ["0 files", "1 file", "2 files"]
