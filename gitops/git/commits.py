"""A commit as bytes: who, when, why, and on top of what."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from gitops.core.tree import Oid

Sign = Callable[[bytes], str]
"""Returns the armoured signature of a commit's bytes."""

_PERSON = re.compile(rb"(.*?) ?<([^>]*)>(?: (-?\d{1,18}))?.*", re.DOTALL)
_UNPRINTABLE = re.compile(r"[<>\x00-\x1f\x7f]")


class Identity(NamedTuple):
    """Who commits."""

    name: str
    email: str

    @classmethod
    def parse(cls, text: str) -> Identity:
        """Read `Name <email>`. What Git could not store is left out."""
        name, _, email = text.partition("<")
        return cls(_UNPRINTABLE.sub("", name).strip(), _UNPRINTABLE.sub("", email).strip())

    def at(self, when: int) -> bytes:
        name, email = (_UNPRINTABLE.sub("", part).strip() for part in self)
        return f"{name} <{email}> {when} +0000".encode("utf-8", "replace")


NOBODY = Identity("gitops", "gitops@localhost")
"""Who makes commits that no branch ever leads to."""


class CommitInfo(NamedTuple):
    """What a commit says. `when` is the author's time and `committed` the committer's, in seconds since 1970."""

    oid: Oid
    tree: Oid
    parents: tuple[Oid, ...]
    author_name: str
    author_email: str
    when: int
    committed: int
    message: str

    @property
    def subject(self) -> str:
        return self.message.strip("\n").partition("\n")[0]


def short(oid: Oid | None) -> str:
    """Return a commit's id as people are told it; None is no commit."""
    return oid.hex()[:7] if oid else "no commit"


def encode(
    tree: Oid, parents: Sequence[Oid], author: Identity, when: int, message: str, sign: Sign | None = None
) -> bytes:
    """Return the bytes of a commit by *author* at *when* (seconds since 1970, UTC)."""
    person = author.at(when)
    lines = [b"tree " + tree.hex().encode(), *(b"parent " + parent.hex().encode() for parent in parents)]
    headers = b"\n".join([*lines, b"author " + person, b"committer " + person])
    text = b"\n\n" + (message.replace("\0", "").rstrip("\n") + "\n").encode("utf-8", "replace")
    if not sign:
        return headers + text
    signature = sign(headers + text).strip().replace("\n", "\n ")
    return headers + b"\ngpgsig " + signature.encode() + text


def decode(oid: Oid, raw: bytes) -> CommitInfo:
    """Read the bytes of any commit, odd ones of other tools too. ValueError when it names no tree."""
    head, _, message = raw.partition(b"\n\n")
    found: dict[bytes, list[bytes]] = {}
    for line in head.split(b"\n"):
        key, _, value = line.partition(b" ")
        found.setdefault(key, []).append(value)
    if not found.get(b"tree"):
        raise ValueError(f"commit {oid.hex()} names no tree")
    charset = found.get(b"encoding", [b"utf-8"])[0].decode("ascii", "replace")
    return CommitInfo(
        oid,
        bytes.fromhex(found[b"tree"][0].decode("ascii")),
        tuple(bytes.fromhex(parent.decode("ascii")) for parent in found.get(b"parent", ())),
        *_person(found.get(b"author", [b""])[0], charset),
        _person(found.get(b"committer", [b""])[0], charset)[2],
        _text(message, charset),
    )


def _person(raw: bytes, charset: str) -> tuple[str, str, int]:
    match = _PERSON.fullmatch(raw)
    if not match:
        return _text(raw, charset), "", 0
    return _text(match[1], charset), _text(match[2], charset), int(match[3] or 0)


def _text(raw: bytes, charset: str) -> str:
    try:
        return raw.decode(charset, "replace")
    except LookupError:
        return raw.decode("utf-8", "replace")
