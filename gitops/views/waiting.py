"""What `wait` waits for: `--for=condition=Ready[=False]`, `jsonpath={…}[=value]`, `create` or `delete`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gitops.errors import GitOpsError
from gitops.views.gotext import display, quote
from gitops.views.jsonpath import find
from gitops.views.jsonpath_parser import parse, relaxed
from gitops.views.kinds import Object

Met = Callable[[Object | None], bool]
"""Whether an object is as it should be; None stands for an object that is not there."""

_EXAMPLE = "--for=jsonpath='{.status.readyReplicas}'=3"


class ForError(GitOpsError):
    """`--for` cannot be read, or makes no sense for an object; the message is kubectl's."""


@dataclass(frozen=True)
class Goal:
    """What is waited for. *may_be_absent*: an object that is not there is no error, but what it is all about."""

    met: Met
    may_be_absent: bool = False


def read_for(text: str) -> Goal:
    """Return what `--for` asks for. ForError or JSONPathError, here or when it is asked about an object."""
    if text.lower() == "delete":
        return Goal(lambda obj: obj is None, may_be_absent=True)
    if text.lower() == "create":
        return Goal(lambda obj: obj is not None, may_be_absent=True)
    if text.startswith("condition="):
        kind, sign, status = text.removeprefix("condition=").partition("=")
        return Goal(_condition(kind, status if sign else "true"))
    if text.startswith("jsonpath="):
        return Goal(_jsonpath(text.removeprefix("jsonpath=")))
    raise ForError(f"unrecognized condition: {quote(text)}")


def _condition(kind: str, status: str) -> Met:
    def met(obj: Object | None) -> bool:
        body = obj.get("status") if obj else None
        conditions = body.get("conditions") if isinstance(body, dict) else None
        for found in conditions if isinstance(conditions, list) else ():
            if str(found.get("type")).casefold() == kind.casefold():
                return _up_to_date(obj, found) and str(found.get("status")).casefold() == status.casefold()
        return False

    return met


def _up_to_date(obj: Object | None, condition: dict[str, Any]) -> bool:
    """A condition that was observed on an older generation says nothing about this one."""
    generation = (obj or {})["metadata"].get("generation")
    observed = condition.get("observedGeneration", (obj or {})["status"].get("observedGeneration"))
    return not (isinstance(generation, int) and isinstance(observed, int)) or observed >= generation


def _jsonpath(text: str) -> Met:
    path, sign, wanted = _split(text)
    if not path:
        raise ForError("jsonpath expression cannot be empty")
    if sign and not wanted:
        raise ForError(f"jsonpath wait has to have a value after equal sign, like {_EXAMPLE}")
    template = parse(relaxed(path))

    def met(obj: Object | None) -> bool:
        found = [value for values in find(template, obj) for value in values] if obj else []
        return bool(found) and (not wanted or _equal(found, wanted))

    return met


def _split(text: str) -> tuple[str, str, str]:
    """Split at the equals sign after the braces, for there may be others inside."""
    start = text.rfind("}") + 1
    path, sign, wanted = text[start:].partition("=")
    return text[:start] + path, sign, wanted.strip("'\"")


def _equal(found: list[Any], wanted: str) -> bool:
    if len(found) > 1:
        raise ForError("given jsonpath expression matches more than one value")
    if isinstance(found[0], dict | list):
        raise ForError("jsonpath leads to a nested object or list which is not supported")
    return display(found[0]).strip() == wanted.strip()
