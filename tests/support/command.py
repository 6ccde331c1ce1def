"""The command line as people type it, in a folder of its own: what it prints, and how it ends.

command.secret("fleet", username="daemon", password="x")
command.once(url)                       a pass, which must succeed
code, out, err = command("--repo", url, "get", "works")
with command.daemon("--repo", url, "run") as daemon: …
"""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from gitops.cli.main import main

_PATIENCE = 20  # seconds


class Ended(NamedTuple):
    code: int
    out: str
    err: str


class Command:
    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.secrets, self._patch = folder, folder / "secrets", patch
        self.secrets.mkdir()
        self.setenv(XDG_CACHE_HOME=folder / "cache", GITOPS_SECRETS=self.secrets, GIT_ALLOW_PROTOCOL="https:ssh:file")

    def setenv(self, **variables: object) -> None:
        for name, value in variables.items():
            self._patch.setenv(name, str(value))

    def secret(self, name: str, keys: Mapping[str, str] | None) -> None:
        """Write a secret of namespace `default`, as far as there are keys."""
        folder = self.secrets / "default" / name
        for key, value in (keys or {}).items():
            folder.mkdir(parents=True, exist_ok=True)
            (folder / key).write_text(value)

    def __call__(self, *arguments: object) -> Ended:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([str(argument) for argument in arguments])
        return Ended(code, out.getvalue(), err.getvalue())

    def once(self, repo: object) -> str:
        """A pass of a daemon that has just started; return what it says."""
        done = self("--repo", repo, "run", "--once")
        assert done.code == 0, done
        return done.out

    def settle(self, repo: object) -> str:
        """A pass, and another one that must find nothing to do."""
        done = self.once(repo)
        assert "nothing to do" in self.once(repo)
        return done

    def daemon(self, *arguments: object, cache: str = "cache") -> "Process":
        return Process([str(argument) for argument in arguments], {"XDG_CACHE_HOME": str(self.folder / cache)})


class Process:
    """`gitops` as a process, which ends with the context."""

    def __init__(self, arguments: list[str], environment: Mapping[str, str]) -> None:
        command = [sys.executable, "-m", "gitops", *arguments]
        self.popen = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment}
        )

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_: object) -> None:
        self.popen.kill()
        self.popen.wait()
        for pipe in (self.popen.stdout, self.popen.stderr):
            if pipe:
                pipe.close()

    def stop(self) -> tuple[int, list[dict[str, Any]]]:
        """End it as an init system does; return its exit code and its log."""
        self.popen.send_signal(signal.SIGTERM)
        _, log = self.popen.communicate(timeout=_PATIENCE)
        return self.popen.returncode, [json.loads(line) for line in log.splitlines()]
