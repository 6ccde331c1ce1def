"""The grammar of kubectl's JSONPath: text -> chains of steps. Its quirks are kept: templates in use rely on them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gitops.views.jsonpath import (
    Chain,
    Field,
    Filter,
    JSONPathError,
    Keyword,
    Literal,
    Recursive,
    Slice,
    Step,
    Text,
    Union,
    Wildcard,
)

_FIELD = re.compile(r"(?:\\.|[^\s.,\[\]$@{}\\])*", re.DOTALL)
_WORD = re.compile(r"[^\s.,\[\]$@{}]*")
_NUMBER = re.compile(r"[-+]?[0-9.]*")
_SLICE = re.compile(r"(-?[0-9]*)(:-?[0-9]*)?(:-?[0-9]*)?")
_COMPARISON = re.compile(r"([^!<>=]+)([!<>=]+)(.+)", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:([abfnrtv\\'\"])|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U00[01][0-9a-fA-F]{5})")
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", "'": "'", '"': '"'}


def parse(text: str) -> list[Chain]:
    """Read a template. JSONPathError when it is none."""
    chains: list[Chain] = []
    at = 0
    while at < len(text):
        brace = text.find("{", at)
        if brace != at:
            chains.append([Text(text[at : brace if brace != -1 else None])])
            at = brace if brace != -1 else len(text)
            continue
        action = _Action(text, at + 1)
        chains.append(action.steps())
        at = action.at
    return chains


def relaxed(expression: str) -> str:
    """Return the template of a field, which people write as `{.x}`, `.x`, `{x}` or `x`. JSONPathError otherwise."""
    if not expression:
        return expression
    found = re.fullmatch(r"\{\.?([^{}]+)\}|\.?([^{}]+)", expression)
    if not found:
        forms = "a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'"
        raise JSONPathError(f"unexpected path string, expected {forms}")
    return "{." + (found[1] or found[2]) + "}"


class _Action:
    """Reads what stands in one pair of braces."""

    def __init__(self, text: str, at: int) -> None:
        self.text, self.at = text, at

    def steps(self) -> list[Step]:
        steps: list[Step] = []
        while not self._taken("}"):
            steps += self._next(steps)
        return steps

    def _next(self, before: Sequence[Step]) -> list[Step]:
        if self._taken("[?("):
            return [self._filter()]
        if self._taken(".."):
            return self._recursive(before)
        char = self._char()
        if char in ("", "\n", "\r"):
            raise JSONPathError("unclosed action")
        if char in " @$":
            return []
        if char == "[":
            return self._array()
        if char in "\"'":
            return [Text(self._quoted(char))]
        if char == ".":
            return [self._field()]
        self.at -= 1
        if char in "+-" or char.isdigit():
            return [self._number()]
        if char == "_" or char.isalpha():
            return [self._word()]
        raise JSONPathError(f"unrecognized character in action: U+{ord(char):04X} '{char}'")

    def _taken(self, token: str) -> bool:
        found = self.text.startswith(token, self.at)
        self.at += len(token) if found else 0
        return found

    def _char(self) -> str:
        self.at += 1
        return self.text[self.at - 1 : self.at]

    def _match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return found[0] if found else ""

    def _field(self) -> Step:
        name = self._match(_FIELD)
        return Wildcard() if name == "*" else Field(name.replace("\\", ""))

    def _recursive(self, before: Sequence[Step]) -> list[Step]:
        if before and isinstance(before[-1], Recursive):
            raise JSONPathError("invalid multiple recursive descent")
        following = self.text[self.at : self.at + 1]
        return [Recursive(), self._field()] if following == "_" or following.isalnum() else [Recursive()]

    def _number(self) -> Step:
        text = self._match(_NUMBER)
        try:
            return Literal(float(text) if "." in text else int(text))
        except ValueError:
            raise JSONPathError(f"cannot parse number {text}") from None

    def _word(self) -> Step:
        word = self._match(_WORD)
        return Literal(word == "true") if word in ("true", "false") else Keyword(word)

    def _quoted(self, quote: str) -> str:
        start = self.at
        while (char := self._char()) != quote or self.text[self.at - 2] == "\\":
            if char in ("", "\n"):
                raise JSONPathError("unterminated quoted string")
        return _unquoted(self.text[start : self.at - 1])

    def _array(self) -> list[Step]:
        start = self.at
        while (char := self._char()) != "]":
            if char in ("", "\n"):
                raise JSONPathError("unterminated array")
        inner = self.text[start : self.at - 1]
        parts = inner.split(",")
        return [Union([_action(f"[{part.strip(' ')}]") for part in parts])] if len(parts) > 1 else _index(inner)

    def _filter(self) -> Step:
        text = self._condition()
        found = _COMPARISON.fullmatch(text)
        return Filter(_action(found[1]), found[2], _action(found[3])) if found else Filter(_action(text))

    def _condition(self) -> str:
        """Return what stands before `)]`. One pair of quotes may hide a parenthesis."""
        start, opened, closed, pair = self.at, False, False, ""
        while (char := self._char()) != ")" or opened != closed:
            if char in ("", "\n"):
                raise JSONPathError("unterminated filter")
            if char in "\"'":
                closed = closed or (opened and char == pair and self.text[self.at - 2] != "\\")
                opened, pair = True, pair or char
        if not self._taken("]"):
            raise JSONPathError("unclosed array expect ]")
        return self.text[start : self.at - 2]


def _action(text: str) -> Chain:
    return _Action(text + "}", 0).steps()


def _index(text: str) -> list[Step]:
    if key := re.fullmatch(r"'([^']*)'", text):
        return list(_action("." + key[1]))
    found = _SLICE.fullmatch(":" if text == "*" else text)
    if not found:
        raise JSONPathError(f"invalid array index {text}")
    numbers = [int(part.lstrip(":")) if part and part.lstrip(":") else None for part in found.groups()]
    return [Slice(numbers[0], numbers[1], numbers[2], single=not found[2])]


def _unquoted(text: str) -> str:
    """Resolve the escapes of a Go string."""
    if re.search(r"\\", _ESCAPE.sub("", text)):
        raise JSONPathError(f'unquote string "{text}" error invalid syntax')
    return _ESCAPE.sub(lambda found: _ESCAPES.get(found[1]) or chr(int(found[0][2:], 16)), text)
