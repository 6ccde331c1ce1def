"""What failed, told so that somebody can mend it: also what libgit2 says, where it was, and how full a disk is."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pygit2

from gitops.errors import RepositoryError

_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def blaming(place: Path) -> Iterator[None]:
    """Make a RepositoryError of what the system and libgit2 refuse in the repository at *place*."""
    try:
        yield
    except (pygit2.GitError, OSError) as error:
        raise RepositoryError(cause(error, place)) from error


def cause(error: Exception, place: Path) -> str:
    """Say what went wrong; *place* is told where *error* itself names no file."""
    told = str(error)
    if isinstance(error, OSError) and error.strerror:
        told = f"{error.filename or place}: {error.strerror}"
    elif str(place) not in told:
        told = f"{place}: {told}"
    if not any(os.strerror(number) in told for number in _FULL):
        return told
    with suppress(OSError):
        return f"{told} ({shutil.disk_usage(place).free:,} bytes are free)"
    return told
