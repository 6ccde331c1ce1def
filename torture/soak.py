"""A long life: thousands of commits of people, and what a daemon and Git hold on to meanwhile stays bounded.

Most commits are answered by passes in one process, in a user's repository that git maintains as after any commit; the
rest by a real daemon, on a clone in its cache that gitops has maintained.
"""

from __future__ import annotations

import os
import random
from contextlib import closing
from functools import partial
from pathlib import Path

from support import oracle
from support.definitions import Manifest, configmap, destination, work
from support.platform import Platform

from gitops.cache import Cache
from gitops.core.render import render
from gitops.git.maintenance import Maintenance
from gitops.git.repository import Repository
from gitops.reconciler import Reconciler
from torture.arena import Arena, Campaign
from torture.children import side_by_side
from torture.processes import Daemon
from torture.watched import Watched, until

_WORKS = 30
_LONGEST = 3600.0  # seconds of a life


def run(arena: Arena) -> None:
    """Both lives at once: a core each."""
    lives = {"passes": partial(passes, arena.times(9_500, 20)), "daemon": partial(daemon, arena.times(500, 3))}
    jobs = [
        (seed, partial(live, chance))
        for kind, live in lives.items()
        for seed, chance in list(Arena(arena.folder, arena.seed, only=arena.only).attempts(kind, 1))
    ]
    side_by_side(arena, jobs, _LONGEST)


def passes(commits: int, chance: random.Random, arena: Arena) -> None:
    """Answer each commit by a pass of one Reconciler, and let git maintain the repository when the daemon would."""
    platform = _platform(arena.folder, chance)
    repo = Repository.open(platform.path)
    daemon = Reconciler(repo, "main", platform.clock, render, Cache(repo.common_dir / "gitops", "main"))
    watched = Watched("passes", os.getpid(), repo.common_dir, arena, partial(_maintain, platform))
    with closing(Maintenance(repo)) as maintenance:
        for number in range(commits):
            with watched.look_now_and_then(platform, number, commits):
                _edit(platform, chance, number)
                daemon.reconcile()
            daemon.keep(worth=1000)
            maintenance.look()
        maintenance.wait()
        tip = platform.tip()
        daemon.reconcile()
        assert platform.tip() == tip, "the next pass writes something"
    _finish(platform, commits, arena)


def _maintain(platform: Platform) -> None:
    """Do as git does after a commit, and as it asks people to when it met a file that was there for a moment only."""
    (platform.path / "gc.log").unlink(missing_ok=True)
    platform.git("maintenance", "run", "--auto", "--quiet")


def daemon(commits: int, chance: random.Random, arena: Arena) -> None:
    """Let `gitops run` answer, from its clone of the repository."""
    platform = _platform(arena.folder, chance)
    arguments = ["--repo", f"file://{platform.path}", "--branch", "main", "run", "--interval", "50ms"]
    with Daemon(arena.folder, "cache", arguments, {"GIT_ALLOW_PROTOCOL": "file"}) as running:
        clone = arena.folder / "cache/gitops"
        until(clone.is_dir)
        watched = Watched("daemon", running._popen.pid if running._popen else 0, clone, arena, lambda: None)
        for number in range(commits):
            with watched.look_now_and_then(platform, number, commits):
                commit = _edit(platform, chance, number)
                until(partial(_answered, platform, commit))
        running.end()
    _finish(platform, commits, arena)


def _platform(folder: Path, chance: random.Random) -> Platform:
    platform = Platform(folder / "platform.git")
    modes = {"dev": "nestedByMetadata", "prod": "none", "edge": "aggregatedYAML"}
    platform.commit(
        {f"destinations/{name}.yaml": destination(name, mode=mode, env=name) for name, mode in modes.items()}
    )
    platform.commit({f"works/{number}.yaml": _work(chance, number, "begin") for number in range(_WORKS)})
    return platform


def _work(chance: random.Random, number: int, text: str) -> Manifest:
    env = chance.choice(["dev", "dev", "prod", "edge", "none"])
    return work(f"w{number}", {f"w{number}.yaml": configmap(f"w{number}", text)}, request="r", env=env)


def _edit(platform: Platform, chance: random.Random, number: int) -> str:
    """Mostly change a Work; now and then remove one, write nonsense, or meddle with what was written."""
    platform.clock.advance()
    which = chance.randrange(_WORKS)
    file, kind = f"works/{which}.yaml", chance.random()
    written = sorted(platform.blobs("state/")) if kind > 0.95 else []
    if written:
        return platform.commit({chance.choice(written): "meddled: true\n"}, f"Step {number}")
    if kind > 0.9 and file in platform.blobs("works/"):
        return platform.commit({file: None}, f"Step {number}")
    made = "kind: [\n" if kind > 0.88 else _work(chance, which, f"step-{number}")
    return platform.commit({file: made}, f"Step {number}")


def _answered(platform: Platform, commit: str) -> bool:
    """Whether a status commit stands on it, or a pass would have nothing to say about it."""
    newest = next((each for each in platform.log(until=commit) if oracle.is_status(each)), None)
    if newest is not None:
        return True
    planned = platform.reconciler().plan()
    return bool(planned and not planned.writes)


def _finish(platform: Platform, commits: int, arena: Arena) -> None:
    """Every commit of people is there, the repository is sound, and nobody has anything left to do."""
    steps = sum(subject.startswith("Step ") for subject in platform.subjects())
    assert steps == commits, f"{commits - steps} commits of people are gone"
    planned = platform.reconciler().plan()
    assert planned, "the branch is gone"
    assert not planned.writes, "there is still something to do"
    assert platform.git("fsck", "--strict", "--no-dangling") == ""
    arena.counts["commits of people"] += commits
    arena.counts["commits of the daemon"] += len(platform.subjects()) - commits


SOAK = Campaign(
    "soak",
    "Ten thousand commits: memory, objects, packs, handles and threads stay bounded, and nothing is left over.",
    run,
)
