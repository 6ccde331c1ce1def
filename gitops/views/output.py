"""The `-o` forms other than tables: YAML, JSON, names, JSONPath and columns of one's own."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gitops.errors import GitOpsError
from gitops.views.escape import escape
from gitops.views.gotext import display
from gitops.views.jsonpath import Chain, JSONPathError, explain, find, print_results
from gitops.views.jsonpath_parser import parse, relaxed
from gitops.views.kinds import Kind, Object, name_of
from gitops.views.serialise import to_json, to_yaml
from gitops.views.table import writer

FORMS = ("custom-columns", "json", "jsonpath", "jsonpath-as-json", "name", "wide", "yaml")
TABLES = ("", "wide")
_WITH_ARGUMENT = ("custom-columns", "jsonpath", "jsonpath-as-json")
_ANY_CASE = ("json", "name", "yaml")  # as in kubectl, which takes the others as they are


class OutputError(GitOpsError):
    """The form is unknown or cannot be filled; the message is kubectl's."""


@dataclass(frozen=True)
class Found:
    """An object with its kind."""

    kind: Kind
    obj: Object


Printer = Callable[[Sequence[Found], bool], str]


def printer(form: str, headers: bool = True, allowed: Sequence[str] = FORMS) -> Printer:
    """Return what prints objects in *form*, call after call. OutputError.

    Its second argument says whether one object stands alone, or all of them are printed as a List.
    """
    name, given, argument = form.partition("=")
    name = name.lower() if name.lower() in _ANY_CASE else name
    if name not in allowed or (given and name not in _WITH_ARGUMENT):
        forms = ",".join(allowed)
        raise OutputError(
            f'unable to match a printer suitable for the output format "{form}", allowed formats are: {forms}'
        )
    if name in ("jsonpath", "jsonpath-as-json"):
        if not argument:
            raise OutputError("template format specified but no template given")
        return _jsonpath(argument, as_json=name == "jsonpath-as-json")
    if name == "custom-columns":
        return _custom_columns(argument, headers)
    if name == "yaml":
        return _yaml()
    return _json if name == "json" else _names


def whole(found: Sequence[Found], alone: bool) -> Object:
    """Return what a template works on: the object, or a List of all."""
    if alone:
        return found[0].obj
    return {
        "apiVersion": "v1",
        "items": [each.obj for each in found],
        "kind": "List",
        "metadata": {"resourceVersion": ""},
    }


def _json(found: Sequence[Found], alone: bool) -> str:
    return to_json(whole(found, alone)) + "\n"


def _yaml() -> Printer:
    separator = itertools.chain([""], itertools.repeat("---\n"))
    return lambda found, alone: next(separator) + to_yaml(whole(found, alone))


def _names(found: Sequence[Found], alone: bool) -> str:
    return "".join(f"{escape(each.kind.full_singular)}/{escape(name_of(each.obj))}\n" for each in found)


def print_jsonpath(text: str, value: Object, as_json: bool) -> str:
    """Return what the template *text* prints of *value*. OutputError."""
    template = _template(text)
    try:
        results = find(template, value)
    except JSONPathError as error:
        raise OutputError(explain(text, error, value)) from error
    return "".join(to_json(values) + "\n" for values in results) if as_json else escape(print_results(results))


def _jsonpath(text: str, as_json: bool) -> Printer:
    _template(text)  # so that it is refused before anything is printed
    return lambda found, alone: print_jsonpath(text, whole(found, alone), as_json)


def _custom_columns(spec: str, headers: bool) -> Printer:
    if not spec:
        raise OutputError("custom-columns format specified but no custom columns given")
    parts = [part.partition(":") for part in spec.split(",")]
    for part in parts:
        if not part[1]:
            raise OutputError(f"unexpected custom-columns spec: {''.join(part)}, expected <header>:<json-path-expr>")
    templates = [parse(relaxed(path)) for _, _, path in parts]
    layout, pending = writer(), ["\t".join(header for header, _, _ in parts)] if headers else []

    def show(found: Sequence[Found], alone: bool) -> str:
        lines = [*pending, *("\t".join(_column(template, each.obj) for template in templates) for each in found)]
        pending.clear()
        return layout.lay_out(escape("".join(f"{line}\n" for line in lines)))

    return show


def _column(template: Sequence[Chain], obj: Object) -> str:
    values = [value for values in find(template, obj) for value in values]
    return ",".join(map(display, values)) or "<none>"


def _template(text: str) -> Sequence[Chain]:
    try:
        return parse(text)
    except JSONPathError as error:
        raise OutputError(f"error parsing jsonpath {text}, {error}") from error
