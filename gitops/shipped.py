"""Where the folders are that ship with the program: inside the package when installed, beside it in a checkout."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_PACKAGE = Path(__file__).parent


def folder(name: str) -> Path:
    """Return the shipped folder *name*: `templates` or `example-repo`."""
    inside = _PACKAGE / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


def files(root: Path) -> Mapping[str, bytes]:
    """Return the content of each file below *root* by its path there, `/` between components."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}
