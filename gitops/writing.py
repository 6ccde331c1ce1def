"""The writing half of a pass: documents, then what was done as status, then one move of the home branch."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from gitops import inquiry
from gitops.core import memory, messages, recording
from gitops.core.catalog import STATUS
from gitops.core.delivery import UnitId
from gitops.core.manifests import Key, Problem
from gitops.core.plan import Plan
from gitops.core.record import Facts
from gitops.core.recording import Recorded, RenderOverview
from gitops.core.survey import remembered
from gitops.core.tree import DIRECTORY, Entry, Oid, Sketch, patch
from gitops.core.world import World
from gitops.errors import Busy, RepositoryError
from gitops.git import refs
from gitops.git.repository import Repository
from gitops.git.signing import ssh_signer
from gitops.observe import Observation
from gitops.publish import Chain, Publisher


@dataclass(frozen=True)
class Outcome:
    """What a pass did: the new commits of the home branch, oldest first, how the Works stand, and events.

    `problems` are wrong files that no object's status tells of.
    """

    commits: tuple[Oid, ...] = ()
    tally: str = ""
    events: int = 0
    tip: Oid | None = None
    unfinished: bool = False
    problems: tuple[Problem, ...] = ()

    @property
    def changed(self) -> bool:
        return bool(self.commits)


def _stable(error: Exception) -> str:
    """Return a cause that reads the same in each pass, without ages and sizes."""
    return "another Git process holds it" if isinstance(error, Busy) else str(error.__cause__ or error)


class Writing:
    """What was seen and decided, and the way to write it."""

    def __init__(
        self,
        repo: Repository,
        world: World,
        seen: Observation,
        plan: Plan,
        sketch: Sketch,
        render: RenderOverview,
        now: datetime,
    ) -> None:
        self.plan, self.sketch = plan, sketch
        self._repo, self._world, self._seen = repo, world, seen
        self._render, self._now = render, now
        settings = seen.seen.settings
        sign = ssh_signer(Path(settings.commit.signing_key)) if settings.commit.signing_key else None
        self._publisher = Publisher(repo, sketch, settings, int(now.timestamp()), sign)
        self._home = seen.seen.home
        self._status = seen.seen.status
        self._tips = {name: branch.tip for name, branch in plan.branches.items() if branch.tip}

        self._traced = recording.origins(plan, sketch)
        self._sources = inquiry.sources(repo, seen.source_tip, plan, self._traced)
        gone = inquiry.removed_sources(plan).items()
        self._removed = {key: self._sources[path] for key, path in gone if path in self._sources}

    def would_write(self) -> bool:
        """Whether the pass has anything to commit, be it only a condition."""
        if self.plan.delivery.units:
            return True
        home = self.plan.branches[self._home]
        recorded = self._record({}, {})
        return recorded.anything and self._root(home.root, recorded) != home.root

    def run(self) -> Outcome:
        """Write, record and push."""
        elsewhere, failures = self._write_elsewhere()
        chain = self._documents(self._home)
        self.sketch.commit()
        recorded = self._record({**elsewhere, **chain.versions}, failures)
        outcome = self._push(chain, recorded)
        self._adopt(recorded, failures)
        return replace(outcome, unfinished=outcome.unfinished and not failures, problems=recorded.problems)

    def _record(self, versions: Mapping[UnitId, Oid], failures: Mapping[str, str]) -> Recorded:
        facts = Facts(
            now=self._now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            home=self._home,
            versions=versions,
            known_versions=inquiry.known_versions(self._repo, self.plan),
            sources=self._sources,
            meddlers=inquiry.meddlers(self._repo, self.plan),
            failures=failures,
            removed=self._removed,
        )
        return recording.record(self._world, self.plan, self._traced, facts, self.sketch, self._render)

    def _root(self, documents: Oid | None, recorded: Recorded) -> Oid:
        return patch(self.sketch, documents, {STATUS: Entry(DIRECTORY, recorded.tree)})

    def _documents(self, branch: str) -> Chain:
        known, units = self.plan.branches[branch], self.plan.delivery.units
        return self._publisher.documents(branch, known.tip, known.root, units, self._seen.source, self._removed)

    def _write_elsewhere(self) -> tuple[dict[UnitId, Oid], dict[str, str]]:
        """Commit and move the other branches: status may only report what is there. Return those that failed, too."""
        versions: dict[UnitId, Oid] = {}
        failures: dict[str, str] = {}
        for name in sorted({at.branch for at in self.plan.delivery.units} - {self._home}):
            chain = self._documents(name)
            assert chain.tip
            self._repo.objects.flush()
            try:
                refs.move(self._repo, name, self.plan.branches[name].tip, chain.tip, "gitops: documents")
                versions |= chain.versions
                self._tips[name] = chain.tip
            except (Busy, RepositoryError) as error:
                failures[name] = f"branch {name} cannot be written: {_stable(error)}"
        return versions, failures

    def _push(self, chain: Chain, recorded: Recorded) -> Outcome:
        """Commit the status, and move the home branch from the tip that was observed, once."""
        branch = self.plan.branches[self._home]
        root = self._root(chain.root, recorded)
        if root == branch.root or not recorded.anything:
            self._repo.objects.discard()
            return Outcome(tally=recorded.tally, tip=branch.tip)
        message = messages.status(recorded.tally, recorded.record, self._changed(recorded.tree), self._seen.source)
        tip = self._publisher.commit(chain.tip, root, message)
        self._repo.objects.flush()
        refs.move(self._repo, self._home, branch.tip, tip, "gitops: status")
        self._status, self._tips[self._home] = recorded.tree, tip
        unfinished = bool(self.plan.unfinished)
        return Outcome((*dict.fromkeys(chain.versions.values()), tip), recorded.tally, recorded.record.events, tip, unfinished)

    def _changed(self, status: Oid) -> Iterator[Key]:
        """List the Works whose status is not what it was."""
        before, after = (memory.folders(self.sketch, tree) for tree in (self._seen.seen.status, status))
        for key in self.plan.decided:
            if before(key) != after(key):
                yield key

    def _adopt(self, recorded: Recorded, failures: Collection[str]) -> None:
        """Keep in mind what was decided and left behind."""
        world, survey = self._world, self.plan.survey
        world.adopt({key: decided.state for key, decided in self.plan.decided.items()})
        world.catalog = replace(survey.catalog, fresh={})
        world.objects = remembered(survey.objects, self.sketch, self._status)
        world.surveyed, world.places = survey.objects, survey.places
        world.status, world.verdicts, world.seen = self._status, recorded.verdicts, True
        world.tips = self._tips
        world.unfinished = self.plan.unfinished | self.plan.astray | self.plan.on(failures)
