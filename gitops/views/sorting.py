"""`--sort-by`: objects in the order of a field; numbers compare by value, and so do the numbers inside of texts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from gitops.views.gotext import type_name
from gitops.views.jsonpath import JSONPathError, find
from gitops.views.jsonpath_parser import parse, relaxed
from gitops.views.kinds import Object


def order(field: str, objects: Sequence[Object]) -> list[int]:
    """Return the places of *objects* by their *field*, those without it first. JSONPathError: it gives no order.

    Equals keep their order; kubectl turns around what lacks the field, and with many objects shuffles them.
    """
    path = relaxed(field)
    template = parse(path)
    values = [_first(find(template, obj)) for obj in objects]
    _refuse_unsortable(path, values)
    return sorted(range(len(values)), key=lambda place: _key(values[place]))


def _first(results: Sequence[Sequence[Any]]) -> Any:
    return next((value for values in results for value in values), None)


def _refuse_unsortable(path: str, values: Sequence[Any]) -> None:
    there = [value for value in values if value is not None]
    if values and not there:
        raise JSONPathError(f'couldn\'t find any field with path "{path}" in the list of objects')
    alike = any(all(isinstance(value, kind) for value in there) for kind in (str, int | float))
    if len(there) > 1 and not alike:
        types = " and ".join(sorted(set(map(type_name, there))))
        raise JSONPathError(f"Field {path} is an unsortable type: {types}")


def _key(value: Any) -> tuple[Any, ...]:
    return () if value is None else (_natural(value) if isinstance(value, str) else value,)


def _natural(text: str) -> list[tuple[bool, int, str]]:
    parts = re.findall(r"[0-9]+|[^0-9]", text)
    return [(not part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]
