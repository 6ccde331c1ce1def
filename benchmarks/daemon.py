"""The daemon as a process: started, listened to, and ended as an init system would."""

from __future__ import annotations

import json
import subprocess
import threading
from pathlib import Path
from queue import Empty, Queue
from types import TracebackType
from typing import Any, NamedTuple

from benchmarks.process import GITOPS, lines, memory

_PATIENCE = 900.0  # seconds


class Record(NamedTuple):
    """One line of the daemon's log, and when it came (of `time.perf_counter`)."""

    at: float
    content: dict[str, Any]


class Ended(subprocess.CalledProcessError):
    """The daemon ended by itself; `stderr` has what it told people."""


class Daemon:
    """`gitops run` on a repository, from the moment at which it has nothing left to do. A context manager."""

    def __init__(self, repo: Path | str, *options: str) -> None:
        """*options* are further ones of `gitops run`."""
        self._command = [GITOPS, "--repo", str(repo), "run", "--verbose", *options]
        self._records: Queue[Record | None] = Queue()  # None: the daemon has ended
        self._complaints: list[str] = []

    def __enter__(self) -> Daemon:
        self._process = subprocess.Popen(self._command, stderr=subprocess.PIPE)
        self._ear = threading.Thread(target=self._listen, daemon=True)
        self._ear.start()
        try:
            self.idle()
        except BaseException:
            self._process.kill()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        code = self._process.wait()
        self._ear.join()
        if code and error is None:
            raise subprocess.CalledProcessError(code, self._command)

    def idle(self, tip: str = "") -> float:
        """Wait until a pass has found nothing to do, at the commit *tip* if one is given; return when it said so."""
        while True:
            at, record = self._next()
            if record.get("event") == "nothing to do" and (record.get("tip") or "").startswith(tip[:12]):
                return at

    def memory(self) -> int:
        """Return the memory, in KiB, that the daemon has now; git's maintenance beside it comes and goes."""
        return memory(self._process.pid, "VmRSS")[self._process.pid]

    def _next(self) -> Record:
        try:
            record = self._records.get(timeout=_PATIENCE)
        except Empty:
            raise TimeoutError(f"{self._command} has been silent for {_PATIENCE:.0f} s") from None
        if record is None:
            raise Ended(self._process.wait(), self._command, stderr="\n".join(self._complaints))
        return record

    def _listen(self) -> None:
        assert self._process.stderr
        for at, line in lines(self._process.stderr):
            content = _content(line)
            if "event" not in content:
                self._complaints.append(line.decode("utf-8", "replace"))
            self._records.put(Record(at, content))
        self._records.put(None)


def _content(line: bytes) -> dict[str, Any]:
    """Read a line of the log; what is no record is a complaint for people, and empty here."""
    try:
        return dict(json.loads(line))
    except ValueError:
        return {}
