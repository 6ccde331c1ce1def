"""Logs on standard error: lines for people on a terminal, JSON for machines elsewhere; never a raw value."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any

import structlog

from gitops.core.text import printable


def configure(*, verbose: bool = False) -> None:
    """Set up the logs of the process."""
    terminal = sys.stderr.isatty()
    colors = terminal and "NO_COLOR" not in os.environ
    renderer: Any = structlog.dev.ConsoleRenderer(colors=colors) if terminal else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _printable,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if verbose else logging.INFO),
        logger_factory=lambda *_: _Logger(sys.stderr),
        cache_logger_on_first_use=False,
    )


def bug(error: BaseException) -> dict[str, str]:
    """Return what a log tells of an error that nobody expected: the cause, and where it came from, for a report."""
    return {"cause": f"{type(error).__name__}: {error}", "bug": "".join(traceback.format_exception(error))}


class _Logger(structlog.PrintLogger):
    """Prints; a line that cannot be written, as on a full disk, is lost, and nothing else stops for it."""

    def msg(self, message: str) -> None:
        with suppress(OSError):
            super().msg(message)

    log = debug = info = warn = warning = error = critical = msg


def _printable(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Values come from definitions and remotes: no escape sequence of theirs reaches a terminal."""
    return {key: printable(value, 2000) if isinstance(value, str) else value for key, value in event.items()}
