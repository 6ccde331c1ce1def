"""One pass: the order of effects, and the retry.

observe   tips, trees, and what changed since the last pass
decide    pure; `gitops plan` is this alone
write     documents commits; other branches of this repository are moved here
record    pure; what was done, as status
push      the status commit, and one compare-and-swap of the home branch; lost the race: observe again
"""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from gitops import inquiry
from gitops.cache import Cache
from gitops.config import render_overview
from gitops.core import messages
from gitops.core.documents import Render
from gitops.core.plan import Branch, Plan, decide
from gitops.core.survey import survey
from gitops.core.tree import Oid, Sketch
from gitops.core.world import World
from gitops.errors import GitOpsError, Moved
from gitops.git import history, refs
from gitops.git.repository import Repository
from gitops.observe import Observation, newest, observe
from gitops.sandbox import Sandbox
from gitops.writing import Outcome, Writing

_ATTEMPTS = 20
_PAUSE = 0.05  # seconds; grows with each lost race, with jitter
Clock = Callable[[], datetime]


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


@dataclass(frozen=True)
class Planned:
    """What a pass would do; `writes` tells whether it would make any commit, `objects` has what is only thought of."""

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
    ) -> None:
        """Reconcile *branch* of *repo*. With a *cache* it goes on where the last one ended."""
        self._repo, self._branch, self._clock = repo, branch, clock
        self._renderer = renderer or Sandbox()
        self._cache = cache
        with _uncollected():
            self._world = cache.load() if cache else World()

    def reconcile(self) -> list[Outcome]:
        """Run passes until there is nothing left to do; more than one when a move between branches takes two steps.

        Busy and other GitOpsErrors leave everything as it was.
        """
        with _uncollected():
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

    def plan(self) -> Planned | None:
        """Decide what a pass would do, and write nothing; None while there is no commit on the branch."""
        begun = self._begin()
        return Planned(begun.plan, begun.sketch, begun.would_write()) if begun else None

    def _until_it_holds(self) -> Outcome:
        for attempt in range(_ATTEMPTS):
            try:
                return self._pass()
            except Moved:
                self._repo.objects.discard()
                time.sleep(_PAUSE * attempt * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
            except GitOpsError:  # what is in mind was only read: it is right still
                self._repo.objects.discard()
                raise
            except BaseException:
                self._repo.objects.discard()
                self._world = World()
                raise
        raise GitOpsError(f"the branch moved {_ATTEMPTS} times while a pass was decided; the next pass tries again")

    def _pass(self) -> Outcome:
        refs.recover(self._repo)
        begun = self._begin()
        return begun.run() if begun else Outcome()

    def _begin(self) -> Writing | None:
        """Observe and decide."""
        seen = observe(self._repo, self._branch)
        if seen is None:
            return None
        sketch = Sketch(self._repo.objects)
        plan = self._decide(seen, sketch)
        render = render_overview(sketch, seen.seen.source, self._renderer)
        return Writing(self._repo, self._world, seen, plan, sketch, render, self._clock().replace(microsecond=0))

    def _decide(self, seen: Observation, sketch: Sketch) -> Plan:
        found = survey(self._world, sketch, seen.seen)
        branches = {name: self._branch_state(seen, name) for name in sorted(found.branches)}
        plan = decide(self._world, found, branches, sketch, self._renderer)
        if not plan.unseen:
            return plan
        branches |= {name: self._branch_state(seen, name) for name in sorted(plan.unseen)}
        return decide(self._world, found, branches, sketch, self._renderer)

    def _branch_state(self, seen: Observation, name: str) -> Branch:
        tip = seen.tip if name == seen.seen.home else refs.tip(self._repo, name)
        root = self._repo.objects.commit_tree(tip) if tip else None
        left = newest(self._repo, tip, messages.is_ours) if tip else None
        logged = inquiry.placed(self._repo, tip) if tip and seen.seen.status is None else {}
        lost = tip is None or left is None or self._rewound(name, tip)
        return Branch(tip, root, left.tree if left else None, logged, lost)

    def _rewound(self, name: str, tip: Oid) -> bool:
        """Whether what the last pass left on a branch is not in its history any more."""
        left = self._world.tips.get(name)
        return left is not None and not (left in self._repo.objects and history.is_ancestor(self._repo, left, tip))
