"""How one file differs from another, as `git diff` tells it."""

from __future__ import annotations

import pygit2


def patch(path: str, old: bytes | None, new: bytes | None) -> str:
    """Return the patch that makes *new* of *old* at *path*; None is no file. Of binary files it says only so much."""
    name = path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    made = pygit2.Patch.create_from(old, new, old_as_path=name, new_as_path=name)
    told = (made.data or b"").decode("utf-8", "replace").rstrip("\n")
    return f"{told}\n" if told else ""
