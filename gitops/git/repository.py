"""A repository on this machine: opened as it is, or refused by name with the way out.

Only the repository's own configuration counts. What the user, the system or the environment configure is not read.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pygit2
from pygit2.enums import ConfigLevel

from gitops.core import urls
from gitops.core.tree import Oid
from gitops.errors import RepositoryError
from gitops.git.faults import blaming
from gitops.git.objects import ObjectStore
from gitops.git.pack import sync_folder

HEADS = "refs/heads/"
CLONE = Path("gitops", "clone")  # the mark of a clone in the cache; it says of which remote
_FOREIGN_LEVELS = (ConfigLevel.PROGRAMDATA, ConfigLevel.SYSTEM, ConfigLevel.XDG, ConfigLevel.GLOBAL)
_SYMBOLIC = 4  # names of names, which Git follows after HEAD
_WINDOW, _MAPPED = 1 << 20, 16 << 20  # bytes of packs: of each that is mapped, and of all together
OPEN_PACKS = 128  # at once: each is a file handle, and where nobody puts packs together there are thousands
_UNSUPPORTED = {
    "extensions.objectformat": ("sha1", "it uses sha256 object ids; gitops needs a repository with sha1 ids"),
    "extensions.refstorage": ("files", "it stores refs as reftable; run 'git refs migrate --ref-format=files' there"),
    "extensions.partialclone": ("", "it is a partial clone, with objects missing; clone it again without --filter"),
}


def seal() -> None:
    """Keep libgit2 to the repository's own configuration and to little memory, and make its refs survive power cuts."""
    for level in _FOREIGN_LEVELS:
        pygit2.settings.search_path[level] = ""
    pygit2.settings.owner_validation = True
    pygit2.settings.enable_fsync_gitdir(True)
    pygit2.settings.enable_strict_object_creation(False)  # what a ref leads to we make sure of ourselves
    pygit2.settings.mwindow_size, pygit2.settings.mwindow_mapped_limit = _WINDOW, _MAPPED
    pygit2.settings.mwindow_file_limit = OPEN_PACKS
    pygit2.settings.enable_caching(False)  # what is read again is in a cache of ours


seal()


class Repository:
    """An open repository, of one thread."""

    def __init__(self, handle: pygit2.Repository) -> None:
        self.handle = handle  # for the rooms of `gitops.git` only
        handle.set_ident("gitops", "gitops@localhost")  # in the reflog
        self.git_dir = Path(handle.path)
        self.common_dir = _common_dir(self.git_dir)
        self.objects = ObjectStore(self.common_dir / "objects")
        self.newest: dict[Callable[[str], bool], dict[Oid, tuple[Oid | None, bool]]] = {}  # of `gitops.git.newest`

    @classmethod
    def open(cls, path: Path) -> Repository:
        """Open the repository at or above *path*: a work tree, a linked one, a bare repository. RepositoryError."""
        seal()
        try:
            return cls._open(path)
        except RepositoryError:
            with blaming(path):
                _require_readable(path)
            return cls._open(path)  # either it is really so, or it was for a moment only

    @classmethod
    def _open(cls, path: Path) -> Repository:
        found = _discover(path)
        with blaming(found):
            _refuse_unsupported(path, _common_dir(found))
        try:
            return cls(pygit2.Repository(str(path)))  # not what was found: that has no way back to files elsewhere
        except (pygit2.GitError, OSError) as error:
            raise _refusal(path, found, error) from error

    @classmethod
    def init(cls, path: Path, branch: str = "main", *, bare: bool = False) -> Repository:
        """Make a repository at *path* on an unborn *branch*, *bare* or with a work tree; open one that is there."""
        seal()
        try:
            handle = pygit2.init_repository(str(path), bare=bare, initial_head=branch)
        except (pygit2.GitError, OSError) as error:
            file = next((above for above in (path, *path.parents) if above.exists() and not above.is_dir()), None)
            reason = f"{file} is a file; name a folder" if file else str(error)
            raise RepositoryError(f"{path}: cannot make a repository: {reason}") from error
        make_durable(Path(handle.path))
        return cls.open(path)

    def reopened(self) -> pygit2.Repository:
        """Return another handle of it: for refs in another thread, and for the rooms of `gitops.git` only."""
        return pygit2.Repository(str(self.common_dir))

    def workdir(self) -> Path | None:
        """Return the top of the work tree; None for a bare repository."""
        return work_tree(self.handle)

    def is_clone(self) -> bool:
        """Whether it is a clone in the cache, and so nobody's but ours: it may be thrown away."""
        return (self.common_dir / CLONE).is_file()

    def origin(self) -> str:
        """Return the URL that `origin` is fetched from, without a password in it; "" when there is none."""
        found = self.handle.config.get_multivar("remote.origin.url")
        return urls.public(next(iter(found), None) or "")

    def head_branch(self) -> str | None:
        """Return the branch that HEAD names, born or not; None when it is detached."""
        return branch_of(self.git_dir)


def work_tree(handle: pygit2.Repository) -> Path | None:
    """Return the top of the work tree; None for a bare repository, and where the Git directory cannot tell."""
    top = handle.workdir  # for a directory that `git init --separate-git-dir` made, just the folder that it is in
    told = top and ("core.worktree" in handle.config or pygit2.discover_repository(top) == handle.path)
    return Path(top) if told else None


def branch_of(git_dir: Path) -> str | None:
    """Return the branch that HEAD in *git_dir*, of the repository or of one work tree, names.

    Where that is a symbolic ref, such as `master` kept as another name of `main`, it is the branch that is meant.
    """
    common, ref = _common_dir(git_dir), _meant(git_dir / "HEAD")
    for _ in range(_SYMBOLIC):
        ref = _meant(common / ref) or ref
    return ref.removeprefix(HEADS) if ref.startswith(HEADS) else None


def _meant(file: Path) -> str:
    """Return the ref that the symbolic ref in *file* is a name for; "" when it is none."""
    try:
        kind, _, ref = file.read_text("utf-8", "surrogateescape").strip().partition(": ")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return ""
    return ref if kind == "ref" else ""


def _discover(path: Path) -> Path:
    found = pygit2.discover_repository(str(path)) if path.exists() else None
    if found is None:
        raise RepositoryError(
            f"{path.absolute()} is not a Git repository: run 'gitops init {path}' or give another --repo"
        )
    return Path(found)


def _require_readable(path: Path) -> None:
    """OSError for what cannot be read: libgit2 takes that for what is not there, and does not say why."""
    for git_dir in (path, path / ".git"):
        with suppress(FileNotFoundError, NotADirectoryError):
            (git_dir / "HEAD").read_bytes(), (git_dir / "config").read_bytes()
            list((git_dir / "objects").iterdir()), list((git_dir / "refs").iterdir())


def _refusal(path: Path, git_dir: Path, error: Exception) -> RepositoryError:
    owner = git_dir.stat().st_uid
    if owner != os.geteuid():
        return RepositoryError(
            f"{path} belongs to another user (uid {owner}): run gitops as that user, or change the owner with chown"
        )
    return RepositoryError(f"{path}: the repository cannot be opened: {error}")


def _common_dir(git_dir: Path) -> Path:
    """Return the directory that all work trees of a repository share."""
    link = git_dir / "commondir"
    return (git_dir / link.read_text().strip()).resolve() if link.is_file() else git_dir


def _refuse_unsupported(path: Path, common_dir: Path) -> None:
    try:
        config = pygit2.Config(str(common_dir / "config"))
    except (pygit2.GitError, OSError) as error:
        raise RepositoryError(f"{path} cannot be used: {error}; mend that file, or restore it from a backup") from error
    for key, (supported, reason) in _UNSUPPORTED.items():
        if key in config and (config[key] or "").lower() != supported:
            raise RepositoryError(f"{path} cannot be used: {reason}")


def make_durable(git_dir: Path) -> None:
    """Make a new repository survive a power cut, which otherwise may leave HEAD or config empty."""
    for folder, _, names in os.walk(git_dir):
        for name in names:
            with (Path(folder) / name).open("rb") as file:
                os.fsync(file.fileno())
        sync_folder(Path(folder))
    sync_folder(git_dir.parent)
