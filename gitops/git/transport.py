"""The git command as it talks to other repositories: in an environment of its own, with limits on time and size.

It works in a small repository of ours inside the one that it is for: objects and refs are shared, configuration and
hooks are not. So nothing that anybody has configured, here or for this user or machine, has a say or is run.
"""

from __future__ import annotations

import os
import resource
import selectors
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from gitops.errors import TransportError
from gitops.git.command import SEALED, end
from gitops.git.pack import sync_folder
from gitops.git.repository import Repository

MAX_OUTPUT = 16 << 20  # bytes
_LARGEST_FILE = 8 << 30  # bytes of a pack that a server may send
_TICK = 0.25  # seconds between two looks at the clock
_MERCY = 1.0  # seconds that a command told to end has for tidying up
_BEGUN = 60.0  # seconds after which nobody writes any more to a file that he has begun
_SHARED = ("objects", "refs", "packed-refs", "shallow")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_PASSED_ON = ("PATH", "TMPDIR", *_PROXIES, *(name.upper() for name in _PROXIES))

# unpackLimit: what is fetched stays one pack, which Git syncs; loose objects, which it does not sync, a power cut ruins
_CONFIG = """\
[core]
	repositoryformatversion = 0
	bare = true
	hooksPath = /dev/null
	logAllRefUpdates = false
	fsync = committed,reference
[transfer]
	fsckObjects = true
	unpackLimit = 1
[fetch]
	recurseSubmodules = false
	writeCommitGraph = false
[push]
	recurseSubmodules = no
	gpgSign = false
	followTags = false
[gc]
	auto = 0
[maintenance]
	auto = false
[protocol]
	version = 2
[http]
	followRedirects = false
[credential]
	helper =
[advice]
	pushUpdateRejected = false
"""


class Patience(NamedTuple):
    """How long a git command may take, in seconds: without a sign of life, and in all."""

    silence: float = 30.0
    total: float = 600.0


PATIENCE = Patience()


class Done(NamedTuple):
    """How a git command ended; *log* is what ssh said."""

    code: int
    output: str
    said: str
    log: str = ""


class Transport:
    """Runs the git command for *repo*. *stopped* is asked again and again, and ends what is under way."""

    def __init__(
        self, repo: Repository, patience: Patience = PATIENCE, stopped: Callable[[], bool] = lambda: False
    ) -> None:
        self._patience, self._stopped = patience, stopped
        self._git_dir = repo.common_dir / "gitops" / "transport"

    def run(self, scheme: str, *arguments: str, environment: Mapping[str, str]) -> Done:
        """Run `git` with *arguments*, able to talk *scheme* and no other protocol.

        TransportError when it does not end in time, or says too much.
        """
        _prepare(self._git_dir)
        process = subprocess.Popen(
            ["git", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self._git_dir,
            env={**self._environment(scheme), **environment},
            start_new_session=True,  # one group of processes, to end them all; and no terminal to ask on
        )
        with process, suppress(ProcessLookupError):
            try:
                resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (_LARGEST_FILE, _LARGEST_FILE))
                return self._listen(process)
            except BaseException:
                end(process, _MERCY)
                raise
        raise TransportError("git ended at once")

    def _environment(self, scheme: str) -> dict[str, str]:
        passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        return (
            passed
            | SEALED
            | {
                "GIT_DIR": str(self._git_dir),
                "HOME": str(self._git_dir / "nobody"),  # does not exist
                "GIT_ATTR_NOSYSTEM": "1",
                "GIT_TERMINAL_PROMPT": "0",
                "GIT_ALLOW_PROTOCOL": scheme,
                "GIT_PROTOCOL_FROM_USER": "0",
                "GIT_SSH_VARIANT": "ssh",
                "GIT_SSH_COMMAND": "ssh -F /dev/null -o BatchMode=yes -o StrictHostKeyChecking=yes",
                "GIT_HTTP_LOW_SPEED_LIMIT": "1",
                "GIT_HTTP_LOW_SPEED_TIME": str(max(1, int(self._patience.silence))),
            }
        )

    def _listen(self, process: subprocess.Popen[bytes]) -> Done:
        begun = heard = time.monotonic()
        assert process.stdout
        assert process.stderr
        output, said = bytearray(), bytearray()
        with selectors.DefaultSelector() as pipes:
            pipes.register(process.stdout, selectors.EVENT_READ, output)
            pipes.register(process.stderr, selectors.EVENT_READ, said)
            while pipes.get_map():
                ready = pipes.select(_TICK)
                now = time.monotonic()
                for key, _ in ready:
                    chunk = os.read(key.fd, 1 << 16)
                    if not chunk:
                        pipes.unregister(key.fileobj)
                    key.data.extend(chunk)
                heard = now if ready else heard
                self._judge(now - heard, now - begun, len(output) + len(said))
        code = process.wait(self._patience.silence)
        return Done(code, output.decode("utf-8", "replace"), said.decode("utf-8", "replace"))

    def _judge(self, silence: float, total: float, size: int) -> None:
        if self._stopped():
            raise TransportError("told to stop while a git command was under way")
        if silence > self._patience.silence:
            raise TransportError(f"it has not answered for {self._patience.silence:g} s")
        if total > self._patience.total:
            raise TransportError(f"it took longer than {self._patience.total:g} s")
        if size > MAX_OUTPUT:
            raise TransportError(f"it said more than {MAX_OUTPUT >> 20} MiB")


def _prepare(git_dir: Path) -> None:
    """Make the small repository that lends its objects and refs from the one around it, or what is missing of it."""
    _sweep(git_dir)
    lent = {git_dir / name: Path("..", "..", name) for name in _SHARED}
    written = {git_dir / "HEAD": "ref: refs/heads/gitops-none\n", git_dir / "config": _CONFIG}
    if all(path.is_symlink() for path in lent) and all(_holds(*item) for item in written.items()):
        return
    git_dir.mkdir(parents=True, exist_ok=True)
    for path, target in lent.items():
        with suppress(FileExistsError):
            path.symlink_to(target)
    for path, content in written.items():
        _replace(path, content)
    sync_folder(git_dir)


def _sweep(git_dir: Path) -> None:
    """Remove files that a killed process had begun to write."""
    for path in git_dir.glob("*.*"):
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > _BEGUN:
                path.unlink()


def _holds(path: Path, content: str) -> bool:
    return path.is_file() and path.read_text("utf-8", "replace") == content


def _replace(path: Path, content: str) -> None:
    """Give a file its content at once and durably, for others may read it, and a power cut may follow."""
    unfinished = path.with_name(f"{path.name}.{threading.get_native_id()}")
    try:
        with unfinished.open("w") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
