"""Objects are written as kubectl 1.32 writes them; what is compared was recorded from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from gitops.views.escape import unprintable
from gitops.views.serialise import natural, to_json, to_yaml

HOSTILE = (Path(__file__).parent / "hostile.yaml").read_text("utf-8")


def test_hostile_texts_are_quoted_folded_and_escaped_as_in_go() -> None:
    """hostile.yaml was recorded from kubectl; it has some 200 texts as values, as keys, and deep inside of lists."""
    texts = yaml.load(HOSTILE, Loader=yaml.BaseLoader)
    assert to_yaml(texts) == HOSTILE


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2025-06-23T14:03:20Z", '"2025-06-23T14:03:20Z"'),
        ("True", '"True"'),
        ("12e34", '"12e34"'),
        ("12e345", "12e345"),  # too large for a number, so it is none
        ("0123456789abcdef", "0123456789abcdef"),
        ("", '""'),
        ("No group: [a,b]", "'No group: [a,b]'"),
        ("it's", "it's"),
        ("two\nlines", "|-\n  two\n  lines"),
        ("\x1b[31m", '"\\e[31m"'),
        ("\u202e", '"\\u202E"'),
        ("\x9b", '"\\x9B"'),
        ("two\n\u202elines", '"two\\n\\u202Elines"'),
        ("two\n\x85", '"two\\n\\N"'),
        ("😀\n", '"\\U0001F600\\n"'),
    ],
)
def test_a_text_is_quoted_when_it_would_be_read_as_something_else(text: str, written: str) -> None:
    assert to_yaml({"s": text}) == f"s: {written}\n"


def test_collections_are_not_indented_below_their_key() -> None:
    value = {"l": ["a", ["b"], {"c": {}}, []], "e": [], "m": {}, "n": None, "t": True, "i": -5, "f": 1.5}
    assert to_yaml(value) == ('e: []\nf: 1.5\ni: -5\nl:\n- a\n- - b\n- c: {}\n- []\nm: {}\n"n": null\nt: true\n')


def test_keys_are_sorted_as_in_go() -> None:
    keys = ["a10", "a9", "a", "B", "_", "a/b", "a-b", "a1b", "a01b", "a1", "b"]
    assert sorted(keys, key=natural) == ["_", "B", "a", "a-b", "a/b", "a1", "a1b", "a01b", "a9", "a10", "b"]


def test_a_key_of_more_than_128_bytes_begins_with_a_question_mark() -> None:
    assert to_yaml({"k" * 128: 1}) == f"{'k' * 128}: 1\n"
    assert to_yaml({"k" * 129: 1}) == f"? {'k' * 129}\n: 1\n"


def test_json_has_sorted_keys_and_escapes_what_html_and_scripts_would_read() -> None:
    assert to_json({"b": "<a> & é\u2028", "a": []}) == (
        '{\n    "a": [],\n    "b": "\\u003ca\\u003e \\u0026 é\\u2028"\n}'
    )
    assert to_json({"b": 1, "a": {"c": [True, None]}}, indent=None) == '{"a":{"c":[true,null]},"b":1}'


texts = st.text(st.characters(exclude_categories=["Cs"]))
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@example({"\ufffe": "\uffff\n"})
@example({"\n\x85": "\n\u2028"})
@given(st.dictionaries(texts, values, max_size=4))
def test_nothing_is_lost_and_nothing_reaches_a_terminal(value: dict[str, Any]) -> None:
    assert json.loads(to_json(value)) == value
    assert not unprintable(to_json(value) + to_yaml(value))
    assert yaml.load(to_yaml(value), Loader=yaml.BaseLoader) == _as_texts(value)


def _as_texts(value: Any) -> Any:
    """What a reader sees that takes every scalar for text."""
    if isinstance(value, dict):
        return {key: _as_texts(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_as_texts(child) for child in value]
    return value if isinstance(value, str) else json.dumps(value)
