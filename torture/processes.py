"""`gitops run` as processes, each with a cache of its own: to be frozen, thawed, put back, ended and begun again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from support.servers import Servers

_LOST = "times while a pass was decided"
_PATIENCE = 60.0  # seconds in which a daemon that was told to begin or to stop must have done so


def secrets(servers: Servers, kind: str) -> Path:
    """Write what a daemon must know to reach the repositories of *servers*; return the folder for `--secrets`."""
    servers.url(kind, "")  # it must run
    folder = servers.folder / f"secrets-{kind}"
    own = folder / "default" / "gitops-repository"
    folder.mkdir(exist_ok=True)
    for key, value in (servers.secret(kind) or {}).items():
        own.mkdir(parents=True, exist_ok=True)
        (own / key).write_text(value)
    return folder


class Daemon:
    """One daemon. Its log is a file, for a pipe that nobody reads would stop it."""

    def __init__(self, folder: Path, name: str, arguments: list[str], environment: Mapping[str, str] = {}) -> None:
        self.cache, self.log = folder / name, folder / f"{name}.log"
        self._backup = folder / f"{name}.backup"
        self._command = [sys.executable, "-m", "gitops", *arguments]
        own = {"HOME": str(folder), "XDG_CACHE_HOME": str(self.cache), "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
        self._environment = {**os.environ, **own, **environment}
        self._popen: subprocess.Popen[bytes] | None = None
        self._begun = 0  # bytes of the log, when it was begun last

    def __enter__(self) -> Daemon:
        self.begin()
        return self

    def __exit__(self, *_: object) -> None:
        if self._popen:
            self._popen.kill()
            self._popen.wait()

    def begin(self) -> None:
        with self.log.open("ab") as log:
            self._begun = log.tell()
            self._popen = subprocess.Popen(self._command, stdout=log, stderr=log, env=self._environment)

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def is_up(self) -> bool:
        return self.log.stat().st_size > self._begun

    def await_start(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not self.is_up():
            assert time.monotonic() < deadline, f"{self.log.name}: it does not begin"
            time.sleep(0.02)

    def end(self) -> None:
        """End it as an init system does. It must agree to that, and must have had no trouble but lost races."""
        assert self._popen
        self._signal(signal.SIGTERM)
        code = self._popen.wait(_PATIENCE)
        early = code == -signal.SIGTERM and not self.is_up()
        assert code == 0 or early, f"{self.log.name}: a daemon ended with {code}\n{self._said()[-4000:]}"
        for line in self._said().splitlines():
            told = json.loads(line)
            assert told["level"] != "error" or _LOST in told["cause"], f"{self.log.name}: {line}"

    def _said(self) -> str:
        return self.log.read_text("utf-8", "replace")

    def back_up(self) -> None:
        """Copy what it has on disk, at whatever moment this is."""
        shutil.rmtree(self._backup, ignore_errors=True)
        if self.cache.exists():
            shutil.copytree(self.cache, self._backup, symlinks=True)

    def restore(self) -> None:
        """Put what it has on disk back to what it was at the last backup. It must not run."""
        if self._backup.exists():
            shutil.rmtree(self.cache)
            self._backup.rename(self.cache)

    def _signal(self, number: signal.Signals) -> None:
        assert self._popen
        self._popen.send_signal(number)
