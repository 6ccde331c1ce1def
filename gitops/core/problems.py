"""What is wrong in a file, and where."""

from __future__ import annotations

from collections.abc import Iterable, Sized
from typing import NamedTuple

from gitops.core import yaml
from gitops.core.complaints import Complaint
from gitops.core.keys import Key
from gitops.core.text import printable

MAX_COMPLAINTS = 20
"""How many complaints about one object are listed; the others are only counted."""


class Problem(NamedTuple):
    """What is wrong in a file, and where. *key* names the object that is wrong, when that much of it can be read."""

    path: str
    line: int
    column: int
    message: str
    key: Key | None

    @property
    def location(self) -> str:
        """`<file>:<line>:<column>`, as editors and forges understand it."""
        return f"{printable(self.path)}:{self.line}:{self.column}"

    def __str__(self) -> str:
        return f"{printable(self.path)}:{self.line}: {self.message}"


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Return each of *problems* once, by file and place."""
    return sorted(set(problems), key=lambda problem: problem[:4])


class Problems:
    """The problems of one file. Where what is wrong stands there is looked up once, at the end."""

    def __init__(self, path: str, raw: bytes) -> None:
        self._path, self._raw = path, raw
        self._placed: list[Problem] = []
        self._complaints: list[tuple[yaml.Wanted, Complaint, Key | None]] = []

    def errors(self, errors: list[yaml.YamlError], key: Key | None = None) -> None:
        """Add errors that know their place."""
        for error in errors[:MAX_COMPLAINTS]:
            self._placed.append(Problem(self._path, error.line, error.column, printable(error.message), key))
        for error in errors[MAX_COMPLAINTS : MAX_COMPLAINTS + 1]:
            self._placed.append(Problem(self._path, error.line, error.column, _more(errors), key))

    def complaints(self, at: yaml.Wanted, found: list[Complaint], key: Key | None) -> None:
        """Add complaints about the object *at* that place."""
        document, prefix = at
        shown = found[:MAX_COMPLAINTS]
        shown += [Complaint(first.path, _more(found)) for first in found[MAX_COMPLAINTS : MAX_COMPLAINTS + 1]]
        for complaint in shown:
            self._complaints.append(((document, (*prefix, *complaint.path)), complaint, key))

    def in_order(self) -> tuple[Problem, ...]:
        """Return all, by their place."""
        wanted = [where for where, _, _ in self._complaints]
        places = yaml.locate(self._raw, wanted) if wanted else {}
        placed = [self._problem(places[where], complaint, key) for where, complaint, key in self._complaints]
        return tuple(sorted((*self._placed, *placed), key=lambda problem: problem[1:3]))

    def _problem(self, place: yaml.Place, complaint: Complaint, key: Key | None) -> Problem:
        line, column = place.key if complaint.of_key else place.position
        hint = f' (quote it: "{place.text}")' if complaint.quotable and place.text else ""
        return Problem(self._path, line, column, printable(complaint.message + hint), key)


def _more(found: Sized) -> str:
    return f"{len(found) - MAX_COMPLAINTS} more problems in this object"
