"""The command line of the benchmark."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import curve, figures, process, report
from benchmarks.figures import FIGURES
from benchmarks.report import Row
from benchmarks.source import Size
from benchmarks.stage import Stage


def main() -> None:
    """Measure what was asked for, print the table and write the files."""
    options = _options()
    size = Size(options.works, options.placements)
    with tempfile.TemporaryDirectory(prefix="gitops-bench-") as folder:
        process.seal(Path(folder) / "home")
        rows = _measure(Stage(Path(folder), size, options.rounds), options)
    print(f"{size}; medians of {options.rounds} rounds\n\n{report.table(rows)}")
    if options.json:
        told = report.as_json(rows, size=str(size), rounds=options.rounds)
        options.json.write_text(json.dumps(told, indent=1) + "\n")


def _measure(stage: Stage, options: argparse.Namespace) -> list[Row]:
    if not options.curve:
        return list(figures.measure(stage, options.figures))
    rows, points = curve.measure(stage)
    options.curve.write_text(curve.draw(points))
    return rows


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="What gitops costs, by what Git costs.")
    parser.add_argument("--works", type=_number(2), default=10_000, metavar="N", help="Works (10000)")
    parser.add_argument("--placements", type=_number(1), default=10, metavar="N", help="of each, on the average (10)")
    parser.add_argument("--rounds", type=_number(1), default=5, metavar="N", help="of each figure (5)")
    parser.add_argument("--figures", type=_figures, default=list(FIGURES), metavar="1,2", help="only these (all)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all samples there")
    parser.add_argument("--curve", type=Path, metavar="SVG", help="instead, draw there how figure 1 grows to that size")
    return parser.parse_args()


def _number(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if (value := int(text)) < least:
            raise argparse.ArgumentTypeError(f"at least {least}")
        return value

    return number


def _figures(text: str) -> list[int]:
    wanted = [int(number) for number in text.split(",")]
    if unknown := sorted(set(wanted) - set(FIGURES)):
        raise argparse.ArgumentTypeError(f"no figure {unknown[0]}; there are {', '.join(map(str, FIGURES))}")
    return wanted


if __name__ == "__main__":
    main()
