"""The git command as a process of ours: whose configuration it does not see, and how it ends with all that it began."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress

SEALED = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "LC_ALL": "C",
}
"""Environment in which the machine and the user have no say, and no object stands for another."""


def end(process: subprocess.Popen[bytes], mercy: float) -> None:
    """End a *process* that leads a group, and the group: kindly, and after *mercy* seconds for sure.

    Told kindly, git leaves no half files behind.
    """
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(mercy)
