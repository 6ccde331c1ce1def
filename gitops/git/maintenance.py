"""Git's own maintenance of a repository: each pass that writes leaves a pack, and many packs make every look-up slow.

It runs beside the daemon, one process at a time, with what the machine has to spare. Nothing that a pass needs goes:
packs are only put together, and git keeps for weeks what no ref leads to.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import structlog

from gitops.git.command import SEALED, end
from gitops.git.repository import Repository

_MORE = 20  # packs that came since the last time, after which it is time again
_NICE = 10  # with 19 it would make no headway on a busy machine
_ABANDONED = 3600.0  # seconds without a change, after which nobody writes to a file any more
_MERCY = 5.0  # seconds that git has for tidying up when it is told to end

_log = structlog.get_logger(__name__)


class Maintenance:
    """Maintains *repo*, which must be the daemon's: one of our clones, or any other as git does it after a commit."""

    def __init__(self, repo: Repository) -> None:
        self._git_dir = repo.common_dir
        self._packs = repo.common_dir / "objects" / "pack"
        self._ours = repo.is_clone()
        self._left = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._sweep()

    def look(self) -> None:
        """Begin maintenance if it is time for that. Returns at once; what cannot be begun is told, and tried again."""
        try:
            self._look()
        except OSError as error:
            _log.warning("git could not put packs together", repository=str(self._git_dir), cause=str(error))

    def _look(self) -> None:
        if self._process:
            if self._process.poll() is None:
                return
            self._note(self._process.returncode)
        count = self._count()
        self._left = min(self._left, count)
        if count - self._left >= _MORE and (command := self._command()):
            self._process = self._begin(command)

    def wait(self) -> None:
        """Wait until what is under way has ended."""
        if self._process:
            self._note(self._process.wait())

    def close(self) -> None:
        """End what is under way. Git leaves everything as it was before, or done."""
        if self._process:
            end(self._process, _MERCY)
        self._process = None

    def _command(self) -> Sequence[str] | None:
        if self._ours:
            return "repack", "-d", "-l", "-n", "-q", "--geometric=2"
        self._left = self._count()
        return ("maintenance", "run", "--auto", "--quiet") if self._wanted() else None

    def _wanted(self) -> bool:
        """Whether the user lets git maintain the repository; when it is time for that, git decides by his settings."""
        asked = self._git("config", "--type=bool", "--default=true", "maintenance.auto")
        return subprocess.run(asked, capture_output=True, check=False).stdout == b"true\n"

    def _begin(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            self._git(*command),
            env=os.environ | (SEALED if self._ours else {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        with suppress(ProcessLookupError):
            os.setpriority(os.PRIO_PROCESS, process.pid, _NICE)  # which for the disk counts as well
        return process

    def _git(self, *arguments: str) -> list[str]:
        return ["git", f"--git-dir={self._git_dir}", *arguments]

    def _note(self, code: int) -> None:
        self._process, self._left = None, self._count()
        if code:
            _log.warning("git could not put packs together", repository=str(self._git_dir), code=code, packs=self._left)
        elif not self._ours:
            self._tell_obstacles()

    def _tell_obstacles(self) -> None:
        """Tell of files for which git leaves all packs as they are, for a day or for ever, without a word."""
        lock, failure = self._packs.parent / "maintenance.lock", self._git_dir / "gc.log"
        if _is_abandoned(lock):
            _log.warning("git puts no packs together: remove the lock if no git is at work there", lock=str(lock))
        if self._left >= _MORE and (said := _first_line(failure)):
            _log.warning("git puts no packs together: remove its log of what failed", log=str(failure), cause=said)

    def _count(self) -> int:
        return sum(path.suffix == ".pack" for path in self._packs.iterdir()) if self._packs.is_dir() else 0

    def _sweep(self) -> None:
        """Remove what a killed git left behind; what is younger may belong to one that outlives its daemon."""
        unfinished = [*self._packs.glob("tmp_*"), *self._packs.glob(".tmp-*")] if self._ours else []
        for path in [*unfinished, *filter(_held_by_fetch, self._packs.glob("*.keep"))]:
            if _is_abandoned(path):
                path.unlink(missing_ok=True)


def _is_abandoned(path: Path) -> bool:
    """Whether there is a file that nobody has changed for long."""
    with suppress(FileNotFoundError):
        return time.time() - path.stat().st_mtime > _ABANDONED
    return False


def _first_line(path: Path) -> str:
    with suppress(OSError):
        return path.read_text(errors="replace").strip().partition("\n")[0]
    return ""


def _held_by_fetch(path: Path) -> bool:
    """Whether git keeps a pack only until its fetch has moved the refs, and not because a user said so."""
    with suppress(OSError):
        return path.read_bytes().startswith(b"fetch-pack ")
    return False
