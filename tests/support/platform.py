"""A platform's repository and the people who change it: commits, merges, rewinds, and passes when a test wants them.

    platform.commit({"destinations/dev.yaml": destination("dev", env="dev")})
    platform.commit({"works/redis.yaml": work("redis", env="dev")}, by=BOB)
    platform.reconcile()
    platform.clock.advance(60)
    platform.status("works/default/redis/work.yaml")["status"]["conditions"]
    platform.files("state/")

The repository is bare: what a checked-out work tree shows is another matter, with tests of its own.
"""

import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pygit2
import yaml
from pygit2.enums import FileMode, MergeFavor, SortMode

from gitops.cache import Cache
from gitops.core.render import render
from gitops.git.repository import Repository
from gitops.reconciler import Reconciler
from gitops.writing import Outcome

Content = str | bytes | Mapping[str, Any] | Sequence[Mapping[str, Any]] | None
"""Of a file: text, bytes, a definition, several of them, or None to remove it."""


_Blob = tuple[FileMode, pygit2.Oid]


class Person(NamedTuple):
    name: str
    email: str


ADA = Person("Ada Lovelace", "ada@example.org")
BOB = Person("Bob Babbage", "bob@example.org")
_PATIENCE = 20  # tries
DAEMON = Person("gitops", "gitops@localhost")


class Clock:
    """Stands still until it is moved, so that two passes can see the same time."""

    def __init__(self, now: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float = 60) -> None:
        self.now += timedelta(seconds=seconds)


class Platform:
    """A repository at *path*, made when it is not there."""

    def __init__(self, path: Path, clock: Clock | None = None, branch: str = "main") -> None:
        self.path, self.branch, self.clock = path, branch, clock or Clock()
        if not path.exists():
            pygit2.init_repository(str(path), bare=True, initial_head=branch)
        self.repo = pygit2.Repository(str(path))
        self._daemon: Reconciler | None = None

    # people

    def commit(
        self, files: Mapping[str, Content], message: str = "Edit", by: Person = ADA, branch: str = "", onto: str = ""
    ) -> str:
        """Change *files* in one commit on *branch*, which begins at *onto* when it is new. Return its id."""
        branch = branch or self.branch
        parent = self.tip(branch) or onto or None
        entries = {path: (FileMode.BLOB, self._blob(_raw(c))) for path, c in files.items() if c is not None}
        tree = self._tree(parent, [path for path, c in files.items() if c is None], entries)
        return self._record(branch, tree, [parent] if parent else [], message, by)

    def _blob(self, content: bytes) -> pygit2.Oid:
        """Write a blob; once more when git's maintenance took away its empty folder meanwhile, as git itself does."""
        try:
            return self.repo.create_blob(content)
        except OSError:
            return self.repo.create_blob(content)

    def remove(self, *paths: str, message: str = "Remove", by: Person = ADA, branch: str = "") -> str:
        """Remove files, or directories with all that is in them, in one commit."""
        below = [f for f in self.files(at=branch) if any(f == path or f.startswith(f"{path}/") for path in paths)]
        return self.commit(dict.fromkeys(below), message, by, branch)

    def rename(self, old: str, new: str, by: Person = ADA) -> str:
        """Give a file another path."""
        return self.commit({new: self.files()[old], old: None}, f"Rename {old}", by)

    def link(self, path: str, target: str, by: Person = ADA) -> str:
        """Put a symbolic link at *path*."""
        tree = self._tree(self.tip(), [], {path: (FileMode.LINK, self.repo.create_blob(target.encode()))})
        return self._record(self.branch, tree, [t for t in [self.tip()] if t], f"Link {path}", by)

    def merge(self, side: str, by: Person = ADA) -> str:
        """Merge the branch *side* as a forge's button does; where both changed a file the branch's own wins."""
        ours, theirs = self.tip(), self.tip(side)
        assert ours
        assert theirs
        index = self.repo.merge_commits(ours, theirs, favor=MergeFavor.OURS)
        for ancestor, own, other in list(index.conflicts or ()):  # deleted on one side, changed on the other
            path = next(e.path for e in (ancestor, own, other) if e)
            del index.conflicts[path]
            if own:
                index.add(own)
        return self._record(self.branch, index.write_tree(self.repo), [ours, theirs], f"Merge {side}", by)

    def move(self, oid: str | None, branch: str = "") -> None:
        """Make *branch* stand at *oid* (a forced push); None deletes it."""
        name = f"refs/heads/{branch or self.branch}"
        if oid is None:
            self.repo.references.delete(name)
            return
        for patience in range(_PATIENCE, -1, -1):  # git's own maintenance may hold the lock for a moment
            try:
                self.repo.references.create(name, oid, force=True)
                break
            except OSError:
                if not patience:
                    raise
                time.sleep(0.05)

    def rewind(self, commits: int) -> str:
        """Take the newest *commits* from the branch (first parents), but never its first commit."""
        commit = self.repo[self.tip() or ""]
        for _ in range(commits):
            commit = commit.parents[0] if commit.parents else commit
        self.move(str(commit.id))
        return str(commit.id)

    # the daemon

    def reconciler(self, cache: Cache | None = None) -> Reconciler:
        """A Reconciler that has seen nothing, or what is in *cache*."""
        return Reconciler(Repository.open(self.path), self.branch, self.clock, render, cache)

    def reconcile(self) -> list[Outcome]:
        """A pass of this platform's daemon, which remembers the passes before."""
        self._daemon = self._daemon or self.reconciler()
        return self._daemon.reconcile()

    # what stands there

    def tip(self, branch: str = "") -> str | None:
        found = self.repo.references.get(f"refs/heads/{branch or self.branch}")
        return str(found.target) if found else None

    def tips(self) -> dict[str, str]:
        """Where all branches stand, by their names."""
        names = (name.removeprefix("refs/heads/") for name in self.repo.references if name.startswith("refs/heads/"))
        return {name: tip for name in names if (tip := self.tip(name))}

    def files(self, prefix: str = "", at: str = "") -> dict[str, bytes]:
        """The files below *prefix*, by their whole path, at a commit or on a branch."""
        return {path: self.repo[blob].data for path, blob in self.blobs(prefix, at).items()}

    def blobs(self, prefix: str = "", at: str = "") -> dict[str, str]:
        """The same with the blob ids."""
        tree = self._tree_of(at)
        return {path: str(entry.id) for path, entry in _walk(self.repo, tree, prefix)} if tree else {}

    def status(self, file: str, at: str = "") -> dict[str, Any]:
        """A status file (by its path below `status/`), read; empty when it is not there."""
        raw = self.files(f"status/{file}", at).get(f"status/{file}")
        return yaml.load(raw, yaml.CSafeLoader) if raw else {}

    def statuses(self, at: str = "") -> dict[str, dict[str, Any]]:
        """All status files of objects, by their path below `status/`."""
        found = self.files("status/", at)
        return {
            path.removeprefix("status/"): yaml.load(raw, yaml.CSafeLoader)
            for path, raw in found.items()
            if path.endswith(".yaml") and path != "status/repository.yaml"
        }

    def condition(self, file: str, kind: str = "Ready") -> tuple[str, str, str]:
        """Status, reason and message of a condition; three empty texts when there is none."""
        conditions = self.status(file).get("status", {}).get("conditions", [])
        found = next((c for c in conditions if c["type"] == kind), {})
        return found.get("status", ""), found.get("reason", ""), found.get("message", "")

    def events(self, file: str) -> list[str]:
        """The events in a status file, as `<reason>: <message>`, oldest first."""
        return [f"{e['reason']}: {e['message']}" for e in self.status(file).get("events", [])]

    def log(self, branch: str = "", until: str = "") -> list[pygit2.Commit]:
        """The commits of *branch*, newest first, that *until* does not reach."""
        tip = self.tip(branch)
        if tip is None:
            return []
        walker = self.repo.walk(tip, SortMode.TOPOLOGICAL)
        if until:
            walker.hide(until)
        return list(walker)

    def subjects(self, branch: str = "", until: str = "") -> list[str]:
        return [commit.message.partition("\n")[0] for commit in self.log(branch, until)]

    def git(self, *arguments: str, given: str = "") -> str:
        """What a git command prints."""
        command = ["git", "-C", self.path, *arguments]
        return subprocess.run(command, input=given, capture_output=True, text=True, check=True).stdout

    # the ways of Git

    def _tree_of(self, at: str) -> pygit2.Tree | None:
        oid = at if len(at) == 40 else self.tip(at)
        return self.repo[oid].peel(pygit2.Tree) if oid else None

    def _tree(self, parent: str | None, gone: Sequence[str], come: Mapping[str, _Blob]) -> pygit2.Oid:
        index = pygit2.Index()
        if parent:
            index.read_tree(self.repo[parent].peel(pygit2.Tree))
        for path in gone:
            index.remove(path)
        for path, (mode, blob) in come.items():
            index.add(pygit2.IndexEntry(path, blob, mode))
        return index.write_tree(self.repo)

    def _record(self, branch: str, tree: pygit2.Oid, parents: Sequence[str], message: str, by: Person) -> str:
        who = pygit2.Signature(*by, int(self.clock.now.timestamp()), 0)
        made = str(self.repo.create_commit(None, who, who, message, tree, list(parents)))
        self.move(made, branch)
        return made


def _walk(repo: pygit2.Repository, root: pygit2.Tree, prefix: str) -> Iterator[tuple[str, pygit2.Object]]:
    """List the files whose path begins with *prefix*. Other folders are not entered: what is in them may be no tree."""
    waiting = [(entry.name, entry) for entry in reversed(list(root))]  # no recursion: some have no bottom
    while waiting:
        path, entry = waiting.pop()
        if entry.filemode != FileMode.TREE:
            if path.startswith(prefix):
                yield path, entry
        elif f"{path}/".startswith(prefix) or prefix.startswith(f"{path}/"):
            waiting += [(f"{path}/{inner.name}", inner) for inner in reversed(list(repo[entry.id]))]


def _raw(content: Content) -> bytes:
    if isinstance(content, bytes):
        return content
    if isinstance(content, str):
        return content.encode()
    documents = [content] if isinstance(content, Mapping) else list(content or ())
    return yaml.safe_dump_all(documents, sort_keys=False).encode()
