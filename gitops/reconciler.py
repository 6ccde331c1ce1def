"""One pass: the order of effects, and the retry.

observe   tips, trees, and what changed since the last pass
decide    pure; `gitops plan` is this alone
write     documents commits; other branches of this repository are moved here
record    pure; what was done, as status
push      the status commit, and one compare-and-swap of the home branch; lost the race: observe again
"""

from __future__ import annotations

import gc
import math
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from gitops.branches import Branches
from gitops.cache import Cache
from gitops.core.documents import Render
from gitops.core.plan import Plan
from gitops.core.sketch import Sketch
from gitops.core.world import World
from gitops.deciding import Decider
from gitops.errors import GitOpsError, MissingError, Moved, RepositoryError
from gitops.git.faults import blaming
from gitops.git.history import Lineage
from gitops.git.repository import Repository
from gitops.observe import observe
from gitops.sandbox import Sandbox
from gitops.stillness import still
from gitops.writing import Outcome, Writing

_ATTEMPTS = 20
_IN_MEMORY = 16 << 20  # bytes of new objects that a pass holds before they go to the repository
_PAUSE = 0.05  # seconds; grows with each lost race
Clock = Callable[[], datetime]
Pause = Callable[[float], None]


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the garbage collector from walking, again and again, the many values of a pass: none of them is a cycle."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def wall_clock() -> datetime:
    """Return the time of day, UTC."""
    return datetime.now(UTC)


def jittered(seconds: float) -> None:
    """Sleep for about so many *seconds*, so that daemons that raced do not race again."""
    time.sleep(seconds * random.uniform(0.5, 1.5))  # noqa: S311 - no secret


@dataclass(frozen=True)
class Planned:
    """What a pass would do; `writes` tells whether it would make any commit.

    The trees and documents of the plan, which nobody has written, can be read from `objects`.
    """

    plan: Plan
    objects: Sketch
    writes: bool


class Reconciler:
    """Reconciles one branch of one repository, and remembers between passes what makes the next one cheap."""

    def __init__(
        self,
        repo: Repository,
        branch: str,
        clock: Clock = wall_clock,
        renderer: Render | None = None,
        cache: Cache | None = None,
        branches: Branches | None = None,
        pause: Pause = jittered,
    ) -> None:
        """Reconcile *branch* of *repo*. With a *cache* it goes on where the last one ended.

        *branches* are those of *repo* alone unless they are given.
        """
        self._repo, self._branch, self._clock, self._pause = repo, branch, clock, pause
        self._branches = branches or Branches(repo)
        self._lineage = Lineage(repo)
        self._renderer = renderer or Sandbox()
        self._cache = cache
        with _uncollected():
            self._world = cache.load() if cache else World()

    def reconcile(self) -> list[Outcome]:
        """Run passes until there is nothing left to do; more than one when a move between branches takes two steps.

        Busy and other GitOpsErrors leave everything as it was.
        """
        with _uncollected(), blaming(self._repo.common_dir):
            done = [self._until_it_holds()]
            while done[-1].unfinished:
                done.append(self._until_it_holds())
            return done

    def keep(self, worth: int = 1) -> None:
        """Keep what is in mind for the next start, if *worth* Works or more were decided since that was last done."""
        if self._cache and self._world.news >= worth:
            with _uncollected():
                self._cache.save(self._world)
            self._world.news = 0

    def wait(self) -> float:
        """Return the seconds after which something that failed may be tried again; mostly infinite."""
        return self._branches.wait()

    @property
    def works(self) -> Mapping[str, int]:
        """How many Works there were of each kind (`overview.ORDER`) after the last pass."""
        return self._world.verdicts.counts

    def plan(self) -> Planned | None:
        """Decide what a pass would do, and write nothing; None while there is no commit on the branch."""
        self._branches.refresh()
        writing = self._begin(preview=True)
        return Planned(writing.plan, writing.sketch, writing.would_write()) if writing else None

    def _until_it_holds(self) -> Outcome:
        for attempt in range(_ATTEMPTS):
            try:
                return self._sound_pass()
            except Moved:
                self._repo.objects.discard()
                self._pause(_PAUSE * attempt)
            except MissingError:  # what is in mind may lead to what people have taken away and collected since
                self._repo.objects.discard()
                if self._world.blank:
                    raise
                self._world = World()
            except GitOpsError:  # what is in mind was only read: it is right still
                self._repo.objects.discard()
                raise
            except BaseException:
                self._repo.objects.discard()
                self._world = World()
                raise
        raise GitOpsError(f"the branch moved {_ATTEMPTS} times while a pass was decided; the next pass tries again")

    def _sound_pass(self) -> Outcome:
        """Make a pass; again, and in a new clone, if the one in the cache turns out to be damaged."""
        try:
            return self._pass()
        except (RepositoryError, KeyError):
            if self._branches.renew is None:
                raise
        self._branches, self._world = self._branches.renew(), World()
        self._repo = self._branches.repo
        self._lineage = Lineage(self._repo)
        return self._pass()

    def _pass(self) -> Outcome:
        self._branches.refresh()
        if rest := self._world.rest and still(self._branches, self._world.rest):
            self._world.rest = rest
            return Outcome(tally=rest.tally, tip=rest.tips[rest.home], problems=rest.problems)
        writing = self._begin()
        return writing.run() if writing else Outcome()

    def _begin(self, *, preview: bool = False) -> Writing | None:
        """Observe and decide; None while there is no commit on the branch.

        New objects stay in memory: all of a *preview*, which writes nothing; a pass has to bound its memory.
        """
        observed = observe(self._branches, self._branch, self._lineage)
        if observed is None:
            return None
        if observed.seen.rewritten or (self._world.source and self._world.source not in self._lineage):
            # any status, and all that is in mind, may have been made from what is gone
            self._world = World()
        sketch = Sketch(self._repo.objects, math.inf if preview else _IN_MEMORY, self._lineage)
        decider = Decider(self._branches, self._world, observed, sketch, self._renderer)
        plan = decider.decide(preview=preview)
        return Writing(decider, plan, self._clock().replace(microsecond=0))
