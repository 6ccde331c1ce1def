"""What one status file remembers of an object, untrusted: what cannot be read as meant is as if it were not there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from gitops.api.meta import branch_name
from gitops.api.status import Condition, Status
from gitops.core import conditions, paths, urls
from gitops.core.tree import Oid

REMOVED = "the definition was removed in"
_HEX = re.compile(r"[0-9a-f]{40}")

Inventories = Mapping[str, Mapping[str, Oid]]
"""Files by branch and path."""


@dataclass(frozen=True)
class Recorded:
    """An object as its status file remembers it; all empty when there is none."""

    status: Status | None = None

    def condition(self, kind: str) -> Condition | None:
        """Return the condition of this type."""
        return self.status.condition(kind) if self.status else None

    @property
    def removed(self) -> bool:
        """Whether the removal of its definition was recorded."""
        ready = self.condition(conditions.READY)
        return ready is not None and ready.message.startswith(REMOVED)

    def text(self, name: str) -> str:
        """Return a text among the fields of `status`, or ""."""
        found = self.status.extra.get(name) if self.status else None
        return found if isinstance(found, str) else ""

    def branch(self, home: str) -> str:
        """Return the branch that its documents are on: *home* unless another is recorded."""
        return self.text("branch") or home

    def commit(self, name: str) -> Oid | None:
        """Return an object id among the fields of `status`."""
        found = self.text(name)
        return bytes.fromhex(found) if _HEX.fullmatch(found) else None

    def inventory(self) -> Mapping[str, Oid]:
        """Return the files that were written, by their path in the branch; unsafe paths are left out."""
        return self._inventory if self.status else {}

    @cached_property
    def _inventory(self) -> Mapping[str, Oid]:
        return _inventory(self.status.extra.get("inventory") if self.status else None)

    def superseded(self) -> Inventories:
        """Return the files that a move left in other branches and that are still to be removed, by branch."""
        found = self.status.extra.get("superseded") if self.status else None
        return {b: _inventory(i) for b, i in found.items() if isinstance(b, str)} if isinstance(found, Mapping) else {}

    def branches(self) -> set[str]:
        """Return the branches named here, on which documents stand or stood; what is no branch name is left out."""
        return {name for name in (self.text("branch"), *self.superseded()) if _is_branch(name)}

    def sizes(self) -> Mapping[str, int]:
        """Return the lengths in bytes of an aggregate's parts, in their order."""
        return self._sizes

    @cached_property
    def _sizes(self) -> Mapping[str, int]:
        found = self.status.extra.get("parts") if self.status else None
        items = found.items() if isinstance(found, Mapping) else ()
        return {k: v for k, v in items if isinstance(k, str) and type(v) is int and v >= 0}


def _is_branch(name: str) -> bool:
    """Whether *name* is that of a branch, here or elsewhere, in its one spelling."""
    address, branch = urls.split_branch(name)
    try:
        return bool(branch_name(branch)) and (not address or urls.canonical(address) == address)
    except ValueError:
        return False


def _inventory(found: Any) -> dict[str, Oid]:
    items = found.items() if isinstance(found, Mapping) else ()
    return {
        path: bytes.fromhex(oid)
        for path, oid in items
        if isinstance(path, str) and isinstance(oid, str) and _HEX.fullmatch(oid) and not paths.check(path)
    }


@dataclass(frozen=True)
class RecordedPlacement(Recorded):
    """A WorkPlacement as its status file remembers it."""

    @classmethod
    def on(cls, destination: str) -> RecordedPlacement:
        """Return a placement of which nobody remembers more than its *destination*."""
        return cls(Status("WorkPlacement", "", spec={"targetDestinationName": destination}))

    @property
    def group(self) -> str:
        return self._spec("id")

    @property
    def destination(self) -> str:
        return self._spec("targetDestinationName")

    @property
    def promise(self) -> str:
        return self._spec("promiseName")

    @property
    def resource(self) -> str:
        return self._spec("resourceName")

    @property
    def misplaced(self) -> bool:
        """Whether its Destination was found to match no more."""
        scheduled = self.condition(conditions.SCHEDULED)
        return scheduled is not None and scheduled.status == "False"

    def _spec(self, name: str) -> str:
        found = self.status.spec.get(name) if self.status else None
        return found if isinstance(found, str) else ""


UNRECORDED = RecordedPlacement()


@dataclass(frozen=True)
class RecordedWork(Recorded):
    """A Work and its placements, as their status files remember them; placements by name."""

    placements: Mapping[str, RecordedPlacement] = field(default_factory=dict)

    def placement(self, name: str) -> RecordedPlacement:
        """Return what is recorded of a placement; nothing when it is new."""
        return self.placements.get(name, UNRECORDED)
