"""What led to a commit: ancestry, the commits in between, and who last changed a path.

Every walk costs what lies between its ends, not what the history holds.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator

from gitops.core.tree import Entry, Oid
from gitops.git.commits import CommitInfo
from gitops.git.objects import ObjectStore
from gitops.git.repository import Repository

_OLD, _NEW = 1, 2
_BOTH = _OLD | _NEW


def is_ancestor(repo: Repository, old: Oid, new: Oid) -> bool:
    """Tell whether *new* was built on *old*, or is it. KeyError when one of them is missing."""
    if old == new or old in repo.objects.read_commit(new).parents:
        return True
    return _Reach(repo.objects, old, new).of[old] == _BOTH


def walk(repo: Repository, tip: Oid, until: Oid | None = None) -> Iterator[CommitInfo]:
    """Yield what is reachable from *tip* and not from *until*: children before parents, otherwise newest first.

    Where a clock went back it may yield what *until* reaches, as git itself does: `is_ancestor` is right in any case.
    """
    reach = _Reach(repo.objects, until, tip)
    children = Counter(parent for oid in reach.of if reach.is_new(oid) for parent in reach.parents[oid])
    ready = _Newest(repo.objects)
    if reach.is_new(tip):
        ready.push(tip)
    while ready:
        commit = ready.pop()
        yield commit
        for parent in commit.parents:
            children[parent] -= 1
            if not children[parent] and reach.is_new(parent):
                ready.push(parent)


class _Newest:
    """Commits that wait; the one with the latest date comes first. Only their ids are held, as there may be many."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects
        self._heap: list[tuple[int, int, Oid]] = []
        self._count = 0

    def __bool__(self) -> bool:
        return bool(self._heap)

    def push(self, oid: Oid) -> None:
        self._count += 1
        heapq.heappush(self._heap, (-self._objects.read_commit(oid).committed, self._count, oid))

    def pop(self) -> CommitInfo:
        return self._objects.read_commit(heapq.heappop(self._heap)[2])

    @property
    def date(self) -> int:
        return -self._heap[0][0]


class _Reach:
    """From which of two commits others are reached: all that only one of them reaches, and where both meet.

    It goes on while something waits that only one reaches, or that is not older than what only *new* reached: so
    commits of one second may stand in any order. A parent that is younger than its child can be taken for new.
    """

    def __init__(self, objects: ObjectStore, old: Oid | None, new: Oid) -> None:
        self.of: dict[Oid, int] = {}
        self.parents: dict[Oid, tuple[Oid, ...]] = {}
        self._queue = _Newest(objects)
        self._waiting: set[Oid] = set()
        self._undecided = 0  # of those that wait, how many only one commit reaches
        if old is not None:
            self._mark(old, _OLD)
        self._mark(new, _NEW)
        oldest = float("inf")
        while self._queue and (self._undecided or self._queue.date >= oldest):
            commit = self._next()
            if self.is_new(commit.oid):
                oldest = min(oldest, commit.committed)

    def is_new(self, oid: Oid) -> bool:
        return self.of.get(oid) == _NEW

    def _next(self) -> CommitInfo:
        commit = self._queue.pop()
        self.parents[commit.oid] = commit.parents
        self._waiting.remove(commit.oid)
        self._undecided -= self.of[commit.oid] != _BOTH
        for parent in commit.parents:
            self._mark(parent, self.of[commit.oid])
        return commit

    def _mark(self, oid: Oid, source: int) -> None:
        before = self.of.get(oid, 0)
        after = before | source
        if before == after:
            return
        self.of[oid] = after
        if oid in self._waiting:
            self._undecided -= before != _BOTH
        else:
            self._queue.push(oid)
            self._waiting.add(oid)
        self._undecided += after != _BOTH


class Lineage:
    """The commits that led to a tip: walked as far back as somebody asks, and remembered while the tip goes on."""

    def __init__(self, repo: Repository) -> None:
        self._repo = repo
        self.tip: Oid = b""
        self._forget()

    def follow(self, tip: Oid) -> Lineage:
        """Look from *tip* on; what is known stays so when that was built upon the last one."""
        if self.tip and not (self.tip in self._repo.objects and is_ancestor(self._repo, self.tip, tip)):
            self._forget()
        self._reach(tip)
        self.tip = tip
        return self

    def __contains__(self, oid: object) -> bool:
        if oid not in self._known and not (isinstance(oid, bytes) and oid in self._repo.objects):
            return False
        try:
            while oid not in self._known and self._waiting:
                for parent in self._waiting.pop().parents:
                    self._reach(parent)
        except BaseException:
            self._forget()  # or else what is behind an object that could not be read would count as gone for ever
            raise
        return oid in self._known

    def _forget(self) -> None:
        self._known: set[Oid] = set()
        self._waiting = _Newest(self._repo.objects)

    def _reach(self, oid: Oid) -> None:
        if oid not in self._known:
            self._waiting.push(oid)
            self._known.add(oid)


def last_changed(repo: Repository, tip: Oid, paths: Iterable[str]) -> dict[str, CommitInfo]:
    """Return, for each path of a file or directory, the newest commit in which it differs from all parents.

    That is what `git log -1 -- path` shows; the absence of a path counts as a value.
    """
    objects, asked = repo.objects, _Asked.of(paths)
    found: dict[str, CommitInfo] = {}
    pending = {tip: set(paths)}
    queue = _Newest(objects)
    queue.push(tip)
    while queue:
        commit = queue.pop()
        left = pending.pop(commit.oid)
        shares, introduced = _share(objects, asked, commit, left)
        for parent, unchanged in shares:
            if parent not in pending:
                queue.push(parent)
            pending[parent] = _union(pending.get(parent, set()), unchanged)
        found.update(dict.fromkeys(introduced, commit))
    return found


def _share(
    objects: ObjectStore, asked: _Asked, commit: CommitInfo, left: set[str]
) -> tuple[list[tuple[Oid, set[str]]], set[str]]:
    """Divide *left* into what each parent has in the same way, the first of them first, and what none has."""
    shares = []
    for parent in commit.parents:
        changed = left & asked.differing(objects, objects.commit_tree(parent), commit.tree)
        left -= changed
        if left:
            shares.append((parent, left))
        left = changed
    return shares, left if commit.parents else left & asked.differing(objects, None, commit.tree)


def _union(one: set[str], other: set[str]) -> set[str]:
    """Unite two sets at the cost of the smaller."""
    small, large = sorted((one, other), key=len)
    large |= small
    return large


class _Asked:
    """Paths as a tree of names, to descend into two Git trees only where they differ and somebody asks."""

    def __init__(self) -> None:
        self.path: str | None = None
        self.below: dict[str, _Asked] = {}

    @classmethod
    def of(cls, paths: Iterable[str]) -> _Asked:
        root = cls()
        for path in paths:
            node = root
            for name in path.split("/"):
                node = node.below.setdefault(name, cls())
            node.path = path
        return root

    def differing(self, objects: ObjectStore, old: Oid | None, new: Oid | None) -> set[str]:
        """Return the paths at which two trees hold something else."""
        found: set[str] = set()
        stack = [(self, old, new)]
        while stack:
            node, a, b = stack.pop()
            if a == b:
                continue
            left, right = (objects.tree(oid) if oid else {} for oid in (a, b))
            for name, below in node.below.items():
                before, after = left.get(name), right.get(name)
                if before != after:
                    stack.append((below, _directory(before), _directory(after)))
                    if below.path is not None:
                        found.add(below.path)
        return found


def _directory(entry: Entry | None) -> Oid | None:
    return entry.oid if entry and entry.is_tree else None
