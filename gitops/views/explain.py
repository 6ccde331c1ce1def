"""An explanation as people and programs read it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gitops.core.explaining import Explained
from gitops.core.text import counted
from gitops.views.escape import escape
from gitops.views.table import writer


def as_text(groups: Sequence[Explained]) -> str:
    """Return a table for each group, and below it what comes nearest to a match."""
    return "\n".join(map(_group, groups))


def _group(found: Explained) -> str:
    rows = [["DESTINATION", "CHOSEN", "RULE"]]
    rows += [[v.destination, "yes" if v.chosen else "no", escape(v.rule)] for v in found.verdicts]
    table = writer().lay_out("".join("\t".join(row) + "\n" for row in rows))
    return f"group {escape(found.group)} asks for {escape(found.selector)}\n\n{table}{_nearest(found)}"


def _nearest(found: Explained) -> str:
    """Name what a label or two would change."""
    if not found.nearest:
        return ""
    missed = next(verdict.missed for verdict in found.verdicts if verdict.destination in found.nearest)
    return f"\nnearest miss, by {counted(missed, 'rule')}: {', '.join(found.nearest)}\n"


def as_json(work: str, groups: Sequence[Explained]) -> dict[str, Any]:
    """Return the same for programs."""
    return {
        "work": work,
        "groups": [
            {
                "id": found.group,
                "selector": found.selector,
                "destinations": [verdict._asdict() for verdict in found.verdicts],
                "nearest": list(found.nearest),
            }
            for found in groups
        ],
    }
