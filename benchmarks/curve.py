"""How the cold pass grows with the number of placements, as rows and as a drawing."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10
from statistics import median
from typing import NamedTuple

from benchmarks import cold
from benchmarks.report import Row, compare
from benchmarks.source import Size
from benchmarks.stage import Stage

SIZES = (Size(100, 10), Size(1_000, 10), Size(10_000, 10), Size(10_000, 100))
_REFERENCE = SIZES[2]
_MIB = 1024  # KiB


class Point(NamedTuple):
    """One size, with the medians in seconds, and the peak memory of ours in MiB."""

    placements: int
    ours: float
    git: float
    peak: float


def measure(stage: Stage) -> tuple[list[Row], list[Point]]:
    """Measure the cold pass at each of `SIZES` up to that of *stage*; the smallest one in any case."""
    sizes = [size for size in SIZES if size.total <= stage.size.total] or [SIZES[0]]
    rows, points = [], []
    for size in sizes:
        measured = cold.rounds(stage, size)
        ours, git = [r.ours.done for r in measured], [r.git.ended for r in measured]
        peak = max(r.ours.peak for r in measured) / _MIB
        points.append(Point(size.total, median(ours), median(git), peak))
        note = f"{median(ours) / size.total * 1e6:,.0f} µs a placement, {peak:,.0f} MiB"
        rows.append(compare(f"{size.total:,}", "cold", ours, git, note=note))
    return rows + _limits(points), points


def _limits(points: Sequence[Point]) -> list[Row]:
    """Judge the largest size by the reference, when both were measured."""
    largest = points[-1]
    reference = next((point for point in points if point.placements == _REFERENCE.total), largest)
    if largest == reference:
        return []
    ours, theirs = largest.ours / largest.placements, reference.ours / reference.placements
    label = f"{largest.placements:,}"
    return [
        compare(label, f"a placement, by one of {reference.placements:,}", [ours], [theirs], must=1.3),
        Row(label, "peak memory", largest.peak, "MiB", [largest.peak], measure="MiB", must=4096),
    ]


_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _MARGIN = 740, 440, 70, 50, 44  # of the drawing, in pixels


class _Scale(NamedTuple):
    """From a quantity to a pixel, by powers of ten."""

    low: int
    high: int
    begin: float
    end: float

    def __call__(self, value: float) -> float:
        return self.begin + (self.end - self.begin) * (log10(value) - self.low) / (self.high - self.low)

    @property
    def ticks(self) -> list[float]:
        return [10.0**power for power in range(self.low, self.high + 1)]


def draw(points: Sequence[Point]) -> str:
    """Return an SVG: seconds over placements, both axes logarithmic."""
    x = _scale([p.placements for p in points], _LEFT, _WIDTH - _MARGIN)
    y = _scale([t for p in points for t in (p.ours, p.git)], _HEIGHT - _BOTTOM, _MARGIN)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        *(_line(x(t), y.begin, x(t), y.end) + _text(x(t), y.begin + 20, f"{t:,.0f}", "middle") for t in x.ticks),
        *(_line(x.begin, y(t), x.end, y(t)) + _text(x.begin - 8, y(t) + 4, f"{t:g} s", "end") for t in y.ticks),
        _text((x.begin + x.end) / 2, _HEIGHT - 10, "placements", "middle"),
        _series([(x(p.placements), y(p.git)) for p in points], "#888888", "git fast-import of the same commits", 0),
        _series([(x(p.placements), y(p.ours)) for p in points], "#0b62a4", "gitops run --once", 1),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _scale(values: Sequence[float], begin: float, end: float) -> _Scale:
    low = int(log10(min(values)) // 1)
    return _Scale(low, max(int(-(-log10(max(values)) // 1)), low + 1), begin, end)


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#dddddd"/>'


def _text(x: float, y: float, text: str, anchor: str, color: str = "#333333") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="13" text-anchor="{anchor}" fill="{color}">{text}</text>'


def _series(dots: Sequence[tuple[float, float]], color: str, name: str, row: int) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in dots)
    circles = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{color}"/>' for x, y in dots)
    legend = _text(_LEFT + 16, _MARGIN + 20 + 20 * row, name, "start", color)
    return f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>{circles}{legend}'
