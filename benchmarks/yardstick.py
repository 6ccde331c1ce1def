"""What Git itself does for the same result: `git fast-import` with a ready stream of the same commits.

The stream says all that is in the commits, their times too, so that their ids tell whether both did the same.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple

from benchmarks.process import Run, timed, watched
from benchmarks.repository import BRANCH, Repository

_GONE = "0" * 40


class Stream(NamedTuple):
    """A stream in a file, and the commit to which it leads."""

    path: Path
    tip: str


class Change(NamedTuple):
    """One path that a commit changes; `blob` is None when it is removed."""

    path: str
    mode: str
    blob: str | None


def write(repo: Repository, base: str, path: Path) -> Stream:
    """Write the stream that leads from the commit *base* to the branch of *repo* as it is now."""
    tip = repo.tip()
    with path.open("wb") as out, _Contents(repo) as contents:
        marks: dict[str, int] = {}
        for number, commit in enumerate(repo.git("rev-list", "--reverse", f"{base}..{tip}").split()):
            changes = list(_changes(repo, commit))
            for change in changes:
                if change.blob and change.blob not in marks:
                    marks[change.blob] = len(marks) + 1
                    out.write(b"blob\nmark :%d\n" % marks[change.blob])
                    contents.send(change.blob, out)
            out.write(_head(repo, commit, first=number == 0))
            out.writelines(_line(change, marks) for change in changes)
    return Stream(path, tip)


def fast_import(repo: Repository, stream: Stream) -> float:
    """Have Git make the commits of *stream* on the branch of *repo*; return the seconds that its process took."""
    seconds = timed(_command(repo), stream.path)
    _same(repo, stream)
    return seconds


def fast_import_watched(repo: Repository, stream: Stream) -> Run:
    """Do the same and look at its memory, too."""
    run = watched(_command(repo), stream.path)
    _same(repo, stream)
    return run


def _command(repo: Repository) -> list[str]:
    return ["git", "-C", str(repo.path), "fast-import", "--quiet"]


def _same(repo: Repository, stream: Stream) -> None:
    if repo.tip() != stream.tip:
        raise AssertionError(f"{repo.path}: git fast-import made {repo.tip()}, gitops had made {stream.tip}")


def _changes(repo: Repository, commit: str) -> Iterator[Change]:
    fields = repo.git("diff-tree", "-r", "-z", "--no-renames", f"{commit}^", commit).split("\0")[:-1]
    for meta, path in zip(fields[::2], fields[1::2], strict=True):
        _, mode, _, blob, _ = meta.split()
        yield Change(path, mode, None if blob == _GONE else blob)


def _head(repo: Repository, commit: str, *, first: bool) -> bytes:
    head, _, message = repo.git("cat-file", "commit", commit).partition("\n\n")
    people = [line for line in head.split("\n") if line.startswith(("author ", "committer "))]
    raw = message.encode()
    origin = f"from {BRANCH}^0\n" if first else ""
    return f"commit {BRANCH}\n{people[0]}\n{people[1]}\ndata {len(raw)}\n{message}\n{origin}".encode()


def _line(change: Change, marks: dict[str, int]) -> bytes:
    if change.blob is None:
        return f"D {change.path}\n".encode()
    return f"M {change.mode} :{marks[change.blob]} {change.path}\n".encode()


class _Contents:
    """The blobs of a repository, by one `git cat-file`. A context manager."""

    def __init__(self, repo: Repository) -> None:
        command = ["git", "-C", str(repo.path), "cat-file", "--batch"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self) -> _Contents:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def send(self, blob: str, out: IO[bytes]) -> None:
        """Write a blob to *out* as the `data` of a stream."""
        asked, answer = self._process.stdin, self._process.stdout
        assert asked
        assert answer
        asked.write(f"{blob}\n".encode())
        asked.flush()
        size = int(answer.readline().split()[2])
        out.write(b"data %d\n%b" % (size, answer.read(size + 1)))
