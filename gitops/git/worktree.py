"""The work trees of a repository, and how one follows when the branch that it has checked out moves.

Git's own lock of the index is held from before the ref moves until index and files have followed, so that nobody can
commit in between, and undo by that what was moved. After a kill the lock stays, and a second name of it proves it ours.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pygit2

from gitops.core.paths import fold
from gitops.core.tree import Change, Objects, Oid, diff
from gitops.errors import Busy
from gitops.git.attributes import refuse_converted
from gitops.git.files import WorkFiles
from gitops.git.index import Index
from gitops.git.pack import sync_folder
from gitops.git.repository import HEADS, Repository, branch_of, work_tree

_REBASES = ("rebase-merge/head-name", "rebase-apply/head-name")
_NOWHERE, _GITS_OWN = {"", ".", ".."}, {".git", "git~1"}  # components that no file of a work tree has


class Checkout(NamedTuple):
    """A work tree: where it keeps its own HEAD and index, where its files are, and its branch (None: detached)."""

    git_dir: Path
    root: Path
    branch: str | None

    @property
    def index_file(self) -> Path:
        return self.git_dir / "index"

    @property
    def lock(self) -> Path:
        return self.git_dir / "index.lock"

    @property
    def claim(self) -> Path:
        """The second name of a lock of ours."""
        return self.git_dir / "index.gitops"


def checkouts(repo: Repository, branch: str) -> list[Checkout]:
    """Return all work trees that have *branch* checked out. `Busy` while a rebase of it is stopped half way."""
    places = list(_all(repo))
    for place in places:
        for state in _REBASES:
            if _line(place.git_dir / state) == HEADS + branch:
                raise Busy(f"a rebase of {branch} is under way in {place.root}: finish it, or 'git rebase --abort'")
    return [place for place in places if place.branch == branch]


def changes(objects: Objects, old: Oid | None, new: Oid) -> list[Change]:
    """Return what differs between two commits, in the order in which files are best changed: removals first."""
    before, after = (objects.commit_tree(commit) if commit else None for commit in (old, new))
    safe = (change for change in diff(objects, before, after) if _is_safe(change.path))
    return sorted(safe, key=lambda change: (change.new is not None, change.path))


class HeldIndex:
    """The index of a work tree, locked as Git itself locks it, until it is closed."""

    def __init__(self, place: Checkout, handle: int) -> None:
        self._place = place
        self._handle = handle
        self._index = Index(b"", "")
        self._followed: list[Change] = []

    def prepare(self, changes: Iterable[Change]) -> None:
        """Write the index that *changes* make of the present one into the lock, so that only a rename is missing."""
        place = self._place
        raw = place.index_file.read_bytes() if place.index_file.exists() else b""
        self._index = Index(raw, str(place.index_file))
        self._followed = self._index.follow(changes)
        refuse_converted(place.git_dir, place.root, [change.path for change in self._wanted()])
        if raw:
            os.fchmod(self._handle, place.index_file.stat().st_mode & 0o777)
        self._write()
        sync_folder(self._place.git_dir)

    def complete(self, objects: Objects) -> None:
        """Bring the files after the index that was prepared, and put it in place."""
        wanted = self._wanted()
        with WorkFiles(self._place.root, objects.blob, self._index.sizes) as files:
            for change in wanted:
                files.prepare(change)
            files.sync()
            for change in wanted:
                look = files.follow(change)
                if look and change.new:
                    self._index.saw(change.path, look)
            files.sync()
        self._write()
        self._place.lock.rename(self._place.index_file)
        self._take_back_claim()

    def drop(self) -> None:
        """Leave index and files as they are."""
        if _same(self._place.claim, self._place.lock):
            self._place.lock.unlink()
        self._take_back_claim()

    def close(self) -> None:
        """Let go of it. When nothing was completed or dropped, that is as a kill: `finish` takes it from there."""
        os.close(self._handle)

    def _wanted(self) -> list[Change]:
        """List the changes whose files a sparse checkout does not leave out, or which are there all the same."""
        return [change for change in self._followed if not (change.new and self._is_left_out(change.path))]

    def _is_left_out(self, path: str) -> bool:
        return self._index.is_sparse(path) and not os.path.lexists(self._place.root / path)

    def _take_back_claim(self) -> None:
        sync_folder(self._place.git_dir)  # after a power cut, no lock of ours may stand without its claim
        self._place.claim.unlink(missing_ok=True)

    def _write(self) -> None:
        content = self._index.serialise()
        os.ftruncate(self._handle, 0)
        os.lseek(self._handle, 0, os.SEEK_SET)
        with open(self._handle, "wb", closefd=False) as file:
            file.write(content)
        os.fsync(self._handle)


def hold(place: Checkout) -> HeldIndex:
    """Lock the index of a work tree. `Busy` when somebody else, such as an open editor, holds it."""
    stale = _take(place)
    if stale is not None:
        _drop(place, stale)
    try:
        handle = os.open(place.claim, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError as error:
        raise _busy(place) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        sync_folder(place.git_dir)
        os.link(place.claim, place.lock)
    except OSError as error:
        _drop(place, handle)
        raise (_busy(place) if place.lock.exists() else error) from error
    return HeldIndex(place, handle)


def _drop(place: Checkout, handle: int) -> None:
    """Drop what is held, and in any case let go of it: or else the next pass would wait for this one."""
    with closing(HeldIndex(place, handle)) as held:
        held.drop()


def interrupted(repo: Repository) -> list[Checkout]:
    """Return the work trees in which a lock of ours stands, or its second name at least."""
    return [place for place in _all(repo) if place.claim.exists()]


def finish(place: Checkout, objects: Objects, changes: Iterable[Change] | None) -> None:
    """Complete what a dead process had begun in *place*: *changes*, or None when it is to be dropped.

    What a living process holds stays. `Busy` as for `hold`, when somebody took our lock away and holds his own.
    """
    handle = _take(place)
    if handle is None:
        return
    with closing(HeldIndex(place, handle)) as held:
        if changes is not None and _same(place.claim, place.lock):
            held.prepare(changes)
            held.complete(objects)
            return
        completed = _same(place.claim, place.index_file)
        held.drop()
    if changes is not None and not completed:  # somebody removed our lock by hand
        with closing(hold(place)) as held:
            held.prepare(changes)
            held.complete(objects)


def _take(place: Checkout) -> int | None:
    """Take over the claim of a dead process; None when there is none, or when its owner lives."""
    try:
        handle = os.open(place.claim, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        if isinstance(error, BlockingIOError):
            return None
        raise
    return handle


def _all(repo: Repository) -> Iterator[Checkout]:
    main = repo.common_dir
    root = repo.workdir() if repo.git_dir == main else work_tree(pygit2.Repository(str(main)))
    if root:
        yield Checkout(main, root, branch_of(main))
    linked = main / "worktrees"
    for git_dir in sorted(linked.iterdir()) if linked.is_dir() else ():
        link = git_dir / _line(git_dir / "gitdir")  # a relative path where users want that, since Git 2.48
        if link.is_file() and (git_dir / "HEAD").is_file():
            yield Checkout(git_dir, link.parent.resolve(), branch_of(git_dir))


def _line(path: Path) -> str:
    try:
        return path.read_text("utf-8", "surrogateescape").strip()
    except (FileNotFoundError, NotADirectoryError):
        return ""


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except FileNotFoundError:
        return False


def _is_safe(path: str) -> bool:
    return not any(part in _NOWHERE or fold(part).rstrip(". ") in _GITS_OWN for part in path.split("/"))


def _busy(place: Checkout) -> Busy:
    try:
        age = f" for {time.time() - place.lock.stat().st_mtime:.0f} s"
    except FileNotFoundError:
        age = ""
    return Busy(f"{place.lock} has been held{age}: a git command is under way there; if none is, remove the file")
