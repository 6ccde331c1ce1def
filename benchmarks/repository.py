"""The bare repositories that are measured: made, copied, changed and checked by the git command."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, sleep

BRANCH = "refs/heads/main"
_DATE = "1700000000 +0000"
_AUTHOR = f"Ada <ada@example.org> {_DATE}"
_LOOK = 0.0002  # seconds between two looks at a ref
_PATIENCE = 600.0  # seconds
_MAINTENANCE = 20.0  # seconds that it may take


class Repository:
    """A bare repository with the branch `main`, which people and the daemon both move."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ref = path / BRANCH

    @classmethod
    def init(cls, path: Path) -> Repository:
        subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", path], check=True)
        return cls(path)

    def copy(self, path: Path) -> Repository:
        """Copy everything to *path*, and to the disk, so that what is measured next need not wait for it."""
        subprocess.run(["cp", "-a", self.path, path], check=True)
        os.sync()
        return Repository(path)

    def remove(self) -> None:
        shutil.rmtree(self.path)
        shutil.rmtree(self._beside(), ignore_errors=True)

    def _beside(self) -> Path:
        return self.path.with_name(f"{self.path.name}.beside")

    def git(self, *words: str, given: bytes = b"") -> str:
        """Return what a git command prints."""
        command = ["git", "-C", str(self.path), *words]
        return subprocess.run(command, input=given, stdout=subprocess.PIPE, check=True).stdout.decode()

    def tip(self) -> str:
        """Return the commit of the branch, from the file that every mover of it renames into place."""
        try:
            return self._ref.read_text().strip()
        except FileNotFoundError:  # somebody packed the refs
            return self.git("rev-parse", BRANCH).strip()

    def commit(self, files: Iterable[tuple[str, bytes]], parent: str | None, message: str) -> str:
        """Write a commit that changes *files*, and return its id. No ref moves, and nobody is woken.

        The ref that `git fast-import` must have stands in a repository beside, which shares only the objects.
        """
        beside = self._beside()
        if not beside.exists():
            Repository.init(beside)
        sealed = os.environ | {"GIT_DIR": str(beside), "GIT_OBJECT_DIRECTORY": str(self.path / "objects")}
        command, stream = ["git", "fast-import", "--quiet", "--force"], b"".join(_commit(files, parent, message))
        # Git's maintenance, begun by the daemon, may remove an empty folder of objects at that very moment: once more.
        if subprocess.run(command, input=stream, env=sealed).returncode:
            subprocess.run(command, input=stream, env=sealed, check=True)
        return Repository(beside).tip()

    def move(self, commit: str) -> None:
        """Move the branch, unmeasured."""
        self.git("update-ref", BRANCH, commit)

    @contextmanager
    def moving(self, commit: str) -> Iterator[float]:
        """Move the branch by `git update-ref`, prepared so far that only the move is left; yield when it began."""
        command = ["git", "-C", str(self.path), "update-ref", "--stdin"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
            assert process.stdin
            assert process.stdout
            process.stdin.write(f"start\nupdate {BRANCH} {commit}\nprepare\n".encode())
            heard = b""
            while b"prepare: ok\n" not in heard:
                heard += process.stdout.read(64) or _stopped(command)
            begun = perf_counter()
            process.stdin.write(b"commit\n")
            yield begun
            process.stdin.close()

    def moved(self, *past: str) -> float:
        """Wait until the branch is at none of the commits *past*; return when that was seen."""
        until = perf_counter() + _PATIENCE
        while self.tip() in past:
            if perf_counter() > until:
                raise TimeoutError(f"{self.path}: nobody answered {past[-1]}")
            sleep(_LOOK)
        return perf_counter()

    def check(self) -> None:
        """Have git look at every object; CalledProcessError when it finds fault twice.

        Once it may be that git's own maintenance, in the background, took a pack away while it looked.
        """
        look = ("fsck", "--strict", "--no-dangling", "--no-progress")
        try:
            self.git(*look)
        except subprocess.CalledProcessError:
            sleep(_MAINTENANCE)
            self.git(*look)


def _commit(files: Iterable[tuple[str, bytes]], parent: str | None, message: str) -> Iterator[bytes]:
    """Write the stream of one commit."""
    origin = f"from {parent}\n" if parent else ""
    head = f"commit {BRANCH}\nauthor {_AUTHOR}\ncommitter {_AUTHOR}\ndata {len(message)}\n{message}\n{origin}"
    yield head.encode()
    for path, content in files:
        yield b"M 100644 inline %b\ndata %d\n%b\n" % (path.encode(), len(content), content)


def _stopped(command: list[str]) -> bytes:
    raise RuntimeError(f"{command} stopped before it was ready")
