"""What a plan says: placements first, then files. Programs read it as it is, people in other rooms' words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from gitops.core import edits
from gitops.core.delivery import PlacementDelivery
from gitops.core.manifests import Problem
from gitops.core.placing import Decided
from gitops.core.plan import Plan
from gitops.core.targets import Store
from gitops.core.tree import SUBMODULE, Change, Objects, Oid, patch, subtree
from gitops.views.escape import escape

MARKS = {"add": "+", "change": "~", "remove": "-"}
SIGNS = {"place": "+", "update": "~", "move": ">", "withdraw": "-", "misplace": "!", "hold": "!", "settle": "="}

Compare = Callable[[str, bytes | None, bytes | None], str]
"""Tell how the file at a path changes; None is no file."""


class Row(NamedTuple):
    """What happens to one placement, and why."""

    action: str
    work: str
    placement: str
    destination: str
    reason: str


def placements(plan: Plan) -> list[Row]:
    """List the placements that a pass would change, or whose condition it would change."""
    rows = [_row(made) for made in plan.delivery.placements]
    return sorted(row for row in rows if row.action)


def _row(made: PlacementDelivery) -> Row:
    action, reason = _action(made)
    return Row(action, f"{made.work.namespace}/{made.work.name}", made.name, made.destination, reason)


def _action(made: PlacementDelivery) -> tuple[str, str]:
    if made.steady:
        return "", ""
    placement, known = made.placement, made.recorded.status is not None
    if placement is None:
        return "withdraw", "the Work does not place it there any more"
    if refusal := placement.offer.refusal:
        last = made.recorded.status.condition("WriteSucceeded") if made.recorded.status else None
        told = last is not None and (last.reason, last.message) == tuple(refusal)
        return ("", "") if told else ("hold", f"{refusal.reason}: {refusal.message}")
    if not known:
        return "place", "its selectors match"
    scheduled = made.recorded.status.condition("ScheduleSucceeded") if made.recorded.status else None
    if placement.misplaced and (scheduled is None or scheduled.status == "True"):
        return "misplace", "the Destination no longer matches its selectors; the documents stay"
    if not placement.misplaced and scheduled is not None and scheduled.status == "False":
        return "settle", "the Destination matches its selectors again"
    if made.moved:
        return "move", "the place of its documents changed"
    if made.restored:
        return "update", f"{len(made.restored)} files changed outside gitops are restored"
    return ("update", "its documents changed") if made.changes else ("", "")


def pending(plan: Plan) -> list[Row]:
    """List the groups that no Destination matches, and the definitions that are invalid."""
    return [row for key, decided in plan.decided.items() for row in _waiting(f"{key.namespace}/{key.name}", decided)]


def _waiting(work: str, decided: Decided) -> Iterator[Row]:
    if decided.effective.problem:
        yield Row("invalid", work, "", "", str(decided.effective.problem))
    for group in decided.state.unscheduled if decided.state else ():
        yield Row("pending", work, "", "", f"no matching destination for workloadGroup {group}")


class File(NamedTuple):
    """One file that a pass would write or remove."""

    change: str
    branch: str
    path: str


def files(plan: Plan, objects: Objects) -> dict[File, Change]:
    """Return the documents that a pass would change, in the order of branches and paths."""
    found: dict[tuple[str, str], Change] = {}
    for name, branch in plan.branches.items():
        later = edits.touched(objects, branch.root, _later(plan, objects, name))
        found |= {(name, change.path): change for change in later}
    for at, unit in plan.delivery.units.items():
        found |= {(at.branch, change.path): change for change in unit.changes}
    return {File(_change(change), branch, path): change for (branch, path), change in sorted(found.items())}


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
    units = [unit for at, unit in sorted(plan.delivery.units.items()) if at.branch == branch]
    wanted = [*_later(plan, objects, branch).items(), *(edit for unit in units for edit in unit.edits)]
    root = plan.branches[branch].root
    return patch(objects, root, wanted) if wanted else root


def _later(plan: Plan, objects: Objects, branch: str) -> edits.Edits:
    """Return what is removed in a second step: documents that move to another branch, once they are there."""
    stay = {path for one in plan.delivery.placements if one.branch == branch for path in one.inventory}
    stay |= {path for one in plan.delivery.destinations if one.branch == branch for path in one.inventory}
    left = {path for one in plan.delivery.placements for path in one.superseded.get(branch, ())}
    left |= {path for one in plan.delivery.destinations for path in one.superseded.get(branch, ())}
    return edits.absent(objects, plan.branches[branch].root, sorted(left - stay))


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
            {"file": p.path, "line": p.line, "column": p.column, "message": p.message} for p in problems(plan)
        ],
        "changes": writes,
    }


def headline(plan: Plan, objects: Objects, *, writes: bool) -> str:
    """Return the plan in one sentence; *writes* as for `as_json`."""
    rows, changed = placements(plan), files(plan, objects)
    if not rows and not changed:
        return "Plan: no document changes, but conditions do." if writes else "Plan: nothing to change."
    tally = edits.Tally(*(sum(file.change == word for file in changed) for word in ("add", "change", "remove")))
    counts = {action: sum(row.action == action for row in rows) for action in SIGNS}
    parts = [f"{n} to {action}" for action, n in counts.items() if n]
    number = f"{len(changed)} {'file' if len(changed) == 1 else 'files'}"
    return f"Plan: {', '.join(parts) or 'no placement changes'}; {number} ({tally})."


def problems(plan: Plan) -> list[Problem]:
    """List what is wrong in definitions and settings."""
    return [*plan.survey.catalog.problems(), *plan.survey.seen.settings_problems]
