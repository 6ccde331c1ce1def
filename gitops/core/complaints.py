"""What pydantic finds wrong with an object, in the words of Kubernetes: the field, what was expected, what is there."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

Path = tuple[str | int, ...]

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_OF_KEY = "[key]"  # how pydantic marks that it means the key of a mapping
_EXPECTED = {
    "string_type": "a string",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "model_type": "an object",
    "dict_type": "an object",
    "mapping_type": "an object",
    "tuple_type": "a list",
    "list_type": "a list",
}


class Complaint(NamedTuple):
    """What is wrong at *path*. *quotable*: it would be right as a string; *of_key*: the key is wrong, not its value."""

    path: Path
    message: str
    quotable: bool = False
    of_key: bool = False


def complaints(error: ValidationError, model: type[BaseModel]) -> Iterator[Complaint]:
    """Yield all that *error* says about an object of *model*."""
    for details in error.errors(include_url=False):
        yield _complaint(details, model)


def _complaint(details: ErrorDetails, model: type[BaseModel]) -> Complaint:
    path, found = details["loc"], details["input"]
    of_key = path[-1:] == (_OF_KEY,)
    path = path[:-1] if of_key else path
    match details["type"]:
        case "missing":
            return Complaint(path, _about(path, "required"))
        case "extra_forbidden":
            known = suggestion(str(path[-1]), _fields(model, path[:-1]))
            return Complaint(path, f'unknown field "{field(path)}"{known}', of_key=True)
        case "literal_error":
            return Complaint(path, _about(path, _choice(details["ctx"]["expected"], found)))
        case "value_error":
            return Complaint(path, _about(path, str(details["ctx"]["error"])), of_key=of_key)
        case kind if kind in _EXPECTED:
            quotable = kind == "string_type" and isinstance(found, bool | int | float)
            message = f"expected {_EXPECTED[kind]}, found {describe(found)}"
            return Complaint(path, _about(path, message), quotable, of_key)
        case _:
            return Complaint(path, _about(path, details["msg"]), of_key=of_key)


def _about(path: Path, message: str) -> str:
    return f"{field(path)}: {message}" if path else message


def field(path: Path) -> str:
    """Return a path as Kubernetes writes it: `spec.workloadGroups[0].id`."""
    parts = [f".{key}" if _PLAIN_KEY.fullmatch(str(key)) else f"[{_quoted(key)}]" for key in path]
    return "".join(parts).removeprefix(".")


def _quoted(key: str | int) -> str:
    return str(key) if isinstance(key, int) else f'"{key}"'


def describe(value: Any) -> str:
    """Return what a value is, in a word or two."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return f'"{value}"'
        case list() | tuple():
            return "a list"
        case _:
            return "an object"


def suggestion(word: str, known: list[str]) -> str:
    """Return the hint to the known word that was probably meant, or nothing."""
    by_lower = {name.lower(): name for name in known}
    close = difflib.get_close_matches(word[:64].lower(), by_lower, n=1)
    return f' (did you mean "{by_lower[close[0]]}"?)' if close else ""


def _choice(expected: str, found: Any) -> str:
    choices = re.findall(r"'([^']*)'", expected)
    hint = suggestion(found, choices) if isinstance(found, str) else ""
    return f"expected {expected.replace(chr(39), '')}, found {describe(found)}{hint}"


def _fields(model: type[BaseModel], path: Path) -> list[str]:
    """Return the names that the fields of the object at *path* have in files."""
    here: type[BaseModel] | None = model
    for key in path:
        if isinstance(key, str) and here:
            here = next((_model(f.annotation) for f in here.model_fields.values() if f.alias == key), None)
    return [field.alias or name for name, field in here.model_fields.items()] if here else []


def _model(annotation: Any) -> type[BaseModel] | None:
    """Return the model that is in an annotation such as `tuple[Model, ...] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model(part))), None)
