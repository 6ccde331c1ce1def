"""Where placements were, when all status is lost: read back from the documents, and from what the log says of them.

In mode `nestedByMetadata` a group's own directory on a Destination is the placement. In the other modes the log must
name the Destination, and the documents, or the aggregate, must still stand there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from gitops.api.work import Work
from gitops.core import layout
from gitops.core.documents import TEMPLATE, Group
from gitops.core.manifests import Key
from gitops.core.paths import join
from gitops.core.targets import Target
from gitops.core.tree import Objects, Oid, lookup, subtree


@dataclass(frozen=True)
class Traces:
    """What is left to read: the trees of the branches, and the Destinations of each Work in their logs."""

    roots: Mapping[str, Oid | None] = field(default_factory=dict)
    logged: Mapping[Key, Collection[str]] = field(default_factory=dict)

    def destinations(
        self, key: Key, work: Work, group: Group, targets: Mapping[str, Target], objects: Objects
    ) -> list[str]:
        """Return the Destinations on which the documents of *group* stand."""
        return [t.name for t in targets.values() if not t.reason and self._stands(key, work, group, t, objects)]

    def _stands(self, key: Key, work: Work, group: Group, target: Target, objects: Objects) -> bool:
        root = self.roots.get(target.location.branch) if target.location else None
        if target.mode == layout.NESTED:
            place = join(target.directory, layout.place(work, group.short, target.mode))
            return subtree(objects, root, place) is not None
        if target.name not in self.logged.get(key, ()):
            return False
        if target.mode == layout.AGGREGATED:
            return lookup(objects, root, join(target.directory, target.filename)) is not None
        return _delivered(group, root, target.directory, objects)


def _delivered(group: Group, root: Oid | None, directory: str, objects: Objects) -> bool:
    """Whether all documents of a group stand in *directory*; of those made by templates only the names are known."""
    for path, oid in group.documents.files if group.documents else group.sources:
        entry = lookup(objects, root, join(directory, path.removesuffix(TEMPLATE)))
        if entry is None or (entry.oid != oid and not path.endswith(TEMPLATE)):
            return False
    return True
