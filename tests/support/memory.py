"""Where tests keep what they sync to disk hundreds of times: in memory, where the machine has a place for it."""

import os
import tempfile
from pathlib import Path

_MEMORY = Path("/dev/shm")


def folder():
    """Make a folder there, or where TMPDIR says."""
    place = os.environ.get("TMPDIR") or (_MEMORY if _MEMORY.is_dir() else None)
    return Path(tempfile.mkdtemp(prefix="gitops-laws-", dir=place))
