"""One pass: the order of effects, and the retry.

    observe   tips, trees, and what changed since the last pass
    decide    pure; `gitops plan` is this alone
    write     documents commits; other branches of this repository are moved here
    record    pure; what was done, as status
    push      the status commit, and one compare-and-swap of the home branch; lost the race: observe again
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from gitops import inquiry
from gitops.config import render_overview
from gitops.core import memory, messages, recording
from gitops.core.catalog import STATUS
from gitops.core.delivery import UnitId
from gitops.core.documents import Render
from gitops.core.manifests import Key
from gitops.core.plan import Branch, Plan, decide
from gitops.core.record import CommitName, Facts
from gitops.core.recording import Recorded, RenderOverview
from gitops.core.survey import remembered, survey
from gitops.core.tree import DIRECTORY, Entry, Oid, Sketch, patch, subtree
from gitops.core.world import World
from gitops.errors import Busy, GitOpsError, Moved, RepositoryError
from gitops.git import history, refs
from gitops.git.commits import Sign
from gitops.git.repository import Repository
from gitops.observe import Observation, newest, observe
from gitops.publish import Chain, Publisher
from gitops.sandbox import Sandbox

_ATTEMPTS = 20
_PAUSE = 0.05  # seconds; grows with each lost race, with jitter
Clock = Callable[[], datetime]


def wall_clock() -> datetime:
    """Return the time of day, UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Outcome:
    """What a pass did: the new commits of the home branch, oldest first, how the Works stand, and events."""

    commits: tuple[Oid, ...] = ()
    tally: str = ""
    events: int = 0
    tip: Oid | None = None
    unfinished: bool = False

    @property
    def changed(self) -> bool:
        return bool(self.commits)


class Reconciler:
    """Reconciles one branch of one repository, and remembers between passes what makes the next one cheap."""

    def __init__(self, repo: Repository, branch: str, clock: Clock = wall_clock, renderer: Render | None = None) -> None:
        self._repo, self._branch, self._clock = repo, branch, clock
        self._renderer = renderer or Sandbox()
        self._world = World()

    def reconcile(self) -> list[Outcome]:
        """Run passes until there is nothing left to do; more than one when a move between branches takes two steps.

        Busy and other GitOpsErrors leave everything as it was.
        """
        done = [self._until_it_holds()]
        while done[-1].unfinished:
            done.append(self._until_it_holds())
        return done

    def plan(self) -> tuple[Observation, Plan, Sketch] | None:
        """Decide what a pass would do, and write nothing."""
        seen = observe(self._repo, self._branch)
        if seen is None:
            return None
        sketch = Sketch(self._repo.objects)
        return seen, self._decide(seen, sketch), sketch

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
        seen = observe(self._repo, self._branch)
        if seen is None:
            return Outcome()
        sketch = Sketch(self._repo.objects)
        plan = self._decide(seen, sketch)
        render = render_overview(sketch, seen.seen.source, self._renderer)
        return _Pass(self._repo, self._world, seen, plan, sketch, render, self._clock().replace(microsecond=0)).run()

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


def _signer(key: str) -> Sign:
    from gitops.git.signing import ssh_signer

    return ssh_signer(Path(key))


def _stable(error: Exception) -> str:
    """Return a cause that reads the same in each pass, without ages and sizes."""
    return "another Git process holds it" if isinstance(error, Busy) else str(error.__cause__ or error)


class _Pass:
    """The writing half of a pass."""

    def __init__(
        self, repo: Repository, world: World, seen: Observation, plan: Plan, sketch: Sketch, render: RenderOverview, now: datetime
    ) -> None:
        self._repo, self._world, self._seen = repo, world, seen
        self._plan, self._sketch, self._render, self._now = plan, sketch, render, now
        settings = seen.seen.settings
        sign = _signer(settings.commit.signing_key) if settings.commit.signing_key else None
        self._publisher = Publisher(repo, sketch, settings, int(now.timestamp()), sign)
        self._home = seen.seen.home
        self._status = seen.seen.status
        self._tips = {name: branch.tip for name, branch in plan.branches.items() if branch.tip}

    def run(self) -> Outcome:
        traced = recording.origins(self._plan, self._sketch)
        sources = inquiry.sources(self._repo, self._seen.source_tip, self._plan, traced)
        gone = {k: sources[path] for k, path in inquiry.removed_sources(self._plan).items() if path in sources}
        elsewhere, failures = self._write_elsewhere(gone)
        chain = self._documents(self._home, gone)
        facts = Facts(
            now=self._now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            home=self._home,
            versions={**elsewhere, **chain.versions},
            known_versions=inquiry.known_versions(self._repo, self._plan),
            sources=sources,
            meddlers=inquiry.meddlers(self._repo, self._plan),
            failures=failures,
        )
        recorded = recording.record(self._world, self._plan, traced, facts, self._sketch, self._render)
        outcome = self._push(chain, recorded)
        self._adopt(recorded, failures)
        return replace(outcome, unfinished=outcome.unfinished and not failures)

    def _documents(self, branch: str, gone: dict[Key, CommitName]) -> Chain:
        known = self._plan.branches[branch]
        return self._publisher.documents(branch, known.tip, known.root, self._plan.delivery.units, self._seen.source, gone)

    def _write_elsewhere(self, gone: dict[Key, CommitName]) -> tuple[dict[UnitId, Oid], dict[str, str]]:
        """Commit and move the other branches: status may only report what is there. Also return those that failed, and why."""
        versions: dict[UnitId, Oid] = {}
        failures: dict[str, str] = {}
        for name in sorted({at.branch for at in self._plan.delivery.units} - {self._home}):
            chain = self._documents(name, gone)
            assert chain.tip
            self._repo.objects.flush()
            try:
                refs.move(self._repo, name, self._plan.branches[name].tip, chain.tip, "gitops: documents")
                versions |= chain.versions
                self._tips[name] = chain.tip
            except (Busy, RepositoryError) as error:
                failures[name] = f"branch {name} cannot be written: {_stable(error)}"
        return versions, failures

    def _push(self, chain: Chain, recorded: Recorded) -> Outcome:
        """Commit the status, and move the home branch from the tip that was observed, once."""
        branch = self._plan.branches[self._home]
        root = patch(self._sketch, chain.root, {STATUS: Entry(DIRECTORY, recorded.tree)})
        if root == branch.root or not recorded.anything:
            return Outcome(tally=recorded.tally, tip=branch.tip)
        happened, versions = recorded.record.happened, recorded.record.versions
        message = messages.status(recorded.tally, happened, self._changed(recorded.tree), versions, self._seen.source)
        tip = self._publisher.commit(chain.tip, root, message)
        self._repo.objects.flush()
        refs.move(self._repo, self._home, branch.tip, tip, "gitops: status")
        self._status, self._tips[self._home] = recorded.tree, tip
        unfinished = bool(self._plan.unfinished)
        return Outcome((*dict.fromkeys(chain.versions.values()), tip), recorded.tally, len(happened), tip, unfinished)

    def _changed(self, status: Oid) -> Iterator[Key]:
        """List the Works whose status is not what it was."""
        for key in self._plan.decided:
            folder = memory.work_folder(key.namespace, key.name)
            if subtree(self._sketch, self._seen.seen.status, folder) != subtree(self._sketch, status, folder):
                yield key

    def _adopt(self, recorded: Recorded, failures: Collection[str]) -> None:
        """Keep in mind what was decided and left behind."""
        world, survey = self._world, self._plan.survey
        world.adopt({key: decided.state for key, decided in self._plan.decided.items()})
        world.catalog, world.objects = survey.catalog, remembered(survey.objects, self._sketch, self._status)
        world.targets, world.matcher = survey.targets, survey.matcher
        world.status, world.verdicts, world.seen = self._status, recorded.verdicts, True
        world.tips = self._tips
        world.unfinished = self._plan.unfinished | self._plan.on(failures)
