"""`--sort-by`: objects in the order of a field; numbers compare by value, and so do the numbers inside of texts."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Any

from gitops.views.jsonpath import JSONPathError, find
from gitops.views.jsonpath_parser import parse, relaxed
from gitops.views.kinds import Object


def sort_by(field: str, objects: Sequence[Object]) -> list[Object]:
    """Return *objects* sorted by *field*, those without it first. JSONPathError: none has it, or it is no field."""
    path = relaxed(field)
    template = parse(path)
    values: list[Any] = [_first(find(template, obj)) for obj in objects]
    if objects and all(value is None for value in values):
        raise JSONPathError(f'couldn\'t find any field with path "{path}" in the list of objects')
    order = functools.cmp_to_key(_compare)
    return [obj for _, obj in sorted(zip(values, objects, strict=True), key=lambda pair: order(pair[0]))]


def _first(results: Sequence[Sequence[Any]]) -> Any:
    return next((value for values in results for value in values), None)


def _compare(left: Any, right: Any) -> int:
    if left is None or right is None:
        return (left is not None) - (right is not None)
    if isinstance(left, str) and isinstance(right, str):
        a, b = _natural(left), _natural(right)
        return (a > b) - (a < b)
    if isinstance(left, int | float) and isinstance(right, int | float):
        return (left > right) - (left < right)
    raise JSONPathError(f"unsortable type: {type(left).__name__}")


def _natural(text: str) -> list[tuple[bool, int, str]]:
    parts = re.findall(r"[0-9]+|[^0-9]", text)
    return [(not part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]
