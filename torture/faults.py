"""Faults that are neither a kill nor a failing call: clocks, garbage collections, repositories that move, versions.

Each is a case of its own, from a platform that stands; docs/faults.md says which fault is shown where.
"""

from __future__ import annotations

import random
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from unittest import mock

import pytest
from support import model, oracle
from support.definitions import configmap, destination, work
from support.platform import Platform

from gitops.errors import MissingError
from gitops.git.objects import ObjectStore
from gitops.reconciler import Reconciler
from torture.arena import Arena, Campaign

Case = Callable[[Platform, random.Random], None]
_STATUS = "works/default/redis/work.yaml"


def _begin(path: Path) -> Platform:
    platform = Platform(path)
    platform.commit({f"destinations/{name}.yaml": destination(name, env=name) for name in ("dev", "prod")})
    platform.commit({"works/redis.yaml": work("redis", env="dev"), "works/sql.yaml": work("sql", env="prod")})
    return platform


def _edit(platform: Platform, text: object) -> None:
    platform.commit({"works/redis.yaml": work("redis", {"x.yaml": configmap("redis", str(text))}, env="dev")})


def _pass(platform: Platform) -> None:
    """A pass that keeps the laws, and after which there is nothing to do."""
    before = oracle.look(platform)
    platform.reconcile()
    after = oracle.judge(platform, before)
    model.judge(platform, after)
    for daemon in (platform, platform.reconciler()):
        daemon.reconcile()
        assert platform.tip() == after.tips[platform.branch], "there was something left to do"


def _times(platform: Platform) -> dict[tuple[str, str], str]:
    statuses = platform.statuses()
    return {(f, c["type"]): c["lastTransitionTime"] for f, s in statuses.items() for c in s["status"]["conditions"]}


def clock(platform: Platform, chance: random.Random, step: timedelta) -> None:
    """The clock jumps between passes; what became Ready before stays where it is, and no time goes back."""
    _pass(platform)
    for text in range(4):
        before = _times(platform)
        platform.clock.now += chance.choice((step, -step, timedelta(seconds=1)))
        _edit(platform, text)
        if text == 2:  # it is misplaced, and fits again afterwards
            platform.commit({"destinations/dev.yaml": destination("dev", env="other")})
        _pass(platform)
        after = _times(platform)
        assert all(after[key] >= time for key, time in before.items() if key in after), "a time went back"
        platform.commit({"destinations/dev.yaml": destination("dev", env="dev")})
        _pass(platform)


def gc_before_the_swap(platform: Platform, chance: random.Random) -> None:
    """`git gc --prune=now` by somebody between objects and ref."""
    flush, left = ObjectStore.flush, [chance.randint(1, 3)]

    def pruned(store: ObjectStore) -> None:
        flush(store)
        if left[0]:
            left[0] -= 1
            platform.git("gc", "--prune=now", "--quiet")

    with mock.patch.object(ObjectStore, "flush", pruned):
        platform.reconcile()
    _pass(platform)
    assert not platform.git("fsck", "--strict", "--no-dangling", "--no-progress")


def pack_refs_meanwhile(platform: Platform, chance: random.Random) -> None:
    """`git pack-refs` and `git gc --prune=now` in a loop, beside passes."""
    for text in range(4):
        _edit(platform, text)
        before = oracle.look(platform)
        with _beside(platform, chance.choice((("pack-refs", "--all"), ("gc", "--prune=now", "--quiet")))):
            platform.reconcile()
        oracle.judge(Platform(platform.path), before)
    _pass(platform)
    assert not platform.git("fsck", "--strict", "--no-dangling", "--no-progress")


@contextmanager
def _beside(platform: Platform, command: tuple[str, ...]) -> Iterator[None]:
    end = threading.Event()

    def work_on() -> None:
        while not end.wait(0.001):
            platform.git(*command)

    thread = threading.Thread(target=work_on)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


def lost_alternates(platform: Platform, _: random.Random) -> None:
    """The repository that ours borrows objects from is away for a while: told, nothing removed, and then it goes on."""
    lender, borrowed = platform.path / "objects", platform.path.with_name("lender")
    shutil.copytree(lender, borrowed)
    for folder in [*lender.glob("[0-9a-f][0-9a-f]"), lender / "pack"]:
        shutil.rmtree(folder)
    (lender / "pack").mkdir()
    listing = lender / "info" / "alternates"
    listing.write_text(f"{borrowed}\n")
    daemon = platform.reconciler()
    borrowed.rename(borrowed.with_name("away"))
    for _attempt in range(2):
        with pytest.raises(MissingError, match="is missing"):
            daemon.reconcile()
    borrowed.with_name("away").rename(borrowed)
    daemon.reconcile()
    _pass(Platform(platform.path, platform.clock))


def moved_and_made_anew(platform: Platform, _: random.Random) -> None:
    """The repository is moved away, another one stands in its place, and then the first is back."""
    _pass(platform)
    tip, away = platform.tip(), platform.path.with_name("away.git")
    daemon: Reconciler = platform.reconciler()
    daemon.reconcile()
    platform.path.rename(away)
    other = Platform(platform.path, platform.clock)
    other.commit({"destinations/dev.yaml": destination("dev", env="dev"), "works/other.yaml": work("other", env="dev")})
    daemon.reconcile()
    assert other.condition("works/default/other/work.yaml")[0] == "True"
    assert not other.status(_STATUS), "something of the other repository is here"
    shutil.rmtree(platform.path)
    away.rename(platform.path)
    daemon.reconcile()
    assert platform.tip() == tip, "it was changed while it was away"


def missed_events(platform: Platform, chance: random.Random) -> None:
    """Whatever happened unseen: the next look finds all of it, however it was told."""
    for text in range(chance.randint(5, 20)):
        _edit(platform, text)
    platform.remove("works/sql.yaml")
    platform.rewind(2)
    _edit(platform, "last")
    _pass(platform)


def newer_version(platform: Platform, _: random.Random) -> None:
    """A newer gitops left status with fields that this one does not know: it is read, and no event comes of it."""
    _pass(platform)
    documents, newer = platform.blobs("state/"), platform.status(_STATUS)
    newer["status"]["future"] = {"of": "another version"}
    platform.commit({f"status/{_STATUS}": newer}, platform.log()[0].message)
    platform.reconciler().reconcile()
    assert platform.blobs("state/") == documents, "documents changed with the version"
    assert "(0 events)" in platform.subjects()[0], platform.subjects()
    assert platform.status(_STATUS)["events"] == newer["events"], "events changed with the version"
    _edit(platform, "changed")
    _pass(platform)


CASES: dict[str, Case] = {
    "clock-an-hour-back": partial(clock, step=timedelta(hours=-1)),
    "clock-ten-years-ahead": partial(clock, step=timedelta(days=3652)),
    "clock-a-second": partial(clock, step=timedelta(seconds=1)),
    "gc-before-the-swap": gc_before_the_swap,
    "gc-and-pack-refs": pack_refs_meanwhile,
    "lost-alternates": lost_alternates,
    "moved-and-made-anew": moved_and_made_anew,
    "missed-events": missed_events,
    "newer-version": newer_version,
}
_TIMES = 10  # of each case in a whole run


def run(arena: Arena) -> None:
    """Try all cases, each a few times with a chance of its own."""
    for name, case in CASES.items():
        for seed, chance in arena.attempts(name, _TIMES):
            with arena.attempt(seed):
                case(_begin(arena.folder / seed / "platform.git"), chance)
                arena.counts[name] += 1
            shutil.rmtree(arena.folder / seed, ignore_errors=True)


FAULTS = Campaign(
    "faults",
    "A clock that jumps, a garbage collection or a moved repository at the worst moment, missed events, and status of"
    " a newer version: nothing is lost, no event comes twice, and no time goes back.",
    run,
)
