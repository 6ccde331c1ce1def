"""Where everything stood when nothing was left to do: as long as nothing of that has changed, no pass is needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gitops.core.catalog import FOLDERS, SETTINGS, STATUS, TEMPLATES
from gitops.core.problems import Problem
from gitops.core.targets import Location
from gitops.core.tree import Objects, Oid

_DEFINITIONS = frozenset({*FOLDERS, SETTINGS, TEMPLATES})


@dataclass(frozen=True)
class Rest:
    """The tips of all branches that a pass looks at (None: unborn), and what it reported.

    `names` are those at the top of each branch's tree that matter there; without an entry, or with None, all do. *url*
    is the repository's own address.
    """

    url: str
    home: str
    tips: Mapping[str, Oid | None]
    names: Mapping[str, frozenset[str] | None]
    tally: str = ""
    problems: tuple[Problem, ...] = ()

    def concerns(self, branch: str, objects: Objects, old: Oid, new: Oid) -> bool:
        """Whether the trees *old* and *new* of *branch* differ in what matters."""
        if old == new:
            return False
        names, before, after = self.names.get(branch), objects.tree(old), objects.tree(new)
        return names is None or any(before.get(name) != after.get(name) for name in names)


def names(source: str, home: str, stores: Iterable[Location]) -> dict[str, frozenset[str] | None]:
    """Return what matters at the top of each branch: definitions, status, and the folders of state stores."""
    found: dict[str, set[str]] = {source: set(_DEFINITIONS)}
    found.setdefault(home, set()).add(STATUS)
    for branch, path in stores:
        found.setdefault(branch, set()).add(path.partition("/")[0])
    return {branch: None if "" in folders else frozenset(folders) for branch, folders in found.items()}
