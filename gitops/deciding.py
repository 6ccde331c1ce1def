"""Deciding a pass: a plan, and what first has to be asked of branches, state stores and the log to make it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial

from gitops import inquiry
from gitops.branches import Branches
from gitops.core import messages
from gitops.core.documents import Render
from gitops.core.plan import Branch, Plan, decide
from gitops.core.recovery import Logged
from gitops.core.sketch import Sketch
from gitops.core.survey import Survey, survey
from gitops.core.tree import Oid
from gitops.core.urls import is_elsewhere
from gitops.core.world import World
from gitops.git import history
from gitops.git.newest import newest
from gitops.git.repository import Repository
from gitops.observe import Observation


@dataclass(frozen=True)
class Decider:
    """Decides what a pass does about what was *observed*, with what the last one left in mind: the *world*.

    Nothing is written: new objects go to the *sketch*. *renderer* makes the documents that are templates.
    """

    branches: Branches
    world: World
    observed: Observation
    sketch: Sketch
    renderer: Render

    @property
    def repo(self) -> Repository:
        """The repository that drives everything."""
        return self.branches.repo

    def decide(self, *, preview: bool) -> Plan:
        """Decide; again once branches were looked at, and the log was asked, that only a first plan names.

        For a *preview* no server is asked whether it may be written: that is to push there.
        """
        before = partial(inquiry.before, self.repo, self.observed.source_tip)
        surveyed = survey(self.world, self.sketch, self.observed.seen, before)
        self.branches.follow(surveyed, self.sketch)
        known = self._look(surveyed.branches)
        if not preview:
            known = {name: self._probed(surveyed, name, branch) for name, branch in known.items()}
        plan = decide(self.world, surveyed, known, self.sketch, self.renderer)
        if found := [name for name in plan.unfound if self.branches.finds(name)]:
            plan = self.decide_again(plan, self._look(found))
        writers = inquiry.writers(self.repo, plan, self.observed.past, self.observed.source.url)
        if not any(written for by_path in writers.values() for written in by_path.values()):
            return plan
        told = {name: plan.branches[name]._replace(writers=by_path) for name, by_path in writers.items()}
        return self.decide_again(plan, told)

    def decide_again(self, plan: Plan, known: Mapping[str, Branch]) -> Plan:
        """Decide as for *plan*, but with what is *known* of some branches by now."""
        return decide(self.world, plan.survey, {**plan.branches, **known}, self.sketch, self.renderer)

    def _look(self, names: Collection[str]) -> dict[str, Branch]:
        """Look where branches are, and what their logs and trees tell."""
        self.branches.look({name: self.world.tips.get(name) for name in names})
        return {name: self._branch(name) for name in sorted(names)}

    def _branch(self, name: str) -> Branch:
        seen = self.observed.seen
        looked = {seen.source_branch: self.observed.source_tip, seen.home: self.observed.tip}
        tip = looked[name] if name in looked else self.branches.tip(name)
        root = self.repo.objects.commit_tree(tip) if tip else None
        left = newest(self.repo, tip, messages.is_ours) if tip else None
        logged = inquiry.placed(self.repo, tip) if tip and seen.status is None else Logged()
        if failure := self.branches.failure(name):  # all that matters then is whether status says so already
            return Branch(tip, root, None, logged, failure != self.world.failing.get(name), failure)
        lost = tip is None or left is None or name not in self.world.tips or self._is_rewound(name, tip)
        return Branch(tip, root, left.tree if left else None, logged, lost, last_seen=self._last_seen(name))

    def _last_seen(self, name: str) -> Oid | None:
        """Return the tree in which the last pass of this daemon saw, or left, a branch."""
        tip, objects = self.world.tips.get(name), self.repo.objects
        return objects.commit_tree(tip) if tip and tip in objects else None

    def _is_rewound(self, name: str, tip: Oid) -> bool:
        """Whether what the last pass left on a branch is not in its history any more."""
        left = self.world.tips[name]
        return not (left in self.repo.objects and history.is_ancestor(self.repo, left, tip))

    def _probed(self, surveyed: Survey, name: str, branch: Branch) -> Branch:
        """Ask whether a state store may be written that nothing was written to, and nothing will be."""
        used = any(target.location and target.location.branch == name for target in surveyed.targets.values())
        if used or branch.left or branch.failure or not is_elsewhere(name):
            return branch
        return branch._replace(failure=self.branches.stores.probe(name))
