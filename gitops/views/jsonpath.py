"""kubectl's dialect of JSONPath: what a template finds in an object, and how it prints.

A template is text with actions in braces. An action is a chain of steps; each step turns the values found so far into
the next ones. See https://kubernetes.io/docs/reference/kubectl/jsonpath/.
"""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitops.errors import GitOpsError
from gitops.views.gotext import display, quote, source, type_name
from gitops.views.serialise import to_json

Values = list[Any]


class JSONPathError(GitOpsError):
    """The template cannot be read, or makes no sense for this object; the message is kubectl's."""


class Step(ABC):
    """One step of a chain."""

    @abstractmethod
    def walk(self, values: Values) -> Values:
        """Return what this step finds in each of *values*; a field that is missing is no error."""


Chain = Sequence[Step]


@dataclass(frozen=True)
class Text(Step):
    """Text outside of braces, or in quotes."""

    text: str

    def walk(self, values: Values) -> Values:
        return [self.text]


@dataclass(frozen=True)
class Literal(Step):
    """A number or a truth value."""

    value: float | bool

    def walk(self, values: Values) -> Values:
        return [self.value for _ in values]


@dataclass(frozen=True)
class Keyword(Step):
    """`range` or `end`: what is between them is printed once for each value of the range."""

    name: str

    def walk(self, values: Values) -> Values:
        if self.name not in ("range", "end"):
            raise JSONPathError(f"unrecognized identifier {self.name}")
        return values


@dataclass(frozen=True)
class Field(Step):
    """`.name`."""

    name: str

    def walk(self, values: Values) -> Values:
        return [value[self.name] for value in values if isinstance(value, Mapping) and self.name in value]


@dataclass(frozen=True)
class Wildcard(Step):
    """`.*`: all values of an object or a list."""

    def walk(self, values: Values) -> Values:
        return [child for value in values for child in _children(value)]


@dataclass(frozen=True)
class Recursive(Step):
    """`..`: the value and all objects, lists and texts below it."""

    def walk(self, values: Values) -> Values:
        return [found for value in values for found in _branches(value)]


@dataclass(frozen=True)
class Slice(Step):
    """`[start:stop:step]`; *single* is `[start]`."""

    start: int | None
    stop: int | None
    step: int | None
    single: bool

    def walk(self, values: Values) -> Values:
        return [found for value in values if value is not None for found in self._of(value)]

    def _of(self, value: Any) -> Values:
        if not isinstance(value, list):
            raise JSONPathError(f"{type_name(value)} is not array or slice")
        length = len(value)
        start = self.start or 0
        stop = start + 1 if self.single else length if self.stop is None else self.stop
        start += length if start < 0 else 0
        stop += length if stop < 0 or (stop == 0 and self.single) else 0
        if start == stop:
            return []
        for index, outside in ((start, not 0 <= start < length), (stop - 1, not 0 <= stop <= length)):
            if outside:
                raise JSONPathError(f"array index out of bounds: index {index}, length {length}")
        if start > stop:
            raise JSONPathError(f"starting index {start} is greater than ending index {stop}")
        if self.step is not None and self.step <= 0:
            raise JSONPathError("step must be > 0")
        return value[start : stop : self.step]


@dataclass(frozen=True)
class Union(Step):
    """`[a,b]`: what each of the chains finds, one after the other."""

    chains: Sequence[Chain]

    def walk(self, values: Values) -> Values:
        return [found for chain in self.chains for found in follow(chain, values)]


_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Filter(Step):
    """`[?(left operator right)]`, or `[?(left)]`: the items for which it holds."""

    left: Chain
    operator: str = "exists"
    right: Chain = ()

    def walk(self, values: Values) -> Values:
        return [item for value in values for item in self._items(value) if self._holds(item)]

    def _items(self, value: Any) -> Sequence[Any]:
        if not isinstance(value, list):
            raise JSONPathError(f"{display(value)} is not array or slice and cannot be filtered")
        return value

    def _holds(self, item: Any) -> bool:
        if self.operator == "exists":
            return bool(follow(self.left, [item]))
        sides = [follow(chain, [item]) for chain in (self.left, self.right)]
        if any(len(side) > 1 for side in sides):
            raise JSONPathError("can only compare one element at a time")
        return all(sides) and self._compare(sides[0][0], sides[1][0])

    def _compare(self, left: Any, right: Any) -> bool:
        if self.operator not in _COMPARE:
            raise JSONPathError(f"unrecognized filter operator {self.operator}")
        if any(value is None or isinstance(value, Mapping | list) for value in (left, right)):
            raise JSONPathError("invalid type for comparison")
        if type(left) is not type(right):
            raise JSONPathError("incompatible types for comparison")
        return _COMPARE[self.operator](left, right)


def follow(chain: Chain, values: Values) -> Values:
    """Return what *chain* finds from *values* on."""
    for step in chain:
        values = step.walk(values)
    return values


def find(template: Sequence[Chain], value: Any) -> list[Values]:
    """Return what each action of *template* finds in *value*, in the order of printing."""
    results, _ = _block(template, 0, value, inside=False)
    return results


def print_results(results: Sequence[Values]) -> str:
    """Return the text that a template prints."""
    return "".join(" ".join(map(_printed, values)) for values in results)


def explain(text: str, error: JSONPathError, value: Any) -> str:
    """Return kubectl's message about a template that makes no sense for *value*."""
    return (
        f"error executing jsonpath {quote(text)}: Error executing template: {error}. "
        "Printing more information for debugging the template:\n"
        f"\ttemplate was:\n\t\t{text}\n\tobject given to jsonpath engine was:\n\t\t{source(value)}\n\n"
    )


def _block(template: Sequence[Chain], at: int, value: Any, inside: bool) -> tuple[list[Values], int | None]:
    """Return what is found up to the end of this range, and the place after the last `end` that was met.

    What follows a range without an `end` is in the range, and comes once more after it: so does kubectl.
    """
    results: list[Values] = []
    ended = None
    while at < len(template):
        chain, at = template[at], at + 1
        found = follow(chain, [value])
        words = [step.name for step in chain if isinstance(step, Keyword)]
        if "end" in words:
            if not inside:
                raise JSONPathError("not in range, nothing to end")
            return results, at
        if "range" in words:
            blocks = [_block(template, at, item, inside=True) for item in found or [None]]
            results += [values for block, _ in blocks if found for values in block]
            ended = blocks[-1][1] or ended
            at = blocks[-1][1] or at
        else:
            results.append(found)
    return results, ended


def _printed(value: Any) -> str:
    return to_json(value, indent=None) if value is None or isinstance(value, Mapping | list) else display(value)


def _children(value: Any) -> Values:
    if isinstance(value, Mapping):
        return [value[key] for key in sorted(value)]
    return value if isinstance(value, list) else []


def _branches(value: Any) -> Iterator[Any]:
    if value and isinstance(value, Mapping | list | str):  # in Go a text has children too: its bytes
        yield value
        for child in _children(value):
            yield from _branches(child)
