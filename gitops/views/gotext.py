"""Go's ways with text: values of JSON as its fmt prints them (`%v`, `%#v`, `%T`), and durations."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(h|ms|m|s|us|µs|ns)")
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


def type_name(value: Any) -> str:
    """Return the type of *value* as `%T` prints it."""
    if isinstance(value, Mapping):
        return "map[string]interface {}"
    return {str: "string", bool: "bool", int: "int64", list: "[]interface {}"}.get(type(value), "float64")


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


def seconds(text: str) -> float | None:
    """Read a duration such as `30s` or `1m30s`; return seconds, None when it is none."""
    parts = _DURATION.findall(text)
    if not parts or "".join(map("".join, parts)) != text:
        return None
    return sum(float(value) * _UNITS[unit] for value, unit in parts)
