"""Git trees as no tool of good will writes them: bytes of one's own choice for modes and names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pygit2
from pygit2.enums import FileMode, ObjectType
from support.platform import ADA, Platform

NOWHERE = b"\x11" * 20  # the id of an object that is not there


class RawEntry(NamedTuple):
    """An entry: mode and name as they shall stand there, and a file's content, the entries of a tree, or an id.

    A number is that of directories in each other, with a file at the bottom.
    """

    mode: bytes
    name: bytes
    content: str | bytes | int | Sequence[RawEntry] = b""


RawTree = Sequence[RawEntry]


def graft(platform: Platform, trees: Mapping[str, RawTree]) -> None:
    """Commit *trees*, each in the place of what stands at its path."""
    parent = platform.repo[platform.tip() or ""]
    root = parent.peel(pygit2.Tree).id
    for path, tree in trees.items():
        root = _placed(platform.repo, root, path.split("/"), _written(platform.repo, tree))
    who = pygit2.Signature(*ADA, int(platform.clock.now.timestamp()), 0)
    commit = platform.repo.create_commit(None, who, who, "Graft", root, [parent.id])
    platform.move(str(commit))


def _placed(repo: pygit2.Repository, root: pygit2.Oid | None, path: Sequence[str], oid: pygit2.Oid) -> pygit2.Oid:
    builder = repo.TreeBuilder(repo[root]) if root else repo.TreeBuilder()
    below = builder.get(path[0])
    inner = below.id if below and below.filemode == FileMode.TREE else None
    builder.insert(path[0], _placed(repo, inner, path[1:], oid) if path[1:] else oid, FileMode.TREE)
    return builder.write()


def _written(repo: pygit2.Repository, tree: RawTree) -> pygit2.Oid:
    rows = [b"%s %s\0%s" % (mode, name, _oid(repo, content)) for mode, name, content in tree]
    return repo.write(ObjectType.TREE, b"".join(rows))


def _oid(repo: pygit2.Repository, content: str | bytes | int | Sequence[RawEntry]) -> bytes:
    if isinstance(content, str):
        return bytes(repo.create_blob(content.encode()).raw)
    if isinstance(content, bytes):
        return content
    if not isinstance(content, int):
        return bytes(_written(repo, content).raw)
    tree = _written(repo, [RawEntry(b"100644", b"leaf.yaml", "x")])
    for _ in range(content - 1):
        tree = _written(repo, [RawEntry(b"40000", b"d", bytes(tree.raw))])
    return bytes(tree.raw)
