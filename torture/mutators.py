"""How bytes are changed: blindly, by lines and words of YAML, and with tokens that have harmed somebody before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

TOKENS = tuple(
    text.encode("utf-8", "surrogatepass")
    for text in (
        *(
            "../",
            "/",
            "//",
            "./",
            "..",
            ".git",
            ".git/config",
            "git~1",
            ".GIT",
            "\\",
            "C:",
            "~",
            "-",
            "--",
            "\0",
            "\n",
            "\r",
        ),
        *(
            "\x1b[31m",
            "\x7f",
            "\x85",
            "\u2028",
            "\u202e",
            "\u200c",
            "\ufeff",
            "\ufffe",
            "\ud800",
            "\U0001f600",
            "é",
            "e\u0301",
        ),
        *(
            "\ufe0f",
            "\u034f",
            "K",
            "ı",
            "ß",
            "\t",
            " ",
            "  ",
            ": ",
            "- ",
            "? ",
            "| ",
            "|-\n",
            ">",
            "&a ",
            "*a",
            "!!str ",
            "!x ",
        ),
        *(
            "<<: ",
            "{",
            "}",
            "[",
            "]",
            "{}",
            "[]",
            "'",
            '"',
            "#",
            "%YAML 1.1\n",
            "---\n",
            "...\n",
            "null",
            "true",
            "no",
            "~",
        ),
        *(
            "0",
            "-1",
            "1e999",
            "9" * 400,
            "0x1f",
            "0o17",
            "1:30",
            ".inf",
            "2026-01-01",
            "H4sI",
            "H4sIAAAAAAAC",
            "{{ x }}",
            "{% if %}",
        ),
        *(
            "{{ ''.__class__ }}",
            "a" * 300,
            "[" * 70,
            "{a: " * 70,
            "- " * 70,
            "metadata:\n",
            "spec:\n",
            "kind: List\nitems:\n",
        ),
        *(
            "apiVersion: v1\n",
            "status:\n",
            "inventory:\n",
            "name: ",
            "path: ",
            "works",
            "status",
            "state",
            "\ud83d",
            "\\ud83d",
            "\\x",
        ),
    )
)


def mutated(chance: Random, corpus: Sequence[bytes]) -> bytes:
    """Return one of *corpus*, changed one to several times."""
    raw = chance.choice(corpus)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        raw = chance.choice(_WAYS)(chance, raw, corpus)
    return raw[: 64 << 10]


def _flip(chance: Random, raw: bytes, _: Sequence[bytes]) -> bytes:
    at = chance.randrange(len(raw) + 1)
    return raw[:at] + bytes([chance.randrange(256)]) + raw[at + 1 :]


def _insert(chance: Random, raw: bytes, _: Sequence[bytes]) -> bytes:
    at = chance.randrange(len(raw) + 1)
    return raw[:at] + chance.choice(TOKENS) + raw[at:]


def _replace(chance: Random, raw: bytes, _: Sequence[bytes]) -> bytes:
    """Put a token in the place of a word."""
    words = raw.split(b" ")
    words[chance.randrange(len(words))] = chance.choice(TOKENS)
    return b" ".join(words)


def _cut(chance: Random, raw: bytes, _: Sequence[bytes]) -> bytes:
    begin, end = sorted(chance.randrange(len(raw) + 1) for _ in range(2))
    return raw[:begin] + raw[end:]


def _end(chance: Random, raw: bytes, _: Sequence[bytes]) -> bytes:
    return raw[: chance.randrange(len(raw) + 1)]


def _splice(chance: Random, raw: bytes, corpus: Sequence[bytes]) -> bytes:
    other = chance.choice(corpus)
    return raw[: chance.randrange(len(raw) + 1)] + other[chance.randrange(len(other) + 1) :]


def _lines(change: Callable[[Random, list[bytes]], object]) -> Callable[[Random, bytes, Sequence[bytes]], bytes]:
    def way(chance: Random, raw: bytes, _: Sequence[bytes]) -> bytes:
        lines = raw.split(b"\n")
        change(chance, lines)
        return b"\n".join(lines)

    return way


def _double(chance: Random, lines: list[bytes]) -> None:
    lines.insert(chance.randrange(len(lines) + 1), chance.choice(lines))


def _swap(chance: Random, lines: list[bytes]) -> None:
    one, other = (chance.randrange(len(lines)) for _ in range(2))
    lines[one], lines[other] = lines[other], lines[one]


def _indent(chance: Random, lines: list[bytes]) -> None:
    at = chance.randrange(len(lines))
    lines[at] = b"  " + lines[at] if chance.random() < 0.5 else lines[at].removeprefix(b"  ")


def _remove(chance: Random, lines: list[bytes]) -> None:
    del lines[chance.randrange(len(lines))]
    lines.append(b"")


def _repeat(chance: Random, lines: list[bytes]) -> None:
    lines += [chance.choice(lines)] * chance.choice((2, 50, 500))


_BY_LINES = tuple(map(_lines, (_double, _swap, _indent, _indent, _remove, _repeat)))
_WAYS = (_flip, _flip, _insert, _insert, _replace, _replace, _cut, _end, _splice, *_BY_LINES)


def shrunk(raw: bytes, still: Callable[[bytes], bool], patience: int = 2_000) -> bytes:
    """Return a short form of *raw* of which *still* holds: parts are left out, as long as that goes."""
    size = len(raw) // 2
    while size and patience > 0:
        at = 0
        while at < len(raw) and patience > 0:
            patience -= 1
            shorter = raw[:at] + raw[at + size :]
            if still(shorter):
                raw = shorter
            else:
                at += size
        size //= 2
    return raw
