"""The parts of an aggregate as they were last written, cut from it by the lengths that status remembers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from gitops.core.keys import Key
from gitops.core.layout import SEPARATOR
from gitops.core.recorded import RecordedPlacement
from gitops.core.survey import Survey
from gitops.core.tree import Objects, Oid


def part_name(namespace: str, placement: str) -> str:
    """Return the name of a placement's part."""
    return f"{namespace}/{placement}"


class Parts:
    """The parts of all aggregates; each file is cut once."""

    def __init__(self, survey: Survey, objects: Objects) -> None:
        self._survey, self._objects = survey, objects
        self._cut: dict[tuple[str, Oid], dict[str, bytes]] = {}

    def one(self, destination: str, name: str, recorded: RecordedPlacement) -> bytes | None:
        """Return the part of one placement; None when its documents are not in an aggregate."""
        return self.of(destination, {name: recorded}).get(name)

    def of(self, destination: str, recorded: Mapping[str, RecordedPlacement]) -> Mapping[str, bytes]:
        """Return all parts of a Destination by name; nothing unless those *recorded* agree which file holds them."""
        sizes = self.sizes(destination)
        files = {oid for name in recorded.keys() & sizes.keys() for oid in recorded[name].inventory().values()}
        if len(files) != 1 or not all(oid in self._objects for oid in files):
            return {}
        at = (destination, files.pop())
        if at not in self._cut:
            self._cut[at] = _cut(self._objects.blob(at[1]), sizes)
        return self._cut[at]

    @cached_property
    def shared(self) -> frozenset[str]:
        """The Destinations whose placements share one file, or did when status was written."""
        written = {key.name for key, known in self._survey.objects.items() if known.recorded.sizes()}
        return frozenset(written.union(t.name for t in self._survey.targets.values() if t.aggregate))

    def sizes(self, destination: str) -> Mapping[str, int]:
        """Return the lengths of the parts, as status remembers them."""
        known = self._survey.objects.get(Key("Destination", "", destination))
        return known.recorded.sizes() if known else {}


def _cut(content: bytes, sizes: Mapping[str, int]) -> dict[str, bytes]:
    """Cut a file by the lengths of its parts; not at all when it has another, as it is no aggregate then."""
    if len(content) != sum(sizes.values()) + len(SEPARATOR) * (len(sizes) - 1):
        return {}
    found, at = {}, 0
    for name, size in sizes.items():
        found[name] = content[at : at + size]
        at += size + len(SEPARATOR)
    return found
