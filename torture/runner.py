"""A process that has `gitops` imported, and runs its commands in children of its own: a start costs 10 ms, not 300.

It reads requests, one JSON object a line, and answers with the child's process id, then with how it ended. Children of
a child that died become children of this process, which can tell whether any are left, and end them.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import random
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from torture import points

_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER
_SERVERS = ("git-receive-pac", "git-upload-pack", "git receive-pac")  # of a file:// remote: not ours to kill
_PATIENCE = 120.0  # seconds for what ends in one
_WARM = ("parser", "run", "origin", "repository", "main")


class Runner:
    """Such a process, for one daemon, as those who ask see it."""

    def __init__(self) -> None:
        self._child = 0
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "torture.runner"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,  # so that what can be read is in the pipe
            cwd=Path(__file__).parents[1],
        )

    def begin(self, request: dict[str, Any]) -> int:
        """Start a command; return its process id."""
        self._child = int(self._ask(request))
        return self._child

    def end(self) -> int:
        """Wait for the command to end; return its exit code, negative when a signal killed it."""
        assert self._popen.stdout
        if not select.select([self._popen.stdout], [], [], _PATIENCE)[0]:
            os.kill(self._child, signal.SIGKILL)
            self._answer()
            raise AssertionError(f"it has not ended for {_PATIENCE:.0f} s")
        return int(self._answer())

    def orphans(self, *, kill: bool = False, patience: float = 10.0) -> list[str]:
        """Wait until all that the command had started has ended, or kill it; return what stays."""
        return list(self._ask({"kill": kill, "patience": patience}))

    def close(self) -> None:
        assert self._popen.stdin
        assert self._popen.stdout
        self._popen.stdin.close()
        self._popen.wait(_PATIENCE)
        self._popen.stdout.close()

    def _ask(self, request: dict[str, Any]) -> Any:
        assert self._popen.stdin
        self._popen.stdin.write(json.dumps(request).encode() + b"\n")
        return self._answer()

    def _answer(self) -> Any:
        assert self._popen.stdout
        return json.loads(self._popen.stdout.readline())


def main() -> None:
    """Serve until standard input ends."""
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    for name in _WARM:
        import_module(f"gitops.cli.{name}")
    gc.freeze()
    for line in sys.stdin:
        request = json.loads(line)
        _say(_orphans(request["kill"], request["patience"]) if "patience" in request else _serve(request))


def _say(answer: Any) -> None:
    print(json.dumps(answer), flush=True)


def _serve(request: dict[str, Any]) -> int:
    child = os.fork()
    if not child:
        _become(request)
    _say(child)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _become(request: dict[str, Any]) -> None:
    """Be `gitops` with the arguments, in the environment and at the time that *request* tells."""
    code = 70
    try:
        os.setsid()
        _redirect(request["log"])
        os.environ.clear()
        os.environ.update(request["environment"])
        random.seed()
        Path(request["pid"]).write_text(str(os.getpid()))
        _arrange(request)
        code = import_module("gitops.cli.main").main(request["arguments"])
        sys.stderr.flush()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
        sys.stderr.flush()
    finally:
        os._exit(code)


def _redirect(log: str) -> None:
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(handle, 1)
    os.dup2(handle, 2)


def _arrange(request: dict[str, Any]) -> None:
    """Set the clock, look after the points, and let maintenance happen in each pass."""
    run, reconciler = import_module("gitops.cli.run"), import_module("gitops.reconciler")
    now = datetime.fromisoformat(request["now"])
    run.Reconciler = partial(reconciler.Reconciler, clock=lambda: now)  # type: ignore[attr-defined]
    import_module("gitops.git.maintenance")._MORE = 1  # type: ignore[attr-defined]
    import_module("gitops.git.credentials")._MEMORY = Path(request["memory"])  # type: ignore[attr-defined]
    trace = os.open(request["trace"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
    points.watch(points.fatal(request["fatal"], lambda name: _note(trace, name)))


def _note(trace: int, name: str) -> None:
    os.write(trace, f"{name}\n".encode())


def _orphans(kill: bool, patience: float) -> list[str]:
    """Wait until no process is left that a child had started, or end them; return those that stay."""
    until = time.monotonic() + patience
    while (children := _children()) and time.monotonic() < until:
        for child in children if kill else ():
            if not _name(child).startswith(_SERVERS):
                with suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(0.002)
    return [_name(child) for child in children]


def _children() -> list[int]:
    own = Path(f"/proc/self/task/{os.getpid()}/children")
    return [int(word) for word in own.read_text().split()]


def _name(process: int) -> str:
    try:
        return Path(f"/proc/{process}/comm").read_text().strip()
    except OSError:
        return ""


if __name__ == "__main__":
    main()
