"""What `-l` and `--field-selector` choose: the grammar of Kubernetes' label and field selectors."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NoReturn

from gitops.views.gotext import quote
from gitops.views.kinds import Object, labels_of, name_of, namespace_of

Predicate = Callable[[Object], bool]

_TOKEN = re.compile(r"\s*([(),]|==|=|!=|!|<|>|[^\s(),=!<>]+)")
_KEY = re.compile(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_OPERATORS = "in, notin, =, ==, !=, gt, lt"


class SelectorError(Exception):
    """The selector cannot be read; the message is that of Kubernetes."""


def by_labels(selector: str) -> Predicate:
    """Return what tells whether an object's labels match `a=b,c!=d,e in (f,g),h,!i`. SelectorError."""
    requirements = _Requirements(selector).all()
    return lambda obj: all(requirement(labels_of(obj)) for requirement in requirements)


def by_fields(selector: str) -> Predicate:
    """Return what tells whether an object matches `metadata.name=x`. SelectorError for what is no field of it."""
    terms = [_field_term(term) for term in selector.split(",") if term]
    return lambda obj: all(term(obj) for term in terms)


def _field_term(term: str) -> Predicate:
    found = re.fullmatch(r"(.*?)(!=|==|=)(.*)", term)
    if not found:
        raise SelectorError(f"invalid selector: '{term}'; can't understand '{term}'")
    name, sign, wanted = found.groups()
    if name not in ("metadata.name", "metadata.namespace"):
        raise SelectorError(f"field label not supported: {name}")
    read = name_of if name == "metadata.name" else namespace_of
    return lambda obj: (read(obj) == wanted) == (sign != "!=")


Requirement = Callable[[Mapping[str, str]], bool]
"""Whether labels meet one term of a label selector."""


class _Requirements:
    """Reads a label selector from left to right."""

    def __init__(self, selector: str) -> None:
        self.tokens = _TOKEN.findall(selector)
        self.at = 0

    def all(self) -> list[Requirement]:
        requirements: list[Requirement] = []
        while self._peek():
            requirements.append(self._requirement())
            if self._peek() and self._next() != ",":
                self._fail(self.tokens[self.at - 1], "',' or 'end of string'")
            if not self._peek() and self.tokens[self.at - 1] == ",":
                self._fail("", "identifier after ','")
        return requirements

    def _requirement(self) -> Requirement:
        if self._peek() == "!":
            self._next()
            key = self._key()
            return lambda labels: key not in labels
        key = self._key()
        if self._peek() in ("", ","):
            return lambda labels: key in labels
        sign = self._next()
        if sign in ("in", "notin"):
            values, wanted = self._values(), sign == "in"
            return lambda labels: (labels.get(key) in values) == wanted
        if sign in ("=", "==", "!="):
            value, equal = self._value(), sign != "!="
            return lambda labels: (labels.get(key) == value) == equal
        if sign not in ("<", ">"):
            self._fail(sign, _OPERATORS)
        return _comparison(key, sign, self._value())

    def _key(self) -> str:
        key = self._next()
        if key in ("", "(", ")", ",", "=", "==", "!=", "<", ">"):
            self._fail(key, "identifier")
        if not _KEY.fullmatch(key):
            raise SelectorError(
                f"unable to parse requirement: <nil>: Invalid value: {quote(key)}: name part is invalid"
            )
        return key

    def _value(self) -> str:
        if self._peek() in ("", ","):
            return ""
        value = self._next()
        if value in ("(", ")", "=", "==", "!=", "!", "<", ">"):
            self._fail(value, "identifier")
        if not _VALUE.fullmatch(value):
            raise SelectorError(
                f"unable to parse requirement: values: Invalid value: {quote(value)}: not a label value"
            )
        return value

    def _values(self) -> list[str]:
        if (opening := self._next()) != "(":
            self._fail(opening, "'('")
        values = []
        while True:
            values.append("" if self._peek() in (",", ")") else self._value())
            closing = self._next()
            if closing == ")":
                return values
            if closing != ",":
                self._fail(closing, "',' or ')'")

    def _peek(self) -> str:
        return str(self.tokens[self.at]) if self.at < len(self.tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self.at += 1
        return token

    def _fail(self, found: str, expected: str) -> NoReturn:
        raise SelectorError(f"unable to parse requirement: found '{found}', expected: {expected}")


def _comparison(key: str, sign: str, value: str) -> Requirement:
    try:
        limit = int(value)
    except ValueError:
        raise SelectorError(
            f"unable to parse requirement: values[0]: Invalid value: {quote(value)}: "
            "for 'Gt', 'Lt' operators, the value must be an integer"
        ) from None

    def holds(labels: Mapping[str, str]) -> bool:
        found = labels.get(key, "")
        if not re.fullmatch(r"[-+]?[0-9]+", found):
            return False
        return int(found) > limit if sign == ">" else int(found) < limit

    return holds
