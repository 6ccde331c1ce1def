"""Clones of remote repositories in a cache folder: bare, ours alone, and thrown away on any doubt.

What is in one can be fetched again, or was never pushed and is decided again. Only what carries our mark is removed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import struct
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pygit2

from gitops.core import urls
from gitops.errors import RepositoryError
from gitops.git import loose, pack
from gitops.git.faults import blaming, cause
from gitops.git.repository import CLONE, Repository, make_durable

_CHECKED = Path("gitops", "checked")  # says in which run of the machine
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_CHUNK = 1 << 20  # bytes


def cache_folder(environment: Mapping[str, str]) -> Path:
    """Return where clones are kept: `gitops` below the user's folder for caches."""
    given = Path(environment.get("XDG_CACHE_HOME", ""))
    return (given if given.is_absolute() else Path.home() / ".cache") / "gitops"


def open_clone(url: str, cache: Path) -> Repository:
    """Open the clone of *url* below the folder *cache*, or make an empty one. Nothing is fetched.

    A damaged one is replaced. RepositoryError for what stands in its place and is not ours; ValueError as `urls.parse`.
    """
    path = _path(url, cache)
    try:
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise RepositoryError(f"{cause(error, cache)}: clones are kept there; set XDG_CACHE_HOME") from error
    with blaming(cache), _alone(path):
        if os.path.lexists(path) and not _usable(path, url):
            _remove(path)
        if not path.exists():
            _make(path, url)
        return Repository.open(path)


def throw_away(repo: Repository) -> None:
    """Remove a damaged clone, which `open_clone` then makes anew. RepositoryError if it is not ours."""
    with _alone(repo.common_dir):
        _remove(repo.common_dir)


def _path(url: str, cache: Path) -> Path:
    """Name the clone so that people recognise it, and no two repositories share one."""
    spelt = urls.canonical(url)
    readable = re.sub(r"[^A-Za-z0-9]+", "-", spelt.partition("://")[2]).strip("-")[-48:].strip("-")
    return cache / f"{readable}-{hashlib.sha256(spelt.encode()).hexdigest()[:12]}.git"


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep other processes from making or removing the same clone, and clear away what a killed one left of it."""
    handle = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        for left in path.parent.glob(f"{_aside(path)}*"):
            shutil.rmtree(left, ignore_errors=True)
        yield
    finally:
        os.close(handle)


def _aside(path: Path) -> str:
    """Return how the names of folders begin in which a clone is made or removed."""
    return f".{path.stem}-"


def _make(path: Path, url: str) -> None:
    """Make it beside its place, durable, and then visible as a whole."""
    with tempfile.TemporaryDirectory(prefix=_aside(path), dir=path.parent) as folder:
        unfinished = Path(folder, "clone")
        pygit2.init_repository(str(unfinished), bare=True, initial_head="main")
        for lock in unfinished.glob("*.lock"):  # libgit2 leaves it where it cannot remove it, and says nothing
            lock.unlink()
        (unfinished / CLONE).parent.mkdir()
        (unfinished / CLONE).write_text(f"{urls.canonical(url)}\n", "utf-8")
        (unfinished / _CHECKED).write_text(_this_run())
        make_durable(unfinished)
        unfinished.rename(path)
    pack.sync_folder(path.parent)


def _remove(path: Path) -> None:
    if not (path / CLONE).is_file():
        raise RepositoryError(f"{path} stands where a clone shall be, and gitops did not make it: move it away")
    with tempfile.TemporaryDirectory(prefix=_aside(path), dir=path.parent, ignore_cleanup_errors=True) as folder:
        path.rename(Path(folder, "clone"))  # at once; its contents go afterwards


def _usable(path: Path, url: str) -> bool:
    """Whether the clone is that of *url*, and whole as far as one can tell before libgit2 reads it."""
    try:
        if (path / CLONE).read_text("utf-8").strip() != urls.canonical(url):
            return False
        if (path / _CHECKED).read_text() != _this_run():
            _check(path / "objects")
            (path / _CHECKED).write_text(_this_run())
        repo = Repository.open(path)
        list(repo.handle.references.iterator())
        return (path / "HEAD").stat().st_size > 0 and repo.handle.is_bare
    except (OSError, ValueError, struct.error, loose.DamagedError, pygit2.GitError, RepositoryError):
        return False


def _check(objects: Path) -> None:
    """Look at every file once: since the machine was last started, power may have been cut while one was written.

    ValueError and others for a damaged one.
    """
    for file in objects.glob("pack/tmp_*"):
        file.unlink()
    for index in objects.glob("pack/*.idx"):
        named, own = _checksums(index, 2)
        if _digest(index, 20) != own or _checksums(index.with_suffix(".pack"), 1) != [named]:
            raise ValueError(f"{index} is damaged")
        if _digest(index.with_suffix(".pack"), 20) != named:
            raise ValueError(f"{index} is damaged")
    for file in objects.glob("[0-9a-f][0-9a-f]/*"):
        if loose.read(str(objects), bytes.fromhex(file.parent.name + file.name)) is None:
            raise ValueError(f"{file} is damaged")


def _checksums(path: Path, count: int) -> list[bytes]:
    with path.open("rb") as file:
        file.seek(-20 * count, os.SEEK_END)
        return [file.read(20) for _ in range(count)]


def _digest(path: Path, without: int) -> bytes:
    """Return the SHA-1 of a file *without* its last bytes."""
    digest, left = hashlib.sha1(usedforsecurity=False), path.stat().st_size - without
    with path.open("rb") as file:
        while left > 0 and (chunk := file.read(min(_CHUNK, left))):
            digest.update(chunk)
            left -= len(chunk)
    return digest.digest()


def _this_run() -> str:
    """Return what differs after each start of the machine; where that is unknown, each time."""
    return _BOOT.read_text() if _BOOT.exists() else os.urandom(8).hex()
