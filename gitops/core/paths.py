"""What a safe path is: one that means the same file to Git, to every disk it is checked out on, and to the reader.

Paths are text with `/` between components, relative, as in a Git tree.
"""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections.abc import Iterable, Iterator

from gitops.core.text import printable

MAX_PATH, MAX_COMPONENT, MAX_DEPTH = 1024, 255, 32
"""Bytes of a path, bytes of a component, components of a path."""

_HARMLESS = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9_.-]*/)*[A-Za-z0-9_-][A-Za-z0-9_.-]*")
_DRIVE = re.compile(r"[A-Za-z]:(?:/|$)")
# Default_Ignorable_Code_Point of Unicode: HFS+ and others drop them when they compare names.
_IGNORABLE = re.compile(
    "[\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# Short names as NTFS makes them: `.git` is git~1, and `.gitmodules`, `.gitattributes` also have hashed ones.
_GIT_OWN = re.compile(r"\.git|\.gitmodules|\.gitattributes|(?:git|gitmod|gitatt|gi7eb\w?|gi7d2\w?)~[0-9]+")


def check(path: str) -> str | None:
    """Return why *path* is refused as the path of a file, naming it, or None when it is safe."""
    if len(path) <= MAX_COMPONENT and _HARMLESS.fullmatch(path) and path.count("/") < MAX_DEPTH:
        return None
    reason = _whole(path) or next((found for part in path.split("/") if (found := _component(part))), None)
    return f'path "{printable(path, 256)}": {reason}' if reason else None


def _whole(path: str) -> str | None:
    if not path:
        return "it is empty"
    if path.startswith("/") or _DRIVE.match(path):
        return "it is absolute; it must be relative"
    if "\\" in path:
        return "a backslash is not allowed; write / between components"
    if not path.isprintable() and (bad := next((c for c in path if _invisible(c)), None)):
        return f"the character U+{ord(bad):04X} is not allowed"
    if (size := len(path.encode())) > MAX_PATH:
        return f"it has {size} bytes; at most {MAX_PATH} are allowed"
    if (depth := path.count("/") + 1) > MAX_DEPTH:
        return f"it has {depth} components; at most {MAX_DEPTH} are allowed"
    return None


def _invisible(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")


def _component(part: str) -> str | None:
    if not part:
        return "a component is empty"
    if part in (".", ".."):
        return f'a component is "{part}"'
    if (size := len(part.encode())) > MAX_COMPONENT:
        return f"a component has {size} bytes; at most {MAX_COMPONENT} are allowed"
    if _GIT_OWN.fullmatch(fold(part).split(":")[0].strip(" ").rstrip(" .")):
        return f'"{printable(part, 64)}" belongs to Git itself'
    return None


def fold(path: str) -> str:
    """Return what *path* has in common with all paths that are the same file on some disk.

    Disks differ in whether they tell upper from lower case, composed from decomposed, and see ignorable characters.
    """
    if path.isascii():
        return path.lower()
    visible = _IGNORABLE.sub("", unicodedata.normalize("NFD", path))
    return unicodedata.normalize("NFC", visible.casefold())


def join(*parts: str) -> str:
    """Join paths, leaving out the empty ones. Nothing is cleaned: check the result."""
    return "/".join(filter(None, parts))


def directories_above(path: str) -> Iterator[str]:
    """List the directories in which *path* is, the nearest first; without the root."""
    while path := path.rpartition("/")[0]:
        yield path


def common_directory(found: Iterable[str]) -> str:
    """Return the deepest directory that all the files *found* are in; empty for the root, and for no files."""
    directories = {path.rpartition("/")[0] for path in found}
    return posixpath.commonpath(directories) if directories else ""


def directory(path: str) -> str:
    """Return the one spelling of a directory that `a`, `a/`, `./a`, `/a` and `a//b` stand for; the root is empty.

    ValueError with the reason for `..` or another unsafe path.
    """
    cleaned = "/".join(part for part in path.split("/") if part not in ("", "."))
    if cleaned and (reason := check(cleaned)):
        raise ValueError(reason)
    return cleaned


def overlap(one: str, other: str) -> bool:
    """Whether one directory lies in the other or is the same to some disk. The root (empty) overlaps everything."""
    above, below = sorted((fold(one), fold(other)))  # what lies in a directory comes after it
    return not above or f"{below}/".startswith(f"{above}/")
