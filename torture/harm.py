"""What a disk, a power cut or a careless hand does to a file of a repository."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path

KINDS = ("empty", "truncated", "flipped", "foreign", "grown", "zeros", "missing")


def harm(path: Path, kind: str, chance: random.Random) -> None:
    """Damage a file in one way. Whoever has it open keeps what he has."""
    content, mode = path.read_bytes(), path.stat().st_mode
    path.unlink()
    if kind != "missing":
        path.write_bytes(_changed(content, kind, chance))
        path.chmod(mode)


def mend(path: Path, content: bytes) -> None:
    """Put a file back."""
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def files(folder: Path, patterns: Iterable[str]) -> list[Path]:
    """Return the files that match one of *patterns*, in an order that is always the same."""
    return sorted({path for each in patterns for path in folder.glob(each) if path.is_file() and not path.is_symlink()})


def _changed(content: bytes, kind: str, chance: random.Random) -> bytes:
    place = chance.randrange(len(content)) if content else 0
    if kind == "empty":
        return b""
    if kind == "truncated":
        return content[:place]
    if kind == "flipped":
        return (
            content[:place] + bytes([content[place] ^ 1 << chance.randrange(8)]) + content[place + 1 :]
            if content
            else b"x"
        )
    if kind == "zeros":
        return bytes(len(content))
    return chance.randbytes(100) if kind == "foreign" else content + chance.randbytes(10)
