"""A writer with a work tree, which commits and pushes each placement by itself: figure 10."""

from __future__ import annotations

import subprocess
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks import cold, source
from benchmarks.report import Row
from benchmarks.repository import Repository
from benchmarks.stage import Stage

_PLACEMENTS = 10  # of which the median is taken
_IDENTITY = ("-c", "user.name=writer", "-c", "user.email=writer@example.org")


def work_tree_writer(stage: Stage) -> list[Row]:
    """Figure 10: placements a second, in repositories of a hundredth and a tenth of all placements as files."""
    ours = [stage.size.total / each.ours.done for each in cold.rounds(stage, stage.size)]
    return [_row(stage, max(stage.size.total // share, 10), ours) for share in (100, 10)]


def _row(stage: Stage, files: int, ours: list[float]) -> Row:
    remote = Repository.init(stage.path())
    remote.move(remote.commit((_document(number) for number in range(files)), None, "Documents"))
    tree = stage.path()
    _git(stage.folder, "clone", "--quiet", remote.path, tree)
    rates = [1 / _place(tree, files + turn) for turn in range(_PLACEMENTS)]
    title = f"a writer with a work tree of {files:,} files"
    return Row("10", title, median(rates), "/s", ours, rates, measure="/s")


def _place(tree: Path, number: int) -> float:
    """Write one placement as such writers do; return the seconds."""
    path, content = _document(number)
    begun = perf_counter()
    _git(tree, "fetch", "--quiet", "origin")
    _git(tree, "reset", "--quiet", "--hard", "origin/main")
    _git(tree, "clean", "--quiet", "-fd")
    (tree / path).parent.mkdir(parents=True, exist_ok=True)
    (tree / path).write_bytes(content)
    _git(tree, "add", "--all")
    _git(tree, *_IDENTITY, "commit", "--quiet", "--message", f"Update {path}")
    _git(tree, "push", "--quiet", "origin", "HEAD:main")
    return perf_counter() - begun


def _document(number: int) -> tuple[str, bytes]:
    """Return one file, where a writer would put it."""
    zone = source.ZONES[number % len(source.ZONES)]
    content = next(iter(source.work(number).values()))
    return f"state/{zone}/resources/app-{number:06}/configmap.yaml", content


def _git(folder: Path, *words: str | Path) -> None:
    subprocess.run(["git", "-C", folder, *words], check=True)
