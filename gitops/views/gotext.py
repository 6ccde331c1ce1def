"""Values of JSON as Go's fmt prints them: `%v` where kubectl shows them to people, `%#v` where it debugs a template."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

_SHORT = {"\a": "a", "\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t", "\v": "v", '"': '"', "\\": "\\"}


def display(value: Any) -> str:
    """Return *value* as `%v` prints it."""
    match value:
        case str():
            return value
        case None:
            return "<nil>"
        case Mapping():
            return "map[" + " ".join(f"{key}:{display(value[key])}" for key in sorted(value)) + "]"
        case Sequence():
            return "[" + " ".join(map(display, value)) + "]"
        case _:
            return json.dumps(value)


def source(value: Any) -> str:
    """Return *value* as `%#v` prints it."""
    match value:
        case str():
            return quote(value)
        case None:
            return "interface {}(nil)"
        case Mapping():
            pairs = ", ".join(f"{quote(key)}:{source(value[key])}" for key in sorted(value))
            return "map[string]interface {}{" + pairs + "}"
        case Sequence():
            return "[]interface {}{" + ", ".join(map(source, value)) + "}"
        case _:
            return json.dumps(value)


def quote(text: str) -> str:
    """Return *text* in double quotes, as `%q` prints it."""
    return '"' + "".join(map(_quoted, text)) + '"'


def _quoted(char: str) -> str:
    if char in _SHORT:
        return "\\" + _SHORT[char]
    if char.isprintable():
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
