"""The daemon answers a commit: figures 2, 4, 5, 7 and 8, and the second half of 9."""

from __future__ import annotations

from benchmarks import source
from benchmarks.process import timed
from benchmarks.report import Row, compare
from benchmarks.scene import Files, imitate, scene
from benchmarks.source import Size
from benchmarks.stage import Stage

_TURNS = 4  # in each round, of what takes milliseconds
_CHANGES, _BURST = 1000, 1000  # Works
_KIB = 1024


def one_work(stage: Stage) -> list[Row]:
    """Figure 2: one document of one dependency changed."""
    ours, git = [], []
    with scene(stage) as played, stage.copy(stage.settled().repo) as beside:
        for turn in range(stage.rounds * _TURNS):
            answer = played.change(source.change(turn, stage.size))
            ours.append(answer.seconds)
            git.append(imitate(stage, beside, played, answer))
        stage.check("2", played.repo)
    return [compare("2", f"one Work changed ({stage.size.fanout} placements)", ours, git, must=1.0, goal=0.5)]


def flatness(stage: Stage) -> list[Row]:
    """Figure 4: the same in the whole repository and in one of a hundredth of its Works."""
    small = Size(max(stage.size.works // 100, 2), stage.size.placements)
    large_times, small_times = [], []
    with scene(stage) as large, scene(stage, small) as little:
        for turn in range(stage.rounds * _TURNS):
            large_times.append(large.change(source.change(turn, stage.size)).seconds)
            small_times.append(little.change(source.change(turn, small)).seconds)
    title = f"flatness: figure 2 at {stage.size.total:,} by {small.total:,}"
    return [compare("4", title, large_times, small_times, must=4.0, goal=2.0)]


def nothing(stage: Stage) -> list[Row]:
    """Figure 5: a commit beside the definitions, until the daemon says that there is nothing to do."""
    ours, git = [], []
    with scene(stage) as played:
        for turn in range(stage.rounds * _TURNS):
            begun = played.repo.tip()
            answer = played.nothing({"docs/diary.md": f"Day {turn}\n".encode()})
            ours.append(answer.seconds)
            git.append(timed(["git", "-C", played.repo.path, "diff-tree", "-r", begun, answer.commit]))
    return [compare("5", "nothing changed", ours, git, must=0.5, goal=0.2)]


def relabelled(stage: Stage) -> list[Row]:
    """Figure 7: one Destination joins those that the dependencies of its zone select."""
    title = f"one Destination of {stage.size.destinations:,} relabelled"
    return [_apart(stage, "7", title, source.destination(0, tier=source.STANDARD), must=2.0, goal=1.0)]


def burst(stage: Stage) -> list[Row]:
    """Figure 8: many Works added in one commit."""
    number = min(_BURST, max(stage.size.works // 10, 1))
    files = {p: c for work in range(number) for p, c in source.work(stage.size.works + work).items()}
    return [_apart(stage, "8", f"{number:,} Works added", files, must=1.5, goal=0.8)]


def growth(stage: Stage) -> list[Row]:
    """Figure 9, second half: how much the daemon's memory grows by many small changes."""
    number = min(_CHANGES, stage.size.works)
    with scene(stage) as played:
        before = played.daemon.memory() / _KIB
        for turn in range(number):
            played.change(source.change(turn, stage.size))
        after = played.daemon.memory() / _KIB
        stage.check("9", played.repo)
    title = f"growth over {number:,} changes: after, before"
    return [Row("9", title, after - before, "MiB", [after], [before], "MiB", must=40, goal=15)]


def _apart(stage: Stage, figure: str, title: str, files: Files, must: float, goal: float) -> Row:
    """Measure one large change; each round in fresh copies."""
    ours, git = [], []
    for _ in range(stage.rounds):
        with scene(stage) as played, stage.copy(stage.settled().repo) as beside:
            answer = played.change(files)
            ours.append(answer.seconds)
            git.append(imitate(stage, beside, played, answer))
            stage.check(figure, played.repo)
    return compare(figure, title, ours, git, must, goal)
