"""What the system and libgit2 refuse is told with its cause, its place, and what is free on a full disk."""

import errno
import os

import pygit2
import pytest

from gitops.errors import RepositoryError
from gitops.git.faults import blaming


def _told(place, error):
    with pytest.raises(RepositoryError) as told, blaming(place):
        raise error
    return str(told.value)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_tells_what_is_free(tmp_path, number):
    assert "bytes are free)" in _told(tmp_path, OSError(number, os.strerror(number), str(tmp_path / "pack")))
    assert "bytes are free)" in _told(tmp_path, pygit2.GitError(f"could not write: {os.strerror(number)}"))


def test_an_error_that_names_no_file_names_the_repository(tmp_path):
    assert _told(tmp_path, OSError(errno.EIO, os.strerror(errno.EIO))) == f"{tmp_path}: Input/output error"
    assert _told(tmp_path, pygit2.GitError("no error")) == f"{tmp_path}: no error"


def test_an_error_that_names_a_file_is_told_of_that(tmp_path):
    error = OSError(errno.EACCES, os.strerror(errno.EACCES), "/etc/shadow")
    assert _told(tmp_path, error) == "/etc/shadow: Permission denied"
