"""The attributes by which Git makes the file of a path another than its blob, which a work tree of ours cannot have.

No filter of a repository is ever run, and a file as the blob has it would be an edit to Git, which the next commit of
the user would hold. Line ends do not count: those are followed.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from gitops.errors import RepositoryError
from gitops.git.command import SEALED

_CONVERTING = ("filter", "ident", "working-tree-encoding")
_HARMLESS = ("unspecified", "unset")
_COMMAND = ("-c", "core.fsmonitor=false", "check-attr", "-z", "--stdin", *_CONVERTING)  # without the user's commands


def refuse_converted(git_dir: Path, root: Path, paths: Sequence[str]) -> None:
    """RepositoryError, with the way out, when files of any of *paths* in the work tree *root* are not their blobs."""
    for path, name, value in _attributes(git_dir, root, paths) if paths else ():
        if value not in _HARMLESS:
            told = name if value == "set" else f"{name}={value}"
            raise RepositoryError(
                f"{root} cannot follow: {path} has the attribute {told}, which gitops does not handle; "
                f"take it from what gitops writes, as '/{path.split('/')[0]}/** -{name}' in .gitattributes does"
            )


def _attributes(git_dir: Path, root: Path, paths: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Yield path, name and value of each converting attribute of each path. Git is asked for all of them at once."""
    asked = subprocess.run(
        ["git", f"--git-dir={git_dir}", f"--work-tree={root}", *_COMMAND],
        cwd=root,
        input=b"".join(os.fsencode(path) + b"\0" for path in paths),
        capture_output=True,
        env={"PATH": os.environ.get("PATH", os.defpath), **SEALED},
    )
    if asked.returncode:
        why = os.fsdecode(asked.stderr).strip() or f"exit code {asked.returncode}"
        raise RepositoryError(f"{root} cannot follow: git check-attr: {why}")
    fields = iter(os.fsdecode(asked.stdout).split("\0"))
    return zip(fields, fields, fields, strict=False)
