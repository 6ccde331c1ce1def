"""Objects in JSON and YAML, to the byte as kubectl writes them (Go's encoding/json and sigs.k8s.io/yaml)."""

from __future__ import annotations

import functools
import json
import math
import re
from typing import Any

import yaml

from gitops.views.escape import escape_json, unprintable

_STR = "tag:yaml.org,2002:str"
_SEQ = "tag:yaml.org,2002:seq"
_MAP = "tag:yaml.org,2002:map"
_BREAKS = re.compile("[\n\r\x85\u2028\u2029]")
_LONGEST_SIMPLE_KEY = 128  # bytes; a longer key begins with a question mark

_INTEGER = re.compile(r"[-+]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_BASE60 = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")
_TIME = r"([01]?[0-9]|2[0-3]):[0-5]?[0-9]:[0-5]?[0-9](\.[0-9]+)?"
_TIMESTAMP = re.compile(
    r"[0-9]{4}-(0?[1-9]|1[0-2])-(0?[1-9]|[12][0-9]|3[01])" + rf"([Tt]{_TIME}(Z|[-+][0-9]{{2}}:[0-9]{{2}})| {_TIME})?"
)
_WORDS = frozenset(
    form
    for word in ("y", "yes", "true", "on", "n", "no", "false", "off", "null", ".nan", ".inf", "-.inf", "+.inf")
    for form in (word, word.capitalize(), word.upper())
) | {"", "~", ".NaN", ".Inf", "-.Inf", "+.Inf"}


def to_json(value: Any, indent: int | None = 4, sort: bool = True) -> str:
    """Return *value* as JSON without a line break at the end; *indent* None: on one line; *sort*: keys in order."""
    separators = (",", ":") if indent is None else (",", ": ")
    text = json.dumps(value, ensure_ascii=False, indent=indent, sort_keys=sort, separators=separators)
    return escape_json(re.sub("[<>&]", lambda found: f"\\u{ord(found[0]):04x}", text))


def to_yaml(value: Any) -> str:
    """Return *value* as a YAML document with sorted keys, lines folded at 80 columns."""
    return str(yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False))


class _Dumper(yaml.SafeDumper):
    """PyYAML's emitter, a relative of the one in Go, with Go's own quoting, folding and order of keys."""

    open_ended = property(lambda _: False, lambda _, value: None)  # Go ends no document with "..."

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:
        return _STR if kind is yaml.ScalarNode else _MAP if kind is yaml.MappingNode else _SEQ

    def check_simple_key(self) -> bool:
        if not isinstance(self.event, yaml.ScalarEvent):
            return False
        text = self.event.value
        self.analysis = self.analysis or self.analyze_scalar(text)
        return len(text.encode()) <= _LONGEST_SIMPLE_KEY and not _BREAKS.search(text)

    def write_double_quoted(self, text: str, split: bool = True) -> None:
        self.write_indicator('"', True)
        for place, char in enumerate(text):
            inner = 0 < place < len(text) - 1
            if char == " " and split and inner and text[place - 1] != " " and self.column > self.best_width:
                self.write_indent()
                self._write("\\" if text[place + 1] == " " else "")
            else:
                short = self.ESCAPE_REPLACEMENTS.get(char)
                self._write(f"\\{short}" if short else _quoted(char))
        self.write_indicator('"', False)

    def _write(self, text: str) -> None:
        self.column += len(text)
        self.stream.write(text)


def _quoted(char: str) -> str:
    if not unprintable(char) and char != "\ufeff" and char < "\ufffe":
        return char
    code = ord(char)
    return f"\\x{code:02X}" if code < 0x100 else f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"


def _text(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    quoted = any(char > "\ufffd" or unprintable(char) for char in value) or _means_something_else(value)
    style = '"' if quoted else "|" if "\n" in value else None
    return dumper.represent_scalar(_STR, value, style=style)


def _plain(dumper: _Dumper, value: object) -> yaml.ScalarNode:
    return dumper.represent_scalar(_STR, to_json(value))


def _mapping(dumper: _Dumper, value: dict[str, Any]) -> yaml.MappingNode:
    return dumper.represent_mapping(_MAP, [(key, value[key]) for key in sorted(value, key=natural)])


_Dumper.add_representer(str, _text)
_Dumper.add_representer(dict, _mapping)
for scalar in (int, float, bool, type(None)):
    _Dumper.add_representer(scalar, _plain)


def _means_something_else(text: str) -> bool:
    """Tell whether *text* without quotes would be read as a number, a time, a truth value or nothing."""
    if text in _WORDS or _BASE60.fullmatch(text) or _TIMESTAMP.fullmatch(text):
        return True
    if text[0] not in "+-.0123456789":
        return False
    plain = re.sub("(?<=[0-9])_(?=[0-9])", "", text) if text[0] == "." else text.replace("_", "")
    if _FLOAT.fullmatch(plain):
        return math.isfinite(float(plain))
    return _INTEGER.fullmatch(plain) is not None and int(plain, 0) < 2**64


def _natural(left: str, right: str) -> int:
    at = next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), None)
    if at is None:
        return len(left) - len(right)
    a, b = left[at], right[at]
    if a.isalpha() or b.isalpha():
        return (ord(a) - ord(b)) if a.isalpha() and b.isalpha() else (-1 if b.isalpha() else 1)
    return _by_number(left, right, at) or ord(a) - ord(b)


def _by_number(left: str, right: str, at: int) -> int:
    """Compare the numbers that stand at *at*, then their lengths. A common start other than zeros counts as a digit."""
    digits = [re.compile("[0-9]*").match(text, at) for text in (left, right)]
    numbers = [found[0] if found else "" for found in digits]
    common = re.search("[0-9]*$", left[:at])
    zero = "0" in (left[at], right[at]) and common is not None and common[0].strip("0") != ""
    values = [int(("1" if zero else "") + number or "0") for number in numbers]
    return (values[0] - values[1]) or (len(numbers[0]) - len(numbers[1]))


natural = functools.cmp_to_key(_natural)
"""The order of keys in Go's YAML: letters after other signs, and numbers within by their value."""
