"""Where placements were, when all status is lost: read back from the documents, and from what the log says of them.

In mode `nestedByMetadata` a group's directory on a Destination is the placement, unless the log says that another Work
had it made: those of one promise may want directories of one name. In the other modes the log must name the
Destination, and the documents, or the aggregate, must still stand there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

from gitops.api.destination import AGGREGATED, NESTED
from gitops.core import layout
from gitops.core.documents import TEMPLATE, Group
from gitops.core.keys import Key
from gitops.core.outline import Outline
from gitops.core.paths import join
from gitops.core.targets import Target
from gitops.core.tree import Objects, Oid, lookup, subtree


class Logged(NamedTuple):
    """What the log of a branch tells: the Destinations of each Work, and the Works that each place was written for.

    Those `writers` are several where one commit was made for all Works of a pass.
    """

    destinations: Mapping[Key, Collection[str]] = MappingProxyType({})
    writers: Mapping[str, Collection[Key]] = MappingProxyType({})


_SILENT = Logged()


@dataclass(frozen=True)
class Traces:
    """What tells of placements without any status: the trees of the branches (`roots`), and their logs."""

    roots: Mapping[str, Oid | None]
    logged: Mapping[str, Logged]
    targets: Mapping[str, Target]
    objects: Objects

    def destinations(self, key: Key, work: Outline, group: Group) -> list[str]:
        """Return the Destinations on which the documents of *group* stand."""
        return [t.name for t, directory in self._standing if self._stands(key, work, group, t, directory)]

    @cached_property
    def _standing(self) -> list[tuple[Target, Oid]]:
        """The Destinations that have any documents, and their directories."""
        return list(self._directories())

    def _directories(self) -> Iterator[tuple[Target, Oid]]:
        for target in self.targets.values():
            root = self.roots.get(target.writable.branch) if target.writable else None
            if directory := subtree(self.objects, root, target.directory):
                yield target, directory

    def _stands(self, key: Key, work: Outline, group: Group, target: Target, directory: Oid) -> bool:
        assert target.location
        logged = self.logged.get(target.location.branch, _SILENT)
        if target.mode == NESTED:
            place = layout.place(work, group.short, target.mode)
            standing = subtree(self.objects, directory, place)
            writers = logged.writers.get(join(target.directory, place), (key,))
            if standing is None or key not in writers:
                return False
            return len(writers) == 1 or _delivered(group, standing, self.objects)
        if target.name not in logged.destinations.get(key, ()):
            return False
        if target.mode == AGGREGATED:
            return lookup(self.objects, directory, target.filename) is not None
        return _delivered(group, directory, self.objects)


def _delivered(group: Group, directory: Oid, objects: Objects) -> bool:
    """Whether all documents of a group stand in *directory*; of those made by templates only the names are known."""
    for path, oid in group.documents.files if group.documents else group.sources:
        entry = lookup(objects, directory, path.removesuffix(TEMPLATE))
        if entry is None or (entry.oid != oid and not path.endswith(TEMPLATE)):
            return False
    return True
