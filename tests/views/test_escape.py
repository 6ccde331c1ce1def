from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from gitops.views.escape import escape, escape_json, unprintable


def test_escapes_are_kubectls_where_it_has_one() -> None:
    assert escape("\x1b[31mred\x1b[0m\r\n\ttab") == "^[[31mred^[[0m\\r\n\ttab"


def test_what_kubectl_lets_through_is_escaped_too() -> None:
    assert escape("\x07\x08\x7f\x9b31m\u202e\u2066") == "\\u0007\\u0008\\u007f\\u009b31m\\u202e\\u2066"


def test_writing_of_all_languages_stays() -> None:
    text = "é ü ß 日本語 \u00a0 😀 👩‍👩‍👧 עברית"
    assert escape(text) == text


@given(st.text())
def test_nothing_is_left_that_a_terminal_would_obey(text: str) -> None:
    assert not unprintable(escape(text))


@given(st.text())
def test_escaped_json_means_the_same(text: str) -> None:
    written = escape_json(json.dumps(text, ensure_ascii=False))
    assert not unprintable(written)
    assert json.loads(written) == text
