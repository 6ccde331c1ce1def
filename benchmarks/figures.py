"""The figures by their numbers, in the order in which they are measured."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from benchmarks import cold, incremental, oneshot, remote, report, writer
from benchmarks.report import Row
from benchmarks.stage import Stage

Figure = Callable[[Stage], list[Row]]

FIGURES: Mapping[int, Sequence[Figure]] = {
    1: [cold.cold],
    2: [incremental.one_work],
    3: [remote.through_remote],
    4: [incremental.flatness],
    5: [incremental.nothing],
    6: [cold.restart],
    7: [incremental.relabelled],
    8: [incremental.burst],
    9: [cold.peak, incremental.growth],
    10: [writer.work_tree_writer],
    11: [oneshot.commands],
}


def measure(stage: Stage, wanted: Collection[int]) -> Iterator[Row]:
    """Measure each figure of *wanted* and yield its rows."""
    for number in sorted(wanted):
        for figure in FIGURES[number]:
            stage.say(f"figure {number}: {figure.__name__.replace('_', ' ')}")
            for row in figure(stage):
                stage.say(report.line(row))
                yield row
