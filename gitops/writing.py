"""The writing half of a pass: documents, then what was done as status, then one move of the home branch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from gitops import inquiry
from gitops.core import manifests, memory, messages, recording, rest
from gitops.core.catalog import STATUS
from gitops.core.delivery import UnitId
from gitops.core.failures import Failure
from gitops.core.keys import Key
from gitops.core.patch import patch
from gitops.core.plan import Plan
from gitops.core.problems import Problem
from gitops.core.record import Facts
from gitops.core.recording import NewStatus
from gitops.core.rest import Rest
from gitops.core.survey import remembered
from gitops.core.tree import DIRECTORY, Entry, Oid
from gitops.core.urls import is_elsewhere
from gitops.deciding import Decider
from gitops.publish import Chain, Publisher
from gitops.resources import render_overview


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


class Writing:
    """Writes a plan: the documents first, then the status that tells of them, then the move of the home branch."""

    def __init__(self, decider: Decider, plan: Plan, now: datetime) -> None:
        """Write the *plan* of *decider*, with *now* as the time of all commits and conditions."""
        self._decider, self._now = decider, now
        self._branches, self._repo, self._world = decider.branches, decider.repo, decider.world
        self._observed, self.sketch = decider.observed, decider.sketch
        self._home, self._status = self._observed.seen.home, self._observed.seen.status
        self._publisher = Publisher(self._repo, self.sketch, plan.survey, now)
        self._overview = render_overview(self.sketch, self._observed.seen.source, decider.renderer)
        self._tips = {name: branch.tip for name, branch in plan.branches.items() if branch.tip}
        self._take_up(plan)

    def _take_up(self, plan: Plan) -> None:
        """Make *plan* the one to write, and ask the log for the commits that brought or removed its definitions."""
        self.plan = plan
        self._traced = recording.origins(plan, self.sketch)
        self._sources = inquiry.sources(self._repo, self._observed.source_tip, plan, self._traced)
        self._removed = inquiry.removals(self._repo, self._observed.source_tip, plan)

    def would_write(self) -> bool:
        """Whether the pass has anything to commit, be it only a condition."""
        if any(not self.plan.branches[at.branch].failure for at in self.plan.delivery.units):
            return True
        home = self.plan.branches[self._home]
        new = self._record({}, self.plan.failures)
        return new.worth_writing and self._root(home.root, new) != home.root

    def run(self) -> Outcome:
        """Write, record and push."""
        elsewhere, failures = self._write_elsewhere()
        if failures.keys() != self.plan.failures.keys():
            self._take_up(self._decided_with(failures))
        chain = self._documents(self._home)
        self.sketch.commit()
        new = self._record({**elsewhere, **chain.versions}, failures)
        outcome = self._push(chain, new)
        self._adopt(new, failures)
        unfinished = outcome.changed and bool(self._leftovers(failures))
        return replace(outcome, unfinished=unfinished, problems=new.problems)

    def _decided_with(self, failures: Mapping[str, Failure]) -> Plan:
        """Decide again: all that is on a branch tells of its refusal, and not only what this pass wanted to change."""
        refusing = {name: self.plan.branches[name].refusing(failure) for name, failure in failures.items()}
        return self._decider.decide_again(self.plan, refusing)

    def _record(self, versions: Mapping[UnitId, Oid], failures: Mapping[str, Failure]) -> NewStatus:
        facts = Facts(
            now=self._now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            home=self._home,
            versions=versions,
            known_versions=inquiry.known_versions(self._repo, self.plan, self._world),
            sources=self._sources,
            meddlers=inquiry.meddlers(self._repo, self.plan),
            failures=failures,
            unfound=self.plan.unfound,
            removed=self._removed,
        )
        return recording.record(self._world, self.plan, self._traced, facts, self.sketch, self._overview)

    def _root(self, documents: Oid | None, new: NewStatus) -> Oid:
        return patch(self.sketch, documents, {STATUS: Entry(DIRECTORY, new.tree)})

    def _documents(self, branch: str) -> Chain:
        return self._publisher.documents(branch, self.plan, self._observed.source, self._removed)

    def _write_elsewhere(self) -> tuple[dict[UnitId, Oid], dict[str, Failure]]:
        """Commit and move the other branches: status may only report what is there. Return those that failed, too."""
        known = self.plan.failures
        names = {at.branch for at in self.plan.delivery.units} - {self._home} - known.keys()
        chains = {name: self._documents(name) for name in sorted(names)}
        self._repo.objects.flush()
        moves = {name: (self.plan.branches[name].tip, chain.tip) for name, chain in chains.items() if chain.tip}
        failures = self._branches.write(moves)
        versions: dict[UnitId, Oid] = {}
        for name in moves.keys() - failures.keys():
            versions |= chains[name].versions
            self._tips[name] = moves[name][1]
        return versions, {**known, **failures}

    def _push(self, chain: Chain, new: NewStatus) -> Outcome:
        """Commit the status, and move the home branch from the tip that was observed, once."""
        branch = self.plan.branches[self._home]
        root = self._root(chain.root, new)
        if root == branch.root or not new.worth_writing:
            self._repo.objects.discard()
            return Outcome(tally=new.verdicts.tally, tip=branch.tip)
        tally, changed = new.verdicts.tally, self._changed(new.tree)
        message = messages.status(tally, new.record, changed, self._observed.source)
        tip = self._publisher.commit(chain.tip, root, message)
        self._repo.objects.flush()
        self._branches.move(self._home, branch.tip, tip, "gitops: status")
        self._status, self._tips[self._home] = new.tree, tip
        commits = (*dict.fromkeys(chain.versions.values()), tip)
        return Outcome(commits, tally, new.record.events, tip)

    def _changed(self, status: Oid) -> Iterator[Key]:
        """List the Works whose status is not what it was."""
        before, after = (memory.folders(self.sketch, tree) for tree in (self._observed.seen.status, status))
        for key in self.plan.decided:
            if before(key) != after(key):
                yield key

    def _leftovers(self, failures: Mapping[str, Failure]) -> frozenset[Key]:
        """Return what a further pass can finish."""
        return self.plan.unfinished - self.plan.on(failures)

    def _adopt(self, new: NewStatus, failures: Mapping[str, Failure]) -> None:
        """Keep in mind what was decided and left behind."""
        world, survey = self._world, self.plan.survey
        world.adopt({key: decided.state for key, decided in self.plan.decided.items()})
        world.catalog = replace(survey.catalog, fresh={})
        manifests.load.cache_clear()  # the definitions themselves are not kept
        world.objects = remembered(survey.objects, self.sketch, self._status)
        world.surveyed, world.places = survey.objects, survey.places
        world.status, world.verdicts = self._status, new.verdicts
        world.source = self._observed.source_tip
        unsure = failures.keys() | self.plan.unsure  # these will be looked at as if they had never been seen
        world.tips = {name: tip for name, tip in self._tips.items() if name not in unsure}
        world.unfinished = self.plan.unfinished | self.plan.astray | self.plan.on(failures)
        world.failing = {name: failure for name, failure in self.plan.failures.items() if is_elsewhere(name)}
        world.rest = None if failures or world.unfinished else self._rest(new)

    def _rest(self, new: NewStatus) -> Rest | None:
        """Return where all branches stand, if nothing but a change of them can make the next pass do anything."""
        seen, stores = self._observed.seen, self.plan.survey.places.stores.values()
        if self._status is None or seen.settings_problems or any(store.reason for store in stores):
            return None
        tips = {seen.source_branch: self._observed.source_tip} | {
            name: self._tips.get(name) for name in self.plan.branches
        }
        names = rest.names(seen.source_branch, self._home, (s.location for s in stores if s.location))
        return Rest(seen.url, self._home, tips, names, new.verdicts.tally, new.problems)
