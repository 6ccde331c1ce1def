"""Commands that people wait for: figure 11."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from statistics import median

from benchmarks.process import GITOPS, Command, timed
from benchmarks.report import Row, compare
from benchmarks.stage import Stage

_TURNS = 10


def commands(stage: Stage) -> list[Row]:
    """Figure 11: a table of all Works, and the least that the command can do."""
    path = stage.settled().repo.path
    listing: Command = [GITOPS, "--repo", path, "get", "works", "--all-namespaces"]
    log: Command = ["git", "-C", path, "log", "-1", "main"]
    tree: Command = ["git", "-C", path, "ls-tree", "-r", "main", "status"]
    get, git = _in_turns([listing], [log, tree])
    version, python = _in_turns([[GITOPS, "--version"]], [[sys.executable, "-c", "pass"]])
    title = f"gitops get works, of {stage.size.works:,}; git log and ls-tree"
    return [
        Row("11", title, median(get), "s", get, git, goal=0.3),
        compare("11", "gitops --version; python -c pass", version, python, goal=2.0),
    ]


def _in_turns(ours: Sequence[Command], others: Sequence[Command]) -> tuple[list[float], list[float]]:
    """Run both lists of commands in turns; return the seconds of each list."""
    pairs = [(sum(map(timed, ours)), sum(map(timed, others))) for _ in range(_TURNS)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]
