"""How a command ends: its exit code, and what is said when it failed.

What reads arguments is imported when there are any to read, so that `gitops --version` answers as soon as Python can.
"""

from __future__ import annotations

import io
import os
import sys

from gitops import __version__
from gitops.errors import GitOpsError

_STDOUT, _STDERR = 1, 2  # the last of the numbers that every process has open
INTERRUPTED, BROKEN_PIPE = 130, 141  # what a shell reports for a command ended by SIGINT and by SIGPIPE


class ServerError(GitOpsError):
    """What kubectl would report as the API server's answer."""


def main(argv: list[str] | None = None) -> int:
    """Run the command that *argv* (default: the process's arguments) names, and return its exit code."""
    _open_streams()
    _write_utf8()
    try:
        code = _run(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
        return code
    except ServerError as error:
        return _failed(f"Error from server {error}", error.exit_code)
    except GitOpsError as error:
        return _failed(f"error: {error}", error.exit_code)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that Python's last flush finds a reader
        return BROKEN_PIPE
    except OSError as error:
        return _failed(f"error: {error}", 1)


def _run(argv: list[str]) -> int:
    if argv == ["--version"]:
        print("gitops", __version__)
        return 0
    from gitops.cli import parser

    return parser.run(argv)


def _failed(message: str, code: int) -> int:
    print(message, file=sys.stderr)
    return code


def _open_streams() -> None:
    """Open what the process was begun without, as git does: the next file would take its place, and what is printed."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        pass
    os.close(number)
    sys.stdout = sys.stdout or os.fdopen(_STDOUT, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(_STDERR, "w", closefd=False)


def _write_utf8() -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
