"""What a line of plain block-style YAML says, whatever stands around it: `key: value`, `- value`, `- key: value`.

Certain are only: keys and values on one line (plain, quoted, or a short flow collection of such), `|` and `|-`, empty
lines, comments on a line of their own, and `---`. In doubt is all the rest, such as anchors, tags, `>`, a quote that
is not closed, a comment or a blank behind a value, and a key that is no string. A line is read once for all the files
that have it: those of one kind consist of the same few.
"""

from __future__ import annotations

import re
from json import loads
from typing import Any

from gitops.core.yaml.memo import Memo
from gitops.core.yaml.scalars import Scalar, resolve

Line = tuple[int, tuple[int, ...], str | None, int, Any]
"""Rank, ranks of what begins inside this line, key (None for the item of a list), kind of value, value.

The rank orders lists and mappings by their columns: twice the column, and one more for a list, as it may stand in the
column of the mapping around it.
"""

SCALAR, NOTHING, COLLECTION, CLIPPED, STRIPPED = range(5)
"""The kinds of values: COLLECTION has a type and the content to call it with; CLIPPED is `|` and STRIPPED `|-`."""

BLANK, SEPARATOR = -1, -2
"""Ranks of lines without a place in the tree."""

MAX_NODES = 5
"""Nodes in a line, without the content of a flow collection."""

_KEY_LENGTH = 200  # readers look 1,024 characters ahead for the colon
_INDICATORS = r"""\t \-?:,\[\]{}#&*!|>'"%@`"""
_REST = r"[^\t:#]*(?:(?::(?! |\Z)|(?<! )#)[^\t:#]*)*(?<! )"
_DOUBLE = r'"[^"\\\t]*(?:\\(?:["\\nrt]|u(?![dD])[0-9a-fA-F]{4})[^"\\\t]*)*"'
_SINGLE = r"'[^'\t]*(?:''[^'\t]*)*'"
_WORD = rf"""[A-Za-z0-9_./][A-Za-z0-9_./-]*|{_SINGLE}|"[^"\\\t]*\""""
_PAIR = rf"(?:{_WORD}): +(?:{_WORD})"

_PLAIN = re.compile(rf"(?:[^{_INDICATORS}]|-(?![ \t]|\Z)){_REST}").fullmatch
_QUOTED = re.compile(f"{_DOUBLE}|{_SINGLE}")
_HEAD = re.compile(rf"( *)((?:- +){{0,2}})(?!\.\.\.)([^{_INDICATORS}<=]{_REST}|{_DOUBLE}|{_SINGLE})")
_ITEM = re.compile(r"( *)((?:- +){1,2})([^ ].*)")
_WORDS = re.compile(rf"\[(?:(?:{_WORD})(?:, *(?:{_WORD}))*)?\]")
_PAIRS = re.compile(rf"\{{ *(?:{_PAIR}(?:, *{_PAIR})*)? *\}}")
_EACH_WORD = re.compile(_WORD)
_COMMENT = re.compile(r" *#[^\t]*")


class Doubt(Exception):  # noqa: N818 - no error: a whole reader of YAML goes on
    """What this says is not certain."""


def _read(text: str) -> Line:
    head, colon, tail = text.partition(": ")
    if colon and (found := _HEADS[head]):
        rank, inner, key = found
        return (rank, inner, key, SCALAR, resolve(tail)) if _PLAIN(tail) else (rank, inner, key, *_value(tail))
    if text.endswith(":") and (found := _HEADS[text[:-1]]):
        return (*found, NOTHING, None)
    if item := _ITEM.fullmatch(text):
        outer, *others = _dashes(item)
        return (outer, tuple(others), None, *_value(item[3]))
    if text == "---":
        return (SEPARATOR, (), None, NOTHING, None)
    if not text or _COMMENT.fullmatch(text):
        return (BLANK, (), None, NOTHING, None)
    raise Doubt


def _read_head(text: str) -> tuple[int, tuple[int, ...], str] | None:
    match = _HEAD.fullmatch(text)
    if not match or len(match[3]) > _KEY_LENGTH:
        return None
    key = _quoted(match[3]) if match[3][0] in "\"'" else resolve(match[3])
    if not isinstance(key, str) or key == "<<":
        return None
    rank, *inner = *_dashes(match), 2 * match.end(2)
    return rank, tuple(inner), key


def _dashes(match: re.Match[str]) -> list[int]:
    """Return the rank of each list that has an item in a line."""
    begin, end = match.span(2)
    return [2 * column + 1 for column in range(begin, end) if match.string[column] == "-"]


def _value(text: str) -> tuple[int, Any]:
    text = text.lstrip(" ")
    if _PLAIN(text):
        return SCALAR, resolve(text)
    if _QUOTED.fullmatch(text):
        return SCALAR, _quoted(text)
    if text == "|":
        return CLIPPED, None
    if text == "|-":
        return STRIPPED, None
    return COLLECTION, _collection(text)


def _quoted(text: str) -> str:
    if text[0] == "'":
        return text[1:-1].replace("''", "'")
    found: str = loads(text) if "\\" in text else text[1:-1]
    return found


def _collection(text: str) -> tuple[type[list[Any]] | type[dict[str, Any]], tuple[Any, ...]]:
    if len(text) > _KEY_LENGTH:
        raise Doubt
    if _WORDS.fullmatch(text):
        return list, tuple(_word(word) for word in _EACH_WORD.findall(text))
    if not _PAIRS.fullmatch(text):
        raise Doubt
    words = [_word(word) for word in _EACH_WORD.findall(text)]
    keys, values = words[::2], words[1::2]
    if len(set(keys)) < len(keys) or not all(isinstance(key, str) and key != "<<" for key in keys):
        raise Doubt
    return dict, tuple(zip(keys, values, strict=True))


def _word(text: str) -> Scalar:
    return _quoted(text) if text[0] in "\"'" else resolve(text)


_HEADS = Memo(_read_head)
KNOWN = Memo(_read)
"""Lines and what they say. Doubt when that is not certain."""
