"""The repository that `--repo URL` names: its clone in the cache, and the secrets that lead to it and to stores."""

from __future__ import annotations

import argparse
import os
import signal
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from types import FrameType, MappingProxyType

from gitops import access
from gitops.branches import Branches
from gitops.core import urls
from gitops.core.tree import Oid
from gitops.errors import UsageError
from gitops.git import clones
from gitops.git.lock import daemon_lock
from gitops.git.remote import Remote
from gitops.git.repository import Repository
from gitops.git.transport import Transport
from gitops.secrets import Secrets
from gitops.stores import INTERVAL, Stores

_READERS = "readers"  # clones of commands that only read, so that they never disturb a daemon


def secrets(args: argparse.Namespace) -> Secrets:
    """Return the secrets that the operator gives to this command."""
    folder = args.secrets or os.environ.get("GITOPS_SECRETS")
    if folder and not Path(folder).is_dir():
        given = "--secrets" if args.secrets else "GITOPS_SECRETS"
        raise UsageError(f"{given} {folder}: there is no such folder")
    return Secrets(Path(folder) if folder else None, os.environ)


def open_clone(args: argparse.Namespace) -> tuple[Repository, Remote]:
    """Open the clone for reading, as it was left, and its remote. GitOpsError.

    Should it turn out to be damaged, the command throws away what `args.clone` tells, and begins again.
    """
    args.clone = _clone(args.repo, reads=True)
    return args.clone, remote(args.clone, args, _ended())


def _clone(url: str, *, reads: bool) -> Repository:
    """Open the clone in the cache, as it was left; one that is only read is another than a daemon's."""
    if reason := urls.problem(url, urls.ANY):
        raise UsageError(f"--repo {urls.shown(url)}: {reason}")
    cache = clones.cache_folder(os.environ)
    return clones.open_clone(url, cache / _READERS if reads else cache)


def remote(repo: Repository, args: argparse.Namespace, stopped: Callable[[], bool]) -> Remote:
    """Return the remote that *repo* is a clone of."""
    credentials = access.of_repository(args.repo, secrets(args))
    return Remote(repo, args.repo, credentials, Transport(repo, stopped=stopped), disposable=True)


def branches(
    repo: Repository, origin: Remote | None, args: argparse.Namespace, tips: Mapping[str, Oid] = MappingProxyType({})
) -> Branches:
    """Return the branches of *repo*, or of the remote that it is a clone of, and of the state stores.

    Some branches are taken to be at *tips*.
    """
    return Branches(repo, Stores(repo, secrets(args), _ended()), origin, tips=tips)


def _ended() -> Callable[[], bool]:
    """Return what tells that the command was told to end: no process of Git may stay behind then."""
    stop = Event()

    def end(number: int, frame: FrameType | None) -> None:
        stop.set()
        raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    return stop.is_set


def daemon_branches(
    args: argparse.Namespace, held: ExitStack, stopped: Callable[[], bool], interval: float = INTERVAL
) -> Branches:
    """Return the branches for the one daemon of a repository, which is locked until *held* ends. LockedError."""
    elsewhere = urls.is_typed(args.repo)
    repo = _clone(args.repo, reads=False) if elsewhere else Repository.open(Path(args.repo or "."))
    held.enter_context(daemon_lock(repo))
    stores = Stores(repo, secrets(args), stopped, interval)
    if not elsewhere:
        return Branches(repo, stores)

    def renew() -> Branches:
        stores.close()
        clones.throw_away(repo)
        return daemon_branches(args, held, stopped, interval)

    return Branches(repo, stores, remote(repo, args, stopped), renew)
