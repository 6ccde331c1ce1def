"""The repositories of state stores: fetched and pushed side by side, and asked ever more rarely while they fail.

One that is known is fetched again after an interval, when a push found it elsewhere, or when it is not where the last
pass left it; a pass waits for the answer of one that it knows nothing of yet, and hardly for the others: a server that
hangs does not delay what goes to the rest.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent import futures
from dataclasses import dataclass, field

from gitops import access
from gitops.api.statestore import GitStateStore
from gitops.backoff import Backoff, Delay, delay
from gitops.core import urls
from gitops.core.failures import Failure, Step
from gitops.core.targets import store_key
from gitops.core.tree import Oid
from gitops.errors import GitOpsError, Moved, SecretNotFoundError, TransportError
from gitops.git.remote import Advance, Remote
from gitops.git.repository import Repository
from gitops.git.transport import PATIENCE, Patience, Transport
from gitops.secrets import Secrets
from gitops.threads import Threads
from gitops.ways import Way, Ways

INTERVAL = 60.0  # seconds after which a repository is fetched again, whether or not anything is written there
_GRACE = 2.0  # seconds in which a repository that is known may answer a fetch; after that it goes on in the background
_PROBED = 3600.0  # seconds for which the answer of a server that it may be written holds


@dataclass
class _Store:
    """The repository at one address: the ways to it, when each branch was last fetched, and what is under way there."""

    ways: Ways
    fetched: dict[str, float] = field(default_factory=dict)
    work: futures.Future[None] | None = None


class Stores:
    """The branches of state stores elsewhere, by names of `urls.branch_at`. To be used by one thread."""

    def __init__(
        self,
        repo: Repository,
        secrets: Secrets,
        stopped: Callable[[], bool] = lambda: False,
        interval: float = INTERVAL,
        patience: Patience = PATIENCE,
        now: Callable[[], float] = time.monotonic,
        delay: Delay = delay,
        threads: Threads | None = None,
        connect: Callable[..., Remote] = Remote,
    ) -> None:
        """Fetch into *repo*, each repository at least every *interval* seconds. *stopped* ends what is under way."""
        self._repo, self._secrets, self._stopped = repo, secrets, stopped
        self._interval, self._now = interval, now
        self._transport = Transport(repo, patience, stopped)
        self._stores: dict[str, _Store] = {}
        self._backoff: Backoff[Failure] = Backoff(now, delay)
        self._probed: dict[str, float] = {}
        self._looked = -math.inf
        self._threads, self._connect = threads or Threads("store"), connect

    def follow(self, definitions: Iterable[GitStateStore]) -> None:
        """Take these as the ways to repositories, whose addresses are known to be good; others stay as they were."""
        by_address: dict[str, list[GitStateStore]] = {}
        for definition in sorted(definitions, key=lambda d: d.metadata.name):
            by_address.setdefault(urls.canonical(definition.spec.url), []).append(definition)
        for address, these in by_address.items():
            store = self._stores.get(address)
            if store is None or not store.ways.are(these):
                self._stores[address] = _Store(Ways(map(self._way, these)))
                self._backoff.forget(address)

    def leads_to(self, name: str) -> bool:
        """Whether there is a way to the repository of the branch *name*."""
        return urls.split_branch(name)[0] in self._stores

    def look(self, left: Mapping[str, Oid | None]) -> None:
        """Bring these branches up to date, as far as that is due and comes to an end soon.

        It is due at once for one that is not where the last pass *left* it: status may tell of what came there since.
        """
        unknown, self._looked = [], self._now()
        for address, branches in _by_address(left).items():
            store = self._stores[address]
            self._begin(address, branches, left)
            if store.work and self._backoff.last(address) is None and not store.fetched.keys() >= set(branches):
                unknown.append(store.work)
        self._threads.wait(unknown)
        self._threads.wait([store.work for store in self._stores.values() if store.work], _GRACE)
        for address in self._stores:
            self._end(address)
        self._heed_stop()

    def tip(self, name: str) -> Oid | None:
        """Return where a branch is, as far as it is known."""
        address, branch = urls.split_branch(name)
        store = self._stores.get(address)
        return store.ways.tip(branch) if store else None

    def failure(self, name: str) -> Failure | None:
        """Return why nothing can be written to a branch, until it is time to try again."""
        unreachable = self._backoff.last(urls.split_branch(name)[0])
        return unreachable or (self._backoff.last(name) if self._backoff.holds(name) else None)

    def push(self, moves: Mapping[str, tuple[Oid | None, Oid]]) -> dict[str, Failure]:
        """Move branches; those of one repository all or none if its server can. Return those that failed.

        `Moved` when one is not where it was thought to be: others may have moved by then.
        """
        work: dict[futures.Future[dict[str, Exception | None]], str] = {}
        for address, branches in _by_address(moves).items():
            these = [Advance(branch, *moves[urls.branch_at(address, branch)]) for branch in branches]
            work[self._threads.submit(self._push, address, these)] = address
        self._threads.wait(work)
        self._heed_stop()
        errors = {
            urls.branch_at(address, branch): error
            for done, address in work.items()
            for branch, error in done.result().items()
        }
        failures = {name: failure for name, error in errors.items() if (failure := self._pushed(name, error))}
        for error in errors.values():
            if isinstance(error, Moved):
                raise error
        return failures

    def probe(self, name: str) -> Failure | None:
        """Find out, now and then, whether a branch that nothing is to be written to could be written."""
        if (known := self.failure(name)) or self._now() < self._probed.get(name, -math.inf) + _PROBED:
            return known
        address, branch = urls.split_branch(name)
        error = self._stores[address].ways.probe(branch)
        self._heed_stop()
        if error:
            return self._remember(name, Step.WRITE, error, address)
        self._probed[name] = self._now()
        self._backoff.forget(name)
        return None

    def wait(self) -> float:
        """Return the seconds after which another look is worth while; infinite when nothing is amiss."""
        if any(store.work and store.work.done() for store in self._stores.values()):
            return 0.0
        return max(0.0, self._backoff.due(self._looked) - self._now())

    def close(self) -> None:
        """End the threads; what is under way must have been stopped."""
        self._threads.close()

    def _way(self, definition: GitStateStore) -> Way:
        credentials = access.of_store(definition.spec, self._secrets)
        remote = self._connect(self._repo, definition.spec.url, credentials, self._transport)
        return Way(store_key(definition.kind, definition.metadata.name), definition, remote)

    def _begin(self, address: str, branches: Collection[str], left: Mapping[str, Oid | None]) -> None:
        store = self._stores[address]
        if store.work or self._backoff.holds(address):
            return
        if self._backoff.last(address) or any(self._is_due(address, branch, left) for branch in branches):
            store.work = self._threads.submit(self._fetch, address, tuple(branches))

    def _is_due(self, address: str, branch: str, left: Mapping[str, Oid | None]) -> bool:
        fetched, name = self._stores[address].fetched.get(branch, -math.inf), urls.branch_at(address, branch)
        return self._now() >= fetched + self._interval or self.tip(name) != left[name]

    def _fetch(self, address: str, branches: Sequence[str]) -> None:
        store = self._stores[address]
        if error := store.ways.fetch(branches):
            raise error
        store.fetched |= dict.fromkeys(branches, self._now())

    def _end(self, address: str) -> None:
        store = self._stores[address]
        if store.work is None or not store.work.done():
            return
        error, store.work = store.work.exception(), None
        if error is None:
            self._backoff.forget(address)
        elif isinstance(error, TransportError):
            self._remember(address, Step.REACH, error, address)
        else:
            raise error

    def _push(self, address: str, moves: Sequence[Advance]) -> dict[str, Exception | None]:
        """Push once nothing else is under way there: a remote is used by one thread at a time."""
        store = self._stores[address]
        if work := store.work:
            self._threads.wait([work])
        return store.ways.push(moves)

    def _pushed(self, name: str, error: Exception | None) -> Failure | None:
        """Take note of what became of a push; that a branch was moved by others is no failure of its store."""
        address, branch = urls.split_branch(name)
        store = self._stores[address]
        if isinstance(error, Moved):
            store.fetched.pop(branch, None)
            return None
        if error:
            return self._remember(name, Step.WRITE, error, address)
        self._backoff.forget(name)
        store.fetched[branch] = self._now()
        store.work = None  # a fetch that failed before is no news any more
        return None

    def _remember(self, key: str, step: Step, error: Exception, address: str) -> Failure:
        step = Step.SECRET if isinstance(error, SecretNotFoundError) else step
        return self._backoff.fail(key, Failure(step, str(error), self._stores[address].ways.name))

    def _heed_stop(self) -> None:
        """What was told to stop is no failure of a store."""
        if self._stopped():
            raise GitOpsError("told to stop")


def _by_address(names: Iterable[str]) -> dict[str, list[str]]:
    branches: dict[str, list[str]] = {}
    for name in sorted(names):
        address, branch = urls.split_branch(name)
        branches.setdefault(address, []).append(branch)
    return branches
