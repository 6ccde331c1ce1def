"""The attributes by which Git makes the file of a path another than its blob, which a work tree of ours cannot have.

No filter of a repository is ever run, and a file as the blob has it would be an edit to Git, which the next commit of
the user would hold. Line ends do not count: those are followed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pygit2

from gitops.errors import RepositoryError

_CONVERTING = ("filter", "ident", "working-tree-encoding")


def refuse_converted(git_dir: Path, root: Path, paths: Iterable[str]) -> None:
    """RepositoryError, with the way out, when files of any of *paths* in the work tree *root* are not their blobs."""
    handle = pygit2.Repository(str(git_dir))
    handle.workdir = str(root)
    for path in paths:
        for name in _CONVERTING:
            if value := handle.get_attr(os.fsencode(path), name):
                told = name if value is True else f"{name}={value}"
                raise RepositoryError(
                    f"{root} cannot follow: {path} has the attribute {told}, which gitops does not handle; "
                    f"take it from what gitops writes, as '/{path.split('/')[0]}/** -{name}' in .gitattributes does"
                )
