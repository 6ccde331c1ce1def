"""Where placements were, when all status is lost: read back from the documents, and from what the log says of them.

In mode `nestedByMetadata` a group's own directory on a Destination is the placement. In the other modes the log must
name the Destination, and the documents, or the aggregate, must still stand there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from gitops.api.work import Work
from gitops.core import layout
from gitops.core.documents import TEMPLATE, Group
from gitops.core.manifests import Key
from gitops.core.targets import Target
from gitops.core.tree import Objects, Oid, lookup, subtree


@dataclass(frozen=True)
class Traces:
    """What is left to read: the trees of the branches, and the Destinations of each Work in their logs."""

    roots: Mapping[str, Oid | None]
    logged: Mapping[Key, Collection[str]]
    targets: Mapping[str, Target]
    objects: Objects

    def destinations(self, key: Key, work: Work, group: Group) -> list[str]:
        """Return the Destinations on which the documents of *group* stand."""
        return [t.name for t, directory in self._standing if self._stands(key, work, group, t, directory)]

    @cached_property
    def _standing(self) -> list[tuple[Target, Oid]]:
        """The Destinations that have any documents, and their directories."""
        return list(self._directories())

    def _directories(self) -> Iterator[tuple[Target, Oid]]:
        for target in self.targets.values():
            root = self.roots.get(target.location.branch) if target.location and not target.reason else None
            if directory := subtree(self.objects, root, target.directory):
                yield target, directory

    def _stands(self, key: Key, work: Work, group: Group, target: Target, directory: Oid) -> bool:
        if target.mode == layout.NESTED:
            return subtree(self.objects, directory, layout.place(work, group.short, target.mode)) is not None
        if target.name not in self.logged.get(key, ()):
            return False
        if target.mode == layout.AGGREGATED:
            return lookup(self.objects, directory, target.filename) is not None
        return _delivered(group, directory, self.objects)


def _delivered(group: Group, directory: Oid, objects: Objects) -> bool:
    """Whether all documents of a group stand in *directory*; of those made by templates only the names are known."""
    for path, oid in group.documents.files if group.documents else group.sources:
        entry = lookup(objects, directory, path.removesuffix(TEMPLATE))
        if entry is None or (entry.oid != oid and not path.endswith(TEMPLATE)):
            return False
    return True
