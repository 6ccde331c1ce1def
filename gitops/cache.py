"""What a daemon has in mind, kept on disk, so that a restart costs what changed meanwhile and not what is there.

The file is disposable. A damaged one, one of another program version or another owner is as if it were not there: the
next pass then looks at everything, and comes to the same result.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import structlog

from gitops.core.keys import Key
from gitops.core.world import WorkState, World

_CHUNK = 200  # Works pickled at once: a pickler remembers all that it has seen of them
_DIGEST = hashlib.sha256().digest_size
_log = structlog.get_logger(__name__)


class Cache:
    """The memory of the daemon of one branch, in a file below *folder*."""

    def __init__(self, folder: Path, branch: str) -> None:
        name = hashlib.sha256(branch.encode()).hexdigest()[:12]
        self._path = folder / f"memory-{name}"

    def load(self) -> World:
        """Return what was kept; the memory of somebody who has seen nothing when that is of no use."""
        try:
            with self._path.open("rb") as file:
                return _load(file)
        except FileNotFoundError:
            return World()
        except Exception as error:
            _log.info("what was kept in mind is of no use, everything is looked at", cause=str(error) or repr(error))
            return World()

    def save(self, world: World) -> None:
        """Keep *world*. A full disk is no reason to stop: the file is only there for speed."""
        unfinished = self._path.with_suffix(".new")  # there is one daemon, and what a killed one left is written over
        try:
            with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                _save(world, _Sealed(file))
            unfinished.rename(self._path)
        except OSError as error:
            with suppress(OSError):
                unfinished.unlink()
            _log.info("what is in mind could not be kept", cause=str(error))


def _save(world: World, file: _Sealed) -> None:
    file.write(_program())
    pickler = pickle.Pickler(file, pickle.HIGHEST_PROTOCOL)
    pickler.dump(world.without_works())
    for some in _chunks(world):
        pickler.clear_memo()
        pickler.dump(some)
    pickler.dump(None)
    file.seal()


def _chunks(world: World) -> Iterator[list[tuple[Key, WorkState]]]:
    items = iter(world.works.items())
    while some := list(islice(items, _CHUNK)):
        yield some


def _load(file: BinaryIO) -> World:
    if os.fstat(file.fileno()).st_uid != os.geteuid() or os.fstat(file.fileno()).st_mode & 0o022:
        raise ValueError("others can write the file")
    if file.read(_DIGEST) != _program():
        raise ValueError("another version of gitops wrote it")
    digest, end = hashlib.sha256(_program()), os.fstat(file.fileno()).st_size - _DIGEST
    while some := file.read(min(1 << 20, end - file.tell())):
        digest.update(some)
    if file.read() != digest.digest():
        raise ValueError("it is damaged")
    file.seek(_DIGEST)
    world: World = _Unpickler(file).load()
    while some := _Unpickler(file).load():
        world.adopt(dict(some))
    world.news = 0
    return world


class _Sealed:
    """A file that ends with the digest of what was written to it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._digest = file, hashlib.sha256()

    def write(self, content: bytes) -> int:
        self._digest.update(content)
        return self._file.write(content)

    def seal(self) -> None:
        self._file.write(self._digest.digest())


class _Unpickler(pickle.Unpickler):
    """Reads values of this program, and nothing that could do anything."""

    def find_class(self, module: str, name: str) -> object:
        if module.startswith(("gitops.api.", "gitops.core.")) or (module, name) in _HARMLESS:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} does not belong there")


_HARMLESS = {("builtins", "frozenset"), ("builtins", "set")}


@cache
def _program() -> bytes:
    """Return what tells versions of the program apart: a pickle is only as good as the classes that it was made of."""
    digest = hashlib.sha256(sys.version.encode())
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.digest()
