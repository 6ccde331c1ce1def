"""The ways to one repository: several definitions may lead there, each with its own credentials; one is enough."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from gitops.api.statestore import GitStateStore
from gitops.core.tree import Oid
from gitops.errors import Moved, Refused, TransportError
from gitops.git.remote import Advance, Remote


class Way(NamedTuple):
    """How a definition, `GitStateStore/<name>`, reaches its repository."""

    name: str
    definition: GitStateStore
    remote: Remote


class Ways:
    """One way at least. They are tried in their order; what goes by none of them fails as it did by the first."""

    def __init__(self, ways: Iterable[Way]) -> None:
        self._ways = list(ways)

    @property
    def name(self) -> str:
        """The definition whose failure is told."""
        return self._ways[0].name

    def are(self, definitions: Iterable[GitStateStore]) -> bool:
        """Whether these definitions, in this order, lead there in just these ways."""
        return [_reached(way.definition) for way in self._ways] == [_reached(one) for one in definitions]

    def tip(self, branch: str) -> Oid | None:
        """Return where *branch* was when it was last fetched or pushed."""
        return self._ways[0].remote.tip(branch)

    def fetch(self, branches: Sequence[str]) -> Exception | None:
        """Bring *branches* up to date; return what went wrong."""
        return self._try(lambda remote: remote.fetch(branches))

    def probe(self, branch: str) -> Exception | None:
        """Find out whether *branch* could be written; return why not."""
        return self._try(lambda remote: remote.probe(branch))

    def push(self, moves: Sequence[Advance]) -> dict[str, Exception | None]:
        """Push all at once; what one branch is refused for does not stop the others. Return how each fared."""
        error = self._try(lambda remote: remote.push(moves))
        errors: dict[str, Exception | None] = dict.fromkeys((move.branch for move in moves), error)
        if error is None or isinstance(error, Moved) or len(moves) == 1:
            return errors
        for move in moves:
            errors[move.branch] = self._try(lambda remote, move=move: remote.push([move]))  # type: ignore[misc]
            if isinstance(errors[move.branch], TransportError):
                break
        return errors

    def _try(self, act: Callable[[Remote], None]) -> Exception | None:
        errors: list[Exception] = []
        for way in self._ways:
            try:
                act(way.remote)
            except (Refused, TransportError) as error:
                errors.append(error)
            except Moved as error:
                return error
            else:
                return None
        return errors[0]


def _reached(definition: GitStateStore) -> tuple[object, ...]:
    """Return the part of a definition that tells how its repository is reached."""
    spec = definition.spec
    return (definition.metadata.name, spec.url, spec.auth_method, spec.secret_ref)
