"""Files of a work tree, changed only where they hold what we believe they hold, and never through a symlink.

A file is reached component by component from a handle of the folder above it, so that nothing outside the work tree
can be touched, whatever anybody puts in the way.
"""

from __future__ import annotations

import ctypes
import os
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from gitops.core.tree import BLOB, FILE, LINK, SUBMODULE, Change, Entry, Oid, object_id

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_EXISTING = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FOREIGN = Entry(0, b"")  # a folder, a device: nothing that Git would store


class WorkFiles:
    """The files below *root*. A context manager, which holds the folders that it is in."""

    def __init__(self, root: Path, content: Callable[[Oid], bytes], sizes: Mapping[str, int]) -> None:
        """*content* returns the content of a blob; *sizes* are those that Git last saw files of a path have."""
        self._root, self._content, self._sizes = root, content, sizes
        self._folders: list[tuple[str, int]] = [("", os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))]

    def __enter__(self) -> WorkFiles:
        return self

    def __exit__(self, *_: object) -> None:
        while self._folders:
            os.close(self._folders.pop()[1])

    def prepare(self, change: Change) -> None:
        """Write what the file of *change* shall be beside it, so that it can follow at once after `sync`."""
        *above, name = change.path.split("/")
        if change.new and not _is_submodule(change) and self._enter(above, create=change.old is None):
            folder = self._folders[-1][1]
            _unlink(folder, _beside(name))  # of a run that was killed here
            if self._is_as_it_was(folder, name, change):
                self._write(folder, _beside(name), change.new)

    def follow(self, change: Change) -> os.stat_result | None:
        """Make the file of *change* what it shall be, if it is what it was; return its look if it then is so.

        Whatever else stands there is the user's, and stays.
        """
        *above, name = change.path.split("/")
        if _is_submodule(change) or not self._enter(above, create=change.old is None):
            return None
        folder = self._folders[-1][1]
        if self._is_as_it_was(folder, name, change):  # or executable: what is written anew is not
            if change.new is None:
                _unlink(folder, name)
                self._remove_empty_folders()
                return None
            self._replace(folder, name, change.new)
        elif change.new is None:
            return None
        else:
            _unlink(folder, _beside(name))
            if _present(folder, name) != _kept(change.new):
                return None
        return os.stat(name, dir_fd=folder, follow_symlinks=False)

    def sync(self) -> None:
        """Make all that was written survive a power cut, at the cost of one call however many files there are."""
        if ctypes.CDLL(None, use_errno=True).syncfs(self._folders[0][1]):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(self._root))

    def _enter(self, above: list[str], create: bool) -> bool:
        """Go to a folder; False when something else is in the way, or when it is missing and not to be made."""
        shared = 0
        while shared < min(len(above), len(self._folders) - 1) and self._folders[shared + 1][0] == above[shared]:
            shared += 1
        while len(self._folders) > shared + 1:
            os.close(self._folders.pop()[1])
        for name in above[shared:]:
            try:
                self._folders.append((name, _open_folder(self._folders[-1][1], name, create)))
            except (FileNotFoundError, NotADirectoryError):
                return False
        return True

    def _is_as_it_was(self, folder: int, name: str, change: Change) -> bool:
        """Tell whether a file is what it was before *change*, perhaps with line ends that Git converted."""
        old = _kept(change.old)
        return _present(folder, name) == old or _present(folder, name, self._sizes.get(change.path)) == old

    def _replace(self, folder: int, name: str, entry: Entry) -> None:
        """Let a file have its new content at once: a power cut leaves nothing that would pass for the user's."""
        if _present(folder, _beside(name)) != _kept(entry):  # something was in the way, that has gone since
            _unlink(folder, _beside(name))
            self._write(folder, _beside(name), entry)
            self.sync()
        os.rename(_beside(name), name, src_dir_fd=folder, dst_dir_fd=folder)

    def _write(self, folder: int, name: str, entry: Entry) -> None:
        content = self._content(entry.oid)
        if entry.mode == LINK:
            os.symlink(content, name, dir_fd=folder)
            return
        with open(os.open(name, _NEW, 0o666, dir_fd=folder), "wb") as file:  # noqa: PTH123 - a handle, no path
            file.write(content)

    def _remove_empty_folders(self) -> None:
        while len(self._folders) > 1:
            name, handle = self._folders[-1]
            try:
                os.rmdir(name, dir_fd=self._folders[-2][1])
            except OSError:  # something is in there still
                return
            os.close(handle)
            self._folders.pop()


def _open_folder(above: int, name: str, create: bool) -> int:
    if create:
        with suppress(FileExistsError):
            os.mkdir(name, dir_fd=above)
    return os.open(name, _FOLDER, dir_fd=above)


def _present(folder: int, name: str, converted: int | None = None) -> Entry | None:
    """Return what Git would store of the file, as an ordinary one even when it is executable.

    A file of the size *converted* has line ends that Git made CRLF: when somebody else does so, the size is another.
    """
    try:
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
        if stat.S_ISLNK(mode):
            return Entry(LINK, object_id(BLOB, os.fsencode(os.readlink(name, dir_fd=folder))))
        if not stat.S_ISREG(mode):
            return _FOREIGN
        with open(os.open(name, _EXISTING, dir_fd=folder), "rb") as file:  # noqa: PTH123 - a handle, no path
            content = file.read()
        return Entry(FILE, object_id(BLOB, content.replace(b"\r\n", b"\n") if len(content) == converted else content))
    except FileNotFoundError:
        return None


def _kept(entry: Entry | None) -> Entry | None:
    """Return what a file shows of an entry: whether it is executable does not count here, and is never set."""
    return entry and Entry(LINK if entry.mode == LINK else FILE, entry.oid)


def _beside(name: str) -> str:
    """Name the file that holds what the file *name* shall be."""
    return f".gitops-{object_id(BLOB, os.fsencode(name)).hex()}"


def _is_submodule(change: Change) -> bool:
    return any(entry is not None and entry.mode == SUBMODULE for entry in (change.old, change.new))


def _unlink(folder: int, name: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)
