"""A plan as people read it on a terminal: in words, or as the patch that it is."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from gitops.core.paths import MAX_PATH
from gitops.core.plan import Plan
from gitops.core.text import printable
from gitops.core.tree import Objects
from gitops.views.escape import escape
from gitops.views.placements import SIGNS, pending, placements
from gitops.views.plan import MARKS, Compare, files, headline, patched, problems


def as_text(plan: Plan, objects: Objects, *, writes: bool) -> str:
    """Return the plan in words; *writes* tells whether the pass would make any commit."""
    return escape("".join(f"{line}\n" for line in _lines(plan, objects, writes=writes)))


def as_diff(plan: Plan, objects: Objects, compare: Compare) -> Iterator[str]:
    """Yield the changes of each document; those of a branch below its name, unless all are on the home branch."""
    changed = files(plan, objects)
    is_named = any(file.branch != plan.survey.home for file in changed)
    for branch, group in groupby(changed.items(), key=lambda item: item[0].branch):
        if is_named:
            yield f"branch {escape(branch)}\n"
        yield from (patched(change, objects, compare) for _, change in group)


def _lines(plan: Plan, objects: Objects, *, writes: bool) -> Iterator[str]:
    rows, changed = placements(plan), files(plan, objects)
    yield headline(rows, changed, writes=writes)
    if rows:
        yield "\nPlacements"
        width = max(len(row.full_name) for row in rows)
        yield from (f"  {SIGNS[row.action]} {row.action:9} {row.full_name:{width}}  {row.reason}" for row in rows)
    if waiting := pending(plan):
        yield "\nWaiting"
        yield from (f"  ? {row.action:9} {row.work}  {row.reason}" for row in waiting)
    if wrong := problems(plan, objects):
        yield "\nProblems"
        yield from (f"  {problem.location}: {problem.message}" for problem in wrong)
    if plan.failures:
        yield "\nNothing can be written to"
        yield from (f"  ! branch {branch}  {failure}" for branch, failure in sorted(plan.failures.items()))
    if changed:
        yield "\nFiles"
        yield from (f"  {MARKS[f.change]} {printable(f.path, MAX_PATH)}{_elsewhere(plan, f.branch)}" for f in changed)


def _elsewhere(plan: Plan, branch: str) -> str:
    return "" if branch == plan.survey.home else f"  (branch {branch})"
