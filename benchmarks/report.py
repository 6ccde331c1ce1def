"""What was measured: as a table for people, and as JSON."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any, Literal

Unit = Literal["x", "s", "MiB", "/s"]


@dataclass(frozen=True)
class Row:
    """One line of the table.

    `ours` and `yardstick` are all samples, in seconds unless `measure` says otherwise; `value`, in `unit`, is what
    `must` and `goal` bound from above. A row without `value` is not available, and `note` says why.
    """

    figure: str
    title: str
    value: float | None
    unit: Unit = "x"
    ours: Sequence[float] = ()
    yardstick: Sequence[float] = ()
    measure: Unit = "s"
    must: float | None = None
    goal: float | None = None
    note: str = field(default="", kw_only=True)

    @property
    def verdict(self) -> str:
        """Say which of the two bounds is met."""
        if self.value is None:
            return "not available"
        if self.goal is not None and self.value <= self.goal:
            return "goal"
        if self.must is not None:
            return "must" if self.value <= self.must else "MISSED"
        return "reported"


def compare(
    figure: str, title: str, ours: Sequence[float], yardstick: Sequence[float], must: float | None = None,
    goal: float | None = None, *, measure: Unit = "s", note: str = "",
) -> Row:  # fmt: skip
    """Return the row of a ratio: the median of *ours* by that of *yardstick*."""
    ratio = median(ours) / median(yardstick)
    return Row(figure, title, ratio, "x", ours, yardstick, measure, must, goal, note=note)


_HEAD = ("#", "figure", "ours", "yardstick", "value", "must", "goal", "met")


def table(rows: Sequence[Row]) -> str:
    """Write the rows as a Markdown table, with their notes below it."""
    cells = [_HEAD, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(_HEAD))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    notes = [f"{row.figure}: {row.note}" for row in rows if row.note]
    return "\n".join([*lines, "", *notes]) + "\n"


def line(row: Row) -> str:
    """Write one row for those who wait."""
    return "  ".join(cell for cell in _cells(row)[1:5] + _cells(row)[7:] if cell)


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.figure,
        row.title,
        _quantity(median(row.ours), row.measure) if row.ours else "",
        _quantity(median(row.yardstick), row.measure) if row.yardstick else "",
        _quantity(row.value, row.unit),
        _quantity(row.must, row.unit),
        _quantity(row.goal, row.unit),
        row.verdict,
    )


def _quantity(value: float | None, unit: Unit) -> str:
    if value is None:
        return ""
    if unit == "s":
        return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.1f} ms"
    return f"{value:.2f}" if unit == "x" else f"{value:,.1f} {unit}"


def as_json(rows: Sequence[Row], **about: Any) -> dict[str, Any]:
    """Return all samples, with *about* and the machine, as JSON's values."""
    figures = [asdict(row) | {"verdict": row.verdict} for row in rows]
    return {"machine": machine(), **about, "figures": figures}


def machine() -> dict[str, Any]:
    """Say what the figures were measured on."""
    git = subprocess.run(["git", "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
    return {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cores": os.cpu_count(),
        "memory": f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') >> 20} MiB",
        "git": git,
        "python": platform.python_version(),
    }
