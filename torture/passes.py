"""The reference passes of the sweep: what stands there before each, and which of its folders may fail."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import pygit2
from support.definitions import configmap, destination, store, work
from support.platform import Clock, Platform

from gitops.cache import Cache
from gitops.cli.origin import daemon_branches
from gitops.core.render import render
from gitops.daemon import Daemon
from gitops.git.maintenance import Maintenance
from gitops.reconciler import Reconciler

STORES, SERVER = ("a", "b"), "store"


@dataclass(frozen=True)
class Place:
    """Where a reference pass happens: everything of it is below *folder*, always the same one."""

    folder: Path

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def cache(self) -> Path:
        return self.folder / "cache"

    def store(self, name: str) -> Path:
        return self.folder / f"{name}.git"

    def repositories(self) -> dict[str, Platform]:
        """All repositories that documents are delivered to."""
        return {path.name: Platform(path) for path in (self.home, *map(self.store, STORES)) if path.exists()}


@dataclass(frozen=True)
class Pass:
    """A pass to be disturbed. *prepare* makes what stands there before it; *fails* is the folder whose calls fail."""

    name: str
    prepare: Callable[[Place], None]
    fails: str = "home"
    by_url: bool = False

    @contextmanager
    def daemon(self, place: Place, stop: Event, clock: Clock) -> Iterator[Daemon]:
        """A daemon that starts as `gitops run` does."""
        repo = f"file://{place.home}" if self.by_url else str(place.home)
        arguments = argparse.Namespace(repo=repo, secrets=None, branch="main")
        with ExitStack() as held:
            branches = daemon_branches(arguments, held, stop.is_set, interval=0.0)
            cache = Cache(branches.repo.common_dir / "gitops", "main")
            reconciler = Reconciler(branches.repo, "main", clock, render, cache, branches)
            yield Daemon(reconciler, stop, Maintenance(branches.repo))
            reconciler.keep()


def _begun(place: Place) -> Platform:
    """Two Destinations and three Works, as people commit them."""
    platform = Platform(place.home)
    platform.commit({f"destinations/{name}.yaml": destination(name, env=name) for name in ("dev", "prod")})
    works = {f"works/{name}.yaml": _work(name, env="dev") for name in ("redis", "kafka")}
    template = {"y.yaml.j2": configmap("{{ destination.metadata.name }}")}
    platform.commit({**works, "works/sql.yaml": work("sql", template)})
    return platform


def _work(name: str, text: str = "a", **selected: str) -> Mapping[str, Any]:
    return work(name, {"x.yaml": configmap(name, text), f"{text}.yaml": configmap(text)}, **selected)


def _changed(platform: Platform) -> None:
    """One Work has another document, and one is gone."""
    changed = _work("redis", "b", env="dev")
    platform.commit({"works/redis.yaml": changed, "works/kafka.yaml": None})


def _cold(place: Place) -> None:
    _begun(place)


def _warm(place: Place) -> None:
    platform = _begun(place)
    platform.reconcile()
    _changed(platform)


def _checked_out(place: Place) -> None:
    pygit2.init_repository(str(place.home), initial_head="main")
    platform = _begun(place)
    platform.git("reset", "-q", "--hard")
    platform.reconcile()
    changed = Platform(place.home)
    _changed(changed)
    changed.git("reset", "-q", "--hard")
    (place.home / "works" / "mine.txt").write_text("not committed\n")


def _remote(place: Place) -> None:
    _begun(place)
    place.cache.mkdir()


def _remote_again(place: Place) -> None:
    """The clone is there; people committed since, and the server is as it was found."""
    platform = _begun(place)
    with REMOTE.daemon(place, Event(), platform.clock) as daemon:
        daemon.run(["start"])
    _changed(platform)


def _stores(place: Place) -> None:
    platform = _begun(place)
    for name, env in zip(STORES, ("dev", "prod"), strict=True):
        pygit2.init_repository(str(place.store(name)), bare=True, initial_head="main")
        made = store(name, path="docs")
        made["spec"]["url"] = f"file://{place.store(name)}"
        delivered = destination(env, env=env, store=name)
        platform.commit({f"statestores/{name}.yaml": made, f"destinations/{env}.yaml": delivered})


def _restart(place: Place) -> None:
    """The daemon has kept in mind what it knew; people committed since."""
    platform = _begun(place)
    with RESTART.daemon(place, Event(), platform.clock) as daemon:
        daemon.run(["start"])
    _changed(platform)


REMOTE = Pass("remote", _remote, fails="cache", by_url=True)
RESTART = Pass("restart", _restart)
PASSES = {
    each.name: each
    for each in (
        Pass("cold", _cold),
        Pass("change", _warm),
        Pass("worktree", _checked_out),
        REMOTE,
        Pass("fetched", _remote_again, fails="cache", by_url=True),
        Pass("stores", _stores),
        Pass(SERVER, _stores, fails="a.git"),
        RESTART,
    )
}


def clear(folder: Path) -> None:
    """Remove what the last attempt left."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
