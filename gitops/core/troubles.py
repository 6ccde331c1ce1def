"""What is wrong with the definitions, and what that leaves uncertain: absence is deletion only when it is certain."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from gitops.core.catalog import Catalog
from gitops.core.keys import Key
from gitops.core.memory import Reported
from gitops.core.paths import directories_above
from gitops.core.problems import Problem
from gitops.core.recorded import Recorded


@dataclass(frozen=True)
class Troubles:
    """The first problem of each object, and of each file in which an object cannot even be named.

    `fresh` is one that came since the last pass: a definition that vanished meanwhile may be in that file.
    """

    of: Mapping[Key, Problem]
    files: Mapping[str, Problem]
    fresh: Problem | None

    def why(self, key: Key, recorded: Recorded) -> Problem | None:
        """Return why *key*, if it is not defined anywhere, may not be taken as removed."""
        places = (recorded.text("source"), recorded.text("invalid"))
        found = (self.files.get(at) for place in places for at in (place, *directories_above(place)))
        fresh = self.fresh if recorded.status and not recorded.removed else None
        return self.of.get(key) or next(filter(None, found), fresh)


def troubles(catalog: Catalog, reported: Collection[Reported]) -> Troubles:
    """Sort the problems of *catalog*; *reported* are those that the last pass knew."""
    of: dict[Key, Problem] = {}
    files: dict[str, Problem] = {}
    for problem in catalog.problems():
        if problem.key:
            of.setdefault(problem.key, problem)
        else:
            files.setdefault(problem.path, problem)
    fresh = (
        problem for _, problem in sorted(files.items()) if (problem.path, problem.line, problem.message) not in reported
    )
    return Troubles(of, files, next(fresh, None))
