"""Text from outside in one printable form, for terminals, logs, messages and commits."""

from __future__ import annotations

MAX_MESSAGE = 512


def printable(text: str, limit: int = MAX_MESSAGE) -> str:
    r"""Return *text* as one line of at most *limit* characters.

    Control, format and bidirectional characters, line breaks and lone surrogates become escapes such as `\x1b`.
    """
    if len(text) <= limit and text.isprintable():
        return text
    shown = "".join(_shown(character) for character in text[: limit + 1])
    return shown if len(shown) <= limit and len(text) <= limit else shown[: limit - 1] + "…"


def markdown(text: str, limit: int = 300) -> str:
    """Return *text* so that it stands in a Markdown table as it is: nothing of it is markup."""
    escaped = "".join(f"\\{c}" if c in r"\`*_{}[]<>()#+!|~" else c for c in printable(text, limit))
    return escaped.replace("&", "&amp;")


def counted(number: int, noun: str) -> str:
    """Return `1 file`, `2 files`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _shown(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
