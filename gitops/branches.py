"""Where the branches of a pass stand, and how each is moved: here, in the remote of a clone, or in a store's.

A plain name is a branch of the repository that drives everything: a ref here, or in the remote *origin* of which this
is a clone. All others are names of `urls.branch_at`: branches of state stores in other repositories.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from gitops import access
from gitops.api.statestore import GitStateStore
from gitops.core import definitions, urls
from gitops.core.failures import Failure, Step
from gitops.core.survey import Survey
from gitops.core.tree import Objects, Oid
from gitops.core.urls import is_elsewhere
from gitops.errors import Busy, Moved, Refused, RepositoryError, TransportError
from gitops.git import refs
from gitops.git.remote import Advance, Remote
from gitops.git.repository import Repository
from gitops.secrets import Secrets
from gitops.stores import Stores

Moves = Mapping[str, tuple[Oid | None, Oid]]
"""Where branches are expected, and where they go."""


@contextmanager
def naming(url: str) -> Iterator[None]:
    """Say in each error of a remote which repository it is, and which secret may mend it."""
    try:
        yield
    except Refused as error:
        raise Refused(f"{urls.shown(url)} refuses the push: {error}") from error
    except TransportError as error:
        raise TransportError(f"{urls.shown(url)}: {error} (secret: {'/'.join(access.REPOSITORY)})") from error


class Branches:
    """All branches, as *repo* knows them. *renew* makes them anew after the clone was thrown away.

    Branches of this repository that *tips* has are taken to be there, wherever they are: to see what would follow.
    """

    def __init__(
        self,
        repo: Repository,
        stores: Stores | None = None,
        origin: Remote | None = None,
        renew: Callable[[], Branches] | None = None,
        tips: Mapping[str, Oid] = MappingProxyType({}),
    ) -> None:
        self.repo, self.origin, self.renew = repo, origin, renew
        self.stores = stores or Stores(repo, Secrets(None, os.environ))
        self._tips = tips
        self._past: Callable[[], Iterable[GitStateStore]] = tuple
        self._asked: set[str] = set()
        self._fresh: set[str] = set()

    @property
    def url(self) -> str:
        """The canonical address of the repository that drives everything; empty where its path cannot be one."""
        try:
            return urls.canonical(self.origin.url if self.origin else str(self.repo.common_dir))
        except ValueError:
            return ""

    @property
    def protocols(self) -> frozenset[str]:
        """The protocols by which definitions may reach other repositories."""
        return access.protocols(os.environ)

    @property
    def shown(self) -> str:
        """The address of this repository as commits name it; empty when people give it none."""
        return urls.public(self.origin.url) if self.origin else self.repo.origin()

    def default(self) -> str | None:
        """Ask the remote for its default branch; None when it names none, as while it is empty. TransportError."""
        assert self.origin
        with naming(self.origin.url):
            return self.origin.default_branch()

    def refresh(self) -> None:
        """Begin a pass: see where the branches of the remote are that the last pass asked for. TransportError."""
        self.repo.objects.refresh()
        if self.origin is None:
            refs.recover(self.repo)
            return
        self._fresh, self._asked = self._asked, set()
        with naming(self.origin.url):
            self.origin.fetch(self._fresh)

    def follow(self, survey: Survey, objects: Objects) -> None:
        """Learn from the state stores of *survey* how other repositories are reached."""
        self._past = lambda: _past(survey, objects)
        self.stores.follow(_elsewhere(survey))

    def finds(self, name: str) -> bool:
        """Whether a branch can be reached; a definition that is gone since is tried again, as its status names it."""
        if not self.leads_to(name):
            address = urls.split_branch(name)[0]
            self.stores.follow(one for one in self._past() if urls.canonical(one.spec.url) == address)
        return self.leads_to(name)

    def leads_to(self, name: str) -> bool:
        """Whether any definition says how the repository of a branch is reached."""
        return not is_elsewhere(name) or self.stores.leads_to(name)

    def look(self, left: Mapping[str, Oid | None]) -> None:
        """Bring branches of state stores up to date; *left* says where the last pass left them (None: not known)."""
        self.stores.look({name: tip for name, tip in left.items() if is_elsewhere(name)})

    def tip(self, name: str) -> Oid | None:
        """Return the commit that a branch points to, as far as it is known; None while it is unborn."""
        if is_elsewhere(name):
            return self.stores.tip(name)
        if name in self._tips:
            return self._tips[name]
        if self.origin is None:
            return refs.tip(self.repo, name)
        self._asked.add(name)
        if name not in self._fresh:
            with naming(self.origin.url):
                self.origin.fetch([name])
            self._fresh.add(name)
        return self.origin.tip(name)

    def look_again(self, name: str) -> Oid | None:
        """Look once more where a branch of this repository points to, whatever this pass has seen. TransportError."""
        self._fresh.discard(name)
        return self.tip(name)

    def wait(self) -> float:
        """Return the seconds after which another look is worth while, because something failed; mostly infinite."""
        return self.stores.wait()

    def failure(self, name: str) -> Failure | None:
        """Return why a branch of a state store cannot be written at the moment."""
        return self.stores.failure(name) if is_elsewhere(name) else None

    def move(self, name: str, old: Oid | None, new: Oid, message: str) -> None:
        """Move a branch of this repository, durably. What is staged must have been flushed. Errors as in `refs.move`.

        Of a remote: `Moved`, `Refused`, TransportError.
        """
        origin = self.origin
        if origin is None:
            refs.move(self.repo, name, old, new, message)
        else:
            with naming(origin.url):
                self._send(lambda: origin.push([Advance(name, old, new)]))

    def write(self, moves: Moves) -> dict[str, Failure]:
        """Move branches of state stores, each repository's at once; return those that failed. `Moved`."""
        here = {name: move for name, move in moves.items() if not is_elsewhere(name)}
        failures: dict[str, Failure] = {}
        for name, (old, new) in here.items():
            try:
                self.move(name, old, new, "gitops: documents")
            except (Busy, Refused, RepositoryError, TransportError) as error:
                failures[name] = Failure(Step.WRITE, f"branch {name} cannot be written: {_stable(error)}")
        there = {name: move for name, move in moves.items() if name not in here}
        if there:
            self._send(lambda: failures.update(self.stores.push(there)))
        return failures

    def _send(self, push: Callable[[], None]) -> None:
        if not self.repo.objects.intact():
            raise Moved("objects were removed by a garbage collection")
        push()
        self.repo.objects.settle()


def _elsewhere(survey: Survey) -> Iterator[GitStateStore]:
    """List the state stores in effect that are in other repositories."""
    for definition, store in survey.git_stores():
        if store.location and is_elsewhere(store.location.branch):
            yield definition


def _past(survey: Survey, objects: Objects) -> Iterator[GitStateStore]:
    """List the definitions that state stores had when their status was written."""
    for key, known in survey.objects.items():
        last = definitions.previous(objects, key, known.recorded) if key.kind == "GitStateStore" else None
        found = last[0].obj if last else None
        if not isinstance(found, GitStateStore) or not found.spec.url:
            continue
        if not urls.problem(found.spec.url, survey.seen.protocols):
            yield found


def _stable(error: Exception) -> str:
    """Return a cause that reads the same in each pass, without ages and sizes."""
    return "another Git process holds it" if isinstance(error, Busy) else str(error.__cause__ or error)
