"""What a plan says: placements first, then files. Programs read it as it is, people in other rooms' words."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from gitops.core import definitions, edits
from gitops.core.patch import patch
from gitops.core.plan import Plan
from gitops.core.problems import Problem
from gitops.core.targets import Store
from gitops.core.text import counted
from gitops.core.tree import SUBMODULE, Change, Edits, Objects, Oid, diff, subtree
from gitops.views.escape import escape
from gitops.views.placements import SIGNS, Row, pending, placements

MARKS = {"add": "+", "change": "~", "remove": "-"}

Compare = Callable[[str, bytes | None, bytes | None], str]
"""Tell how the file at a path changes; None is no file."""


class File(NamedTuple):
    """One file that a pass would write or remove."""

    change: str
    branch: str
    path: str


def files(plan: Plan, objects: Objects) -> dict[File, Change]:
    """Return the documents that a pass would change, in the order of branches and paths."""
    found: dict[File, Change] = {}
    for name, branch in sorted(plan.branches.items()):
        changes = diff(objects, branch.root, _after(plan, objects, name))
        found |= {File(_change(change), name, change.path): change for change in sorted(changes)}
    return found


def patched(change: Change, objects: Objects, compare: Compare) -> str:
    """Return what happens to one file, as *compare* tells it, without anything that a terminal would obey.

    Line ends stay: without them a patch could not be applied. What becomes another kind of file goes and comes.
    """
    old, new = (
        objects.blob(side.oid) if side and side.mode != SUBMODULE else None for side in (change.old, change.new)
    )
    if change.old and change.new and change.old.mode != change.new.mode:
        told = compare(change.path, old, None) + compare(change.path, None, new)
    else:
        told = compare(change.path, old, new)
    return "\r\n".join(map(escape, told.split("\r\n")))


def _change(change: Change) -> str:
    return "add" if change.old is None else "remove" if change.new is None else "change"


def document_trees(plan: Plan, objects: Objects) -> dict[str, str | None]:
    """Return the id of the tree at each store's path after the pass; None where there is none."""
    roots = {name: _after(plan, objects, name) for name in plan.branches}
    stores = sorted(plan.survey.places.stores.items())
    return {key: _tree(objects, store, roots) for key, store in stores if store.location}


def _after(plan: Plan, objects: Objects, branch: str) -> Oid | None:
    root = plan.branches[branch].root
    if branch in plan.failures:
        return root
    units = (unit for at, unit in sorted(plan.delivery.units.items()) if at.branch == branch)
    if first := [edit for unit in units for edit in unit.edits]:
        root = patch(objects, root, first)
    later = _later(plan, objects, branch, root)
    return patch(objects, root, later) if later else root


def _later(plan: Plan, objects: Objects, branch: str, root: Oid | None) -> Edits:
    """Return what a second step, from *root*, changes: documents that move to another branch go once they are there."""
    each = list(plan.delivery.each)
    stay = {path for one in each if one.branch == branch for path in one.inventory}
    left = {path for one in each if one.branch not in plan.failures for path in one.superseded.get(branch, ())}
    joined = (one.remains.get(branch, {}) for one in plan.delivery.destinations if one.branch not in plan.failures)
    remains = {path: oid for inventory in joined for path, oid in inventory.items()}
    return {**edits.absent(objects, root, sorted(left - stay)), **edits.present(objects, root, remains)}


def _tree(objects: Objects, store: Store, roots: Mapping[str, Oid | None]) -> str | None:
    assert store.location
    found = subtree(objects, roots.get(store.location.branch), store.location.path)
    return found.hex() if found else None


def as_json(plan: Plan, objects: Objects, *, writes: bool) -> dict[str, Any]:
    """Return the plan for programs; *writes* tells whether the pass would make any commit."""
    return {
        "placements": [row._asdict() for row in placements(plan)],
        "waiting": [{"action": r.action, "work": r.work, "reason": r.reason} for r in pending(plan)],
        "files": [file._asdict() for file in files(plan, objects)],
        "documentTrees": document_trees(plan, objects),
        "problems": [
            {"file": p.path, "line": p.line, "column": p.column, "message": p.message} for p in problems(plan, objects)
        ],
        "failures": [{"branch": name, "message": str(failure)} for name, failure in sorted(plan.failures.items())],
        "changes": writes,
    }


def headline(rows: Collection[Row], changed: Collection[File], *, writes: bool) -> str:
    """Return a plan of these placements and files in one sentence; *writes* as for `as_json`."""
    if not rows and not changed:
        return "Plan: no document changes, but status does." if writes else "Plan: nothing to change."
    tally = edits.Tally(*(sum(file.change == word for file in changed) for word in ("add", "change", "remove")))
    counts = {action: sum(row.action == action for row in rows) for action in SIGNS}
    parts = [f"{n} to {action}" for action, n in counts.items() if n]
    return f"Plan: {', '.join(parts) or 'no placement changes'}; {counted(len(changed), 'file')} ({tally})."


def problems(plan: Plan, objects: Objects) -> list[Problem]:
    """List what is wrong in definitions and settings, and the definitions that are ignored for others of the object."""
    catalog = plan.survey.catalog
    ignored = definitions.ignored(catalog, objects, plan.sources)
    return [*catalog.problems(), *ignored, *plan.survey.seen.settings_problems]
