"""YAML as a stream of events, each with its place in the file; and which bytes are YAML at all.

libyaml reads it, fifty times faster than any other reader here. What it refuses is handed to ruamel.yaml, which either
reads it (it knows YAML 1.2) or says what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError as RuamelMarkedError
from ruamel.yaml.error import YAMLError as RuamelError
from ruamel.yaml.error import YAMLStreamError as RuamelStreamError

MAX_BYTES = 64 * 1024 * 1024
MAX_SLOW_CHARACTERS = 256 * 1024  # ruamel.yaml reads about as many in a second

Event = Any  # PyYAML's types allow an event without a mark; one that was parsed has it
Events = Iterator[Event]
T = TypeVar("T")

_BOM = b"\xef\xbb\xbf"
# Control characters, and the line breaks of YAML 1.1, of which no two readers make the same.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_ASCII = bytes([*b"\t\n\r", *range(0x20, 0x7F)])
_SURROGATE = re.compile("[\ud800-\udfff]")
_DIRECTIVE = re.compile("^%", re.MULTILINE)  # ruamel.yaml ignores some


class YamlError(ValueError):
    """What is wrong with a YAML file, in plain words; *line* and *column* count from 1."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(f"line {line}: {message}")
        self.message, self.line, self.column = message, line, column


class _RefusalError(YamlError):
    """libyaml does not read the file."""


def walk(raw: bytes, consume: Callable[[Events], T]) -> T:
    """Return what *consume* makes of the events of *raw*. YamlError from it, or where *raw* is no YAML.

    When libyaml refuses the file half way, *consume* is called a second time, with the events of ruamel.yaml.
    """
    text = _text(raw)
    if (not text.isascii() or raw.translate(None, _ASCII)) and (found := _FORBIDDEN.search(text)):
        code = f"{ord(found[0]):04X}"
        message = f'the character U+{code} is not allowed here: write it as "\\u{code}"'
        raise YamlError(message, *_end(text[: found.start()]))
    try:
        return consume(_fast(text))
    except _RefusalError:
        if len(text) > MAX_SLOW_CHARACTERS or _DIRECTIVE.search(text):
            raise
    return consume(_slow(text))


def walk_libyaml(raw: bytes, consume: Callable[[Events], T]) -> T:
    """Return what *consume* makes of the events of *raw*, read as YAML 1.1 by libyaml alone.

    So do the agents: Go's YAML is libyaml, translated.
    """
    return consume(_fast(_text(raw)))


def _text(raw: bytes) -> str:
    if len(raw) > MAX_BYTES:
        raise YamlError(f"the file has {len(raw)} bytes; at most {MAX_BYTES} are read", 1, 1)
    body = raw.removeprefix(_BOM)
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        place = _end(body[: error.start].decode("utf-8"))
        raise YamlError("this is not UTF-8: save the file in that encoding", *place) from None


def _end(before: str) -> tuple[int, int]:
    """Return line and column of what comes after the text *before*."""
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def _fast(text: str) -> Events:
    try:
        yield from iter(yaml.CSafeLoader(text).get_event, None)
    except yaml.YAMLError as error:
        raise _RefusalError(*_plain_words(error)) from None


def _slow(text: str) -> Events:
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            yield _translated(event)
    except (RuamelError, RuamelStreamError) as error:
        raise YamlError(*_plain_words(error)) from None


def _plain_words(error: Exception) -> tuple[str, int, int]:
    """Return message, line and column of an error of either library."""
    if not isinstance(error, yaml.MarkedYAMLError | RuamelMarkedError):
        return str(error).splitlines()[0], 1, 1
    message, mark = str(error.problem), error.problem_mark or error.context_mark
    if error.context:
        begin = f" that begins in line {error.context_mark.line + 1}" if error.context_mark else ""
        message = f"{message}, {error.context}{begin}"
    return (message, mark.line + 1, mark.column + 1) if mark else (message, 1, 1)


def _translated(event: Any) -> Event:
    """Return an event of ruamel.yaml as one of PyYAML."""
    name, marks = type(event).__name__, (event.start_mark, event.end_mark)
    match name:
        case "ScalarEvent":
            return yaml.ScalarEvent(event.anchor, event.tag, event.implicit, _joined(event), *marks, event.style)
        case "AliasEvent":
            return yaml.AliasEvent(event.anchor, *marks)
        case "SequenceStartEvent" | "MappingStartEvent":
            return getattr(yaml, name)(event.anchor, event.tag, event.implicit, *marks)
        case "DocumentStartEvent":
            return yaml.DocumentStartEvent(*marks, event.explicit, event.version, event.tags)
        case _:
            return getattr(yaml, name)(*marks)


def _joined(event: Any) -> str:
    """Return a scalar's text with pairs of surrogates, as JSON escapes have them, made one character."""
    text: str = event.value
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16") if _SURROGATE.search(text) else text
    except UnicodeDecodeError:
        mark = event.start_mark
        raise YamlError("half a surrogate pair is no character", mark.line + 1, mark.column + 1) from None
