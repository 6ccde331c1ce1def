"""Paths: what is accepted is safe by a second opinion, worked out here and by Git's own library."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import unicodedata
from functools import cache

import pygit2
from pygit2.enums import FileMode

from gitops.core import paths

_IGNORED = {"\u034f", "\u115f", "\u1160", "\u17b4", "\u17b5", "\u3164", "\uffa0", *map(chr, range(0xFE00, 0xFE10))}


def check(raw: bytes) -> None:
    """Assert what holds of any path."""
    path = raw.decode("utf-8", "surrogateescape")
    refusal = paths.check(path)
    folded = paths.fold(path)
    assert paths.fold(folded) == folded
    assert paths.overlap(path, path)
    if refusal:
        assert refusal.startswith('path "')
        assert refusal.isprintable()
        assert len(refusal) < 512
        return
    assert len(path.encode()) <= paths.MAX_PATH
    assert not path.startswith("/")
    for part in path.split("/"):
        _harmless(part)
    assert paths.directory(path) == path


def _harmless(part: str) -> None:
    assert part not in ("", ".", "..")
    assert len(part.encode()) <= paths.MAX_COMPONENT
    assert all(unicodedata.category(c) not in ("Cc", "Cf", "Cs") for c in part)
    bare = "".join(c for c in unicodedata.normalize("NFC", part) if c not in _IGNORED).casefold()
    assert bare.split(":")[0].strip(" ").rstrip(" .") not in (".git", "git~1", ".gitmodules", ".gitattributes")
    _builder().insert(part, _blob(), FileMode.BLOB)  # refuses what Git refuses


@cache
def _repository() -> pygit2.Repository:
    folder = tempfile.mkdtemp(prefix="gitops-fuzz-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return pygit2.init_repository(folder, bare=True)


def _builder() -> pygit2.TreeBuilder:
    return _repository().TreeBuilder()


@cache
def _blob() -> pygit2.Oid:
    return _repository().create_blob(b"")
