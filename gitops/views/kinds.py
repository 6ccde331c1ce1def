"""The kinds of objects that have a status: their names in kubectl, and the columns of their tables (Kratix's CRDs)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitops.api.meta import GROUP

Object = Mapping[str, Any]
VERSION = "v1alpha1"
CATEGORY = "kratix"  # names all kinds at once


@dataclass(frozen=True)
class Column:
    """A column of a kind's table: a field of the object, or (*condition*) of its condition Ready."""

    header: str
    path: tuple[str, ...] = ()
    condition: str = ""

    def cell(self, obj: Object) -> str:
        """Return what the column shows of *obj*; what is not there is empty."""
        if not self.path:
            ready = condition(obj, "Ready")
            return str(ready.get(self.condition) or "") if ready else ""
        value: Any = obj
        for key in self.path:
            value = value.get(key) if isinstance(value, Mapping) else None
        return "" if value is None else str(value)


@dataclass(frozen=True)
class Kind:
    """A kind of objects."""

    kind: str
    plural: str
    short: tuple[str, ...]
    namespaced: bool
    columns: tuple[Column, ...]

    @property
    def singular(self) -> str:
        return self.kind.lower()

    @property
    def resource(self) -> str:
        """The full name of the resource, as error messages spell it."""
        return f"{self.plural}.{GROUP}"

    @property
    def full_singular(self) -> str:
        """What stands before an object's name in lists of names."""
        return f"{self.singular}.{GROUP}"


_READY = Column("READY", condition="status")
_STATUS = Column("STATUS", condition="message")
_STORE = (
    Column("STATESTOREKIND", ("spec", "stateStoreRef", "kind")),
    Column("STATESTORENAME", ("spec", "stateStoreRef", "name")),
)

KINDS: Sequence[Kind] = (
    Kind("Work", "works", ("wk",), True, (_STATUS,)),
    Kind(
        "WorkPlacement",
        "workplacements",
        ("wp", "wps"),
        True,
        (Column("DESTINATION", ("spec", "targetDestinationName")), _STATUS),
    ),
    Kind("Destination", "destinations", ("dest", "dests"), False, (*_STORE, _READY)),
    Kind("GitStateStore", "gitstatestores", (), False, (_READY,)),
    Kind("BucketStateStore", "bucketstatestores", (), False, (_READY,)),
)

_BY_WORD = {word: kind for kind in KINDS for word in (kind.plural, kind.singular, *kind.short)}


def find_kind(word: str) -> Kind | None:
    """Return the kind that *word* names: plural, singular or short, `works.platform.kratix.io` and the like."""
    name, _, group = word.lower().partition(".")
    return _BY_WORD.get(name) if GROUP.startswith(group.removeprefix(f"{VERSION}.")) else None


def condition(obj: Object, kind: str) -> Mapping[str, Any] | None:
    """Return the condition of *obj* with this type."""
    status = obj.get("status")
    conditions = status.get("conditions") if isinstance(status, Mapping) else None
    found = (c for c in conditions or () if isinstance(c, Mapping) and c.get("type") == kind)
    return next(found, None)


def name_of(obj: Object) -> str:
    """Return the object's name."""
    return str(obj["metadata"]["name"])


def namespace_of(obj: Object) -> str:
    """Return the object's namespace; empty for an object of the whole cluster."""
    return str(obj["metadata"].get("namespace") or "")


def events_of(file: Object) -> list[Mapping[str, Any]]:
    """Return the events in a status file, without what is none."""
    listed = file.get("events")
    return [event for event in listed if isinstance(event, Mapping)] if isinstance(listed, list) else []


def count_of(event: Mapping[str, Any]) -> int:
    """Return how often an event happened."""
    count = event.get("count")
    return count if isinstance(count, int) else 1


def labels_of(obj: Object) -> Mapping[str, str]:
    """Return the object's labels."""
    labels = obj["metadata"].get("labels")
    return labels if isinstance(labels, Mapping) else {}
