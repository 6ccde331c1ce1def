"""The daemon answers a commit in a remote repository: figure 3."""

from __future__ import annotations

from statistics import median

from benchmarks.daemon import Daemon, Ended
from benchmarks.process import timed
from benchmarks.report import Row
from benchmarks.repository import BRANCH, Repository
from benchmarks.scene import Answer, Scene, follow
from benchmarks.source import change
from benchmarks.stage import Stage

_INTERVAL = "10ms"  # at which the daemon looks at the remote: the wait for its next look is not what is measured
_TITLE = "figure 2 through a remote, less git push"


def through_remote(stage: Stage) -> list[Row]:
    """Figure 3: what an answer costs beyond the push of its commits."""
    settled = stage.settled().repo
    with stage.copy(settled) as remote, stage.copy(settled) as clone, stage.copy(settled) as beside:
        try:
            with Daemon(remote.path.as_uri(), "--interval", _INTERVAL) as daemon:
                return [_row(stage, Scene(remote, daemon), clone, beside)]
        except Ended as refused:
            return [Row("3", _TITLE, None, note=refused.stderr)]


def _row(stage: Stage, played: Scene, clone: Repository, beside: Repository) -> Row:
    ours, git = [], []
    for turn in range(stage.rounds):
        answer = played.change(change(turn, stage.size))
        ours.append(answer.seconds)
        git.append(_push(played, clone, beside, answer))
    stage.check("3", played.repo)
    beyond = median(ours) / median(git) - 1
    return Row("3", _TITLE, beyond, "x", ours, git, must=0.15, goal=0.07)


def _push(played: Scene, clone: Repository, beside: Repository, answer: Answer) -> float:
    """Push the commits of *answer* from *clone* to *beside*, which knows what people committed; return seconds."""
    follow(beside, answer)
    clone.git("fetch", "--quiet", str(played.repo.path), f"+{BRANCH}:{BRANCH}")
    return timed(["git", "-C", clone.path, "push", "--quiet", beside.path.as_uri(), BRANCH])
