"""A repository elsewhere: which of its branches stand where, fetched into and pushed from a repository on this machine.

What it is known to have is in refs of its own here (`tracking`). Branches come with their whole history: the log is
where answers about the past are found, and libgit2 reads no partial clones.
What has happened is decided by reading the remote's refs, never by an error's text.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import NamedTuple

from gitops.core import urls
from gitops.core.tree import EMPTY, Oid
from gitops.errors import Moved, Refused, RepositoryError, TransportError
from gitops.git import sayings
from gitops.git.commits import NOBODY, short
from gitops.git.credentials import Credentials, lent
from gitops.git.repository import HEADS, Repository
from gitops.git.tracking import Tracking
from gitops.git.transport import Done, Transport

PROBES = "refs/gitops/probe/"

_ATTEMPTS = 3
_SETTLING = (0.3, 1.0, 3.0)  # seconds in which a push that holds the lock of the ref, and made ours fail, may end
_LOCK = re.compile(r"\block")  # what the server says of it: for nothing else that it refuses for is it worth to wait
_TRUSTED = 600.0  # seconds for which a clone that was looked through is no reason for what fails
_REFS, _ALL = ("for-each-ref", "--count=1"), ("fsck", "--progress", "--no-dangling")  # fail on a damaged repository
_FETCH = ("fetch", "--progress", "--no-tags", "--no-write-fetch-head", "--no-auto-gc", "--no-recurse-submodules")
# Makes `git fetch` skip its walk through the whole tree to see whether all is there. The filter keeps nothing back.
_UNCHECKED = ("-c", "remote.origin.promisor=true", "-c", "remote.origin.partialclonefilter=blob:limit=1024g")
_UNPACKER = "unpacker error"  # what the server says of a pack that it cannot, or will not, take


class Advance(NamedTuple):
    """A branch of a remote goes from *old* (None: it is not there) to *new*."""

    branch: str
    old: Oid | None
    new: Oid


class Remote:
    """The repository at *url*, as seen from *repo*. To be used by one thread at a time.

    TransportError when it cannot be reached or does not let us in.
    """

    def __init__(
        self,
        repo: Repository,
        url: str,
        credentials: Credentials | None = None,
        transport: Transport | None = None,
        *,
        disposable: bool = False,
        pause: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make ready; nothing is sent yet. TransportError for an address that cannot be one.

        A *disposable* repository is fetched into faster: should anything be missing, it is thrown away once that shows.
        """
        reason = urls.problem(url, urls.ANY)
        if reason:
            raise TransportError(f"the address cannot be used: {reason}")
        self.url = url
        self.id = hashlib.sha256(urls.canonical(url).encode()).hexdigest()[:16]
        self._scheme = urls.parse(url).scheme
        self._credentials = credentials
        self._disposable = disposable
        self._pause, self._now = pause, now
        self._checked = -_TRUSTED
        self._transport = transport or Transport(repo)
        self._repo = repo
        self._tracking = Tracking(repo, self.id, pause)

    def tip(self, branch: str) -> Oid | None:
        """Return where *branch* was when it was last fetched or pushed; None when it was not there."""
        return self._tracking.read(self._tracking.ref(branch))

    def default_branch(self) -> str | None:
        """Ask which branch the remote's HEAD names; None when it names none, as some servers do when empty."""
        first = self._ask("--symref", "HEAD").partition("\n")[0]
        kind, _, ref = first.partition("\t")[0].partition(" ")
        return ref.removeprefix(HEADS) if kind == "ref:" and ref.startswith(HEADS) else None

    def branches(self) -> list[str]:
        """Ask which branches there are."""
        rows = self._ask("--heads").splitlines()
        return [row.partition("\t")[2].removeprefix(HEADS) for row in rows]

    def fetch(self, branches: Collection[str]) -> None:
        """Bring *branches* up to date: forced moves are followed, and one that is gone or not yet there is None.

        When nothing has changed, that is one short question.
        """
        refs = {HEADS + branch: self._tracking.ref(branch) for branch in branches}
        for attempt in range(1, _ATTEMPTS + 1):
            there = self._advertised(refs)
            self._tracking.forget(tracking for ref, tracking in refs.items() if ref not in there)
            behind = {ref: refs[ref] for ref, oid in there.items() if self._tracking.read(refs[ref]) != oid}
            try:
                if behind:
                    self._bring(behind)
                return
            except TransportError:
                if attempt == _ATTEMPTS or self._advertised(refs) == there:
                    raise  # else a branch came or went in between

    def push(self, moves: Collection[Advance]) -> None:
        """Move branches of the remote, all or none, each from where it is expected. What is staged must be flushed.

        `Moved` when one is not there, and `Refused` when the server says no: nothing has happened then. After a
        TransportError it is open: the next `fetch` tells.
        """
        moves = [move for move in moves if move.old != move.new]
        if not moves:
            return
        leases = [f"--force-with-lease={HEADS}{branch}:{old.hex() if old else ''}" for branch, old, _ in moves]
        atomic = ["--atomic"] if len(moves) > 1 else []  # not every server knows it
        specs = [f"{new.hex()}:{HEADS}{branch}" for branch, _, new in moves]
        try:
            done = self._run("push", "--porcelain", "--progress", *atomic, *leases, "--", self.url, *specs)
        except TransportError as error:
            self._settle(moves, error)
        else:
            if done.code:
                self._settle(moves, _verdict(done))
        for move in moves:
            self._tracking.record(self._tracking.ref(move.branch), move.new)

    def probe(self, branch: str) -> None:
        """Find out whether we may write: make a ref where nothing looks, and remove it. The server's hooks see both.

        It leads to the tip of *branch*, as fetched, so that nothing is sent but the question. `Refused` when the server
        says no. A server may still treat the branch itself in another way, which only writing it shows.
        """
        ref = PROBES + hashlib.sha256(str(self._repo.common_dir).encode()).hexdigest()[:16]
        tip = self.tip(branch) or self._empty_commit()
        for source in (tip.hex(), ""):
            done = self._run("push", "--porcelain", "--force", "--", self.url, f"{source}:{ref}")
            if done.code and (source or ref in self._advertised([ref])):
                raise self._examined(_verdict(done))

    def _settle(self, moves: Collection[Advance], error: Exception) -> None:
        """Find out what became of a push that failed: return when it has landed all the same."""
        locked = isinstance(error, Refused) and _LOCK.search(str(error))
        for pause in (0.0, *(_SETTLING if locked else ())):
            self._pause(pause)
            try:
                there = self._advertised([HEADS + move.branch for move in moves])
            except TransportError as unknown:
                raise error from unknown
            if all(there.get(HEADS + move.branch) == move.new for move in moves):
                return
            for move in moves:
                now = there.get(HEADS + move.branch)
                if now != move.old:
                    raise Moved(f"{move.branch} of the remote is at {short(now)}, not at {short(move.old)}") from error
        raise self._examined(error)

    def _examined(self, error: Exception) -> Exception:
        """Return the *error* of a transfer; RepositoryError if it failed because our own clone is damaged."""
        if not isinstance(error, Refused):
            self._check_clone()
        elif _UNPACKER in str(error):  # broken on our disk, or whole and not to the server's taste
            self._check_clone(("verify-pack", "--", *map(str, self._repo.objects.folder.glob("pack/*.idx"))))
        return error

    def _check_clone(self, command: Sequence[str] = _ALL) -> None:
        """Check our own clone, unless that was done just now. RepositoryError if it is damaged: it is made again."""
        now = self._now()
        if self._repo.is_clone() and now >= self._checked + _TRUSTED:
            self._look(command)
            self._checked = now

    def _look(self, command: Sequence[str]) -> None:
        with suppress(TransportError):
            found = self._transport.run(self._scheme, *command, environment={})
            if found.code:
                raise RepositoryError(f"{self._repo.common_dir} is damaged: {sayings.cause(found.said)}")

    def _bring(self, behind: dict[str, str]) -> None:
        """Fetch the refs that are *behind*, after clearing away what is in the way of their tracking refs."""
        self._tracking.make_way(list(behind.values()))
        specs = [f"+{ref}:{tracking}" for ref, tracking in behind.items()]
        if self._disposable:
            settings = ("-c", f"remote.origin.url={self.url}", *_UNCHECKED)
            done = self._run(*settings, *_FETCH, "--", "origin", *specs)
        else:
            done = self._run(*_FETCH, "--", self.url, *specs)
        if done.code:
            raise self._examined(_verdict(done))

    def _advertised(self, refs: Collection[str]) -> dict[str, Oid]:
        """Ask where *refs* are at this moment."""
        rows = (line.partition("\t") for line in self._ask(*refs).splitlines())
        return {ref: bytes.fromhex(oid) for oid, _, ref in rows if ref in refs}

    def _ask(self, *arguments: str) -> str:
        options = [argument for argument in arguments if argument.startswith("--")]
        names = [argument for argument in arguments if not argument.startswith("--")]
        done = self._run("ls-remote", "--quiet", *options, "--", self.url, *names)
        if done.code:
            self._look(_REFS)
            raise _verdict(done)
        return done.output

    def _run(self, *arguments: str) -> Done:
        """Run a git command, once more when the credentials could be renewed."""
        while True:
            with lent(self._credentials, self.url) as given:
                done = self._transport.run(self._scheme, *arguments, environment=given.environment)
                if done.code:
                    done = Done(done.code, *map(given.redacted, (done.output, done.said, given.logged())))
            refused = done.code != 0 and not sayings.is_refusal(done.output)
            if not (refused and self._credentials and self._credentials.renew()):
                return done

    def _empty_commit(self) -> Oid:
        self._repo.objects.intact()  # no ref leads to the one of the last probe: it may have been collected as garbage
        oid = self._repo.objects.commit(EMPTY, [], NOBODY, 0, "Probe whether gitops may write")
        self._repo.objects.flush()
        return oid


def _verdict(done: Done) -> TransportError | Refused:
    if sayings.is_refusal(done.output):
        return Refused(sayings.refusal(done.output, done.said))
    return TransportError(sayings.cause(done.said, done.log))
