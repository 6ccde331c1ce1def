"""The objects that stand in a repository: each in a file of its own or in a pack, there or where it borrows them from.

Damage is no absence: what is there and cannot be read is a RepositoryError; what is not there at all a MissingError,
which is a KeyError as well.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pygit2

from gitops.core.tree import BLOB, COMMIT, TREE, Oid
from gitops.errors import MalformedError, MissingError, RepositoryError
from gitops.git import loose

KINDS = {1: COMMIT, 2: TREE, 3: BLOB}
"""Of objects, by the numbers that libgit2 gives them."""

REOPENED = 50
"""How often a repository is used before it is opened anew: libgit2 holds on to the packs that git has removed."""

_ADVICE = "run 'git fsck' there, and fetch the object from another clone or restore it from a backup"
_PARTIAL = "this is a partial clone, which leaves objects out: clone it again without --filter"


class Stored:
    """Reads what is below *folder*, the `objects` directory of a repository, and below those that it borrows from."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._folders = folder, loose.alternates(folder)
        self._packs, self._refreshed = self._open_packs(), 0

    def _open_packs(self) -> pygit2.Odb:
        packs = pygit2.Odb()
        for place in self._folders:
            packs.add_backend(pygit2.OdbBackendPack(str(place)), 1)
        return packs

    def refresh(self) -> None:
        """Begin a pass: now and then let go of the packs that git has put together since."""
        self._refreshed += 1
        if self._refreshed % REOPENED == 0:
            self._packs = self._open_packs()

    def __contains__(self, oid: Oid) -> bool:
        raw = pygit2.Oid(raw=oid)
        if any(Path(loose.path_of(str(place), oid)).exists() for place in self._folders) or raw in self._packs:
            return True
        self._look_again()
        return raw in self._packs

    def read(self, oid: Oid) -> tuple[str, bytes]:
        """Return kind and content of an object."""
        damaged = ""
        for place in self._folders:
            try:
                found = loose.read(str(place), oid)
            except loose.DamagedError as error:
                damaged = f"the file {error} is damaged"
            else:
                if found:
                    return found
        try:
            number, content = self._packed(pygit2.Oid(raw=oid))
        except KeyError as error:  # first: it is a GitError as well
            raise self.damaged(oid, damaged) if damaged else self._missing(oid) from error
        except (pygit2.GitError, MemoryError) as error:  # the latter for a damaged size, which no machine has room for
            raise self.damaged(oid, damaged or str(error)) from error
        return KINDS.get(int(number), ""), content

    def _packed(self, oid: pygit2.Oid) -> tuple[int, bytes]:
        try:
            return self._packs.read(oid)
        except KeyError:
            self._look_again()
            return self._packs.read(oid)

    def _look_again(self) -> None:
        """Open the packs anew: libgit2 takes those that it could not open for ones that are not there. OSError."""
        for place in self._folders:
            for index in (place / "pack").glob("*.idx"):
                with suppress(FileNotFoundError), index.open("rb"), index.with_suffix(".pack").open("rb"):
                    pass
        self._packs = self._open_packs()

    def _missing(self, oid: Oid) -> MissingError:
        promised = any((self._folder / "pack").glob("*.promisor"))
        return MissingError(f"object {oid.hex()} is missing in {self._folder}: {_PARTIAL if promised else _ADVICE}")

    def malformed(self, oid: Oid, reason: str) -> MalformedError:
        """Return the error of an object that is whole, and not what it is taken for."""
        return MalformedError(f"object {oid.hex()} in {self._folder}: {reason}", reason)

    def damaged(self, oid: Oid, cause: str) -> RepositoryError:
        """Return the error of an object that is there and cannot be read."""
        return RepositoryError(f"object {oid.hex()} in {self._folder} cannot be read: {cause}; {_ADVICE}")
