"""What of a definition's text may reach a terminal: kubectl's escapes, and all that kubectl lets through besides."""

from __future__ import annotations

import re

_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f"  # control characters, but for those of the layout, and their C1 forms
    "\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"  # order of writing, and separators that some terminals obey
    "\ud800-\udfff]"  # halves of characters, which no encoding can write
)
_KUBECTL = {"\x1b": "^[", "\r": "\\r"}


def escape(text: str) -> str:
    """Return *text* without anything that a terminal would obey. Tabs and line breaks stay for the layout."""
    return _UNPRINTABLE.sub(_escaped, text.replace("\r", _KUBECTL["\r"]))


def escape_json(text: str) -> str:
    """Return JSON text of the same meaning in which nothing is left that a terminal would obey."""
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def unprintable(text: str) -> bool:
    """Tell whether a terminal would obey a part of *text*."""
    return _UNPRINTABLE.search(text) is not None


def _escaped(found: re.Match[str]) -> str:
    return _KUBECTL.get(found[0]) or f"\\u{ord(found[0]):04x}"
