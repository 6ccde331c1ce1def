"""What led to a commit: ancestry, the commits in between, and who last changed a path.

Every walk costs what lies between its ends, not what the history holds.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator

from gitops.core.tree import Entry, Oid
from gitops.git.commits import CommitInfo
from gitops.git.objects import ObjectStore
from gitops.git.repository import Repository
from gitops.git.trailers import trailers

__all__ = ["is_ancestor", "last_changed", "trailers", "walk"]

_OLD, _NEW = 1, 2
_BOTH = _OLD | _NEW


def is_ancestor(repo: Repository, old: Oid, new: Oid) -> bool:
    """Tell whether *new* was built on *old*, or is it."""
    return old == new or _paint(repo.objects, old, new)[old] == _BOTH


def walk(repo: Repository, tip: Oid, until: Oid | None = None) -> Iterator[CommitInfo]:
    """Yield what is reachable from *tip* and not from *until*: children before parents, otherwise newest first."""
    painted = _paint(repo.objects, until, tip)
    children: dict[Oid, int] = defaultdict(int)
    for oid, paint in painted.items():
        if paint == _NEW:
            for parent in repo.objects.read_commit(oid).parents:
                children[parent] += 1
    ready = _Newest(repo.objects)
    if painted[tip] == _NEW:
        ready.push(tip)
    while ready:
        commit = ready.pop()
        yield commit
        for parent in commit.parents:
            children[parent] -= 1
            if not children[parent] and painted.get(parent) == _NEW:
                ready.push(parent)


class _Newest:
    """Commits that wait; the one with the latest date comes first."""

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


def _paint(objects: ObjectStore, old: Oid | None, new: Oid) -> dict[Oid, int]:
    """Mark all that is reachable from one of two commits only, and enough of what is reachable from both.

    Goes on while something waits that only one of them reaches, or that is dated like what only *new* reached.
    """
    painted: dict[Oid, int] = defaultdict(int)
    queue, unsettled = _Newest(objects), 0
    oldest_new = float("inf")
    waiting: dict[Oid, int] = {}

    def reach(oid: Oid, paint: int) -> None:
        nonlocal unsettled
        if painted[oid] | paint == painted[oid]:
            return
        unsettled -= waiting.get(oid, _BOTH) != _BOTH
        painted[oid] |= paint
        if oid not in waiting:
            queue.push(oid)
        waiting[oid] = painted[oid]
        unsettled += painted[oid] != _BOTH

    for start, paint in ((old, _OLD), (new, _NEW)):
        if start is not None:
            reach(start, paint)
    while queue and (unsettled or queue.date >= oldest_new):
        commit = queue.pop()
        paint = waiting.pop(commit.oid)
        unsettled -= paint != _BOTH
        if paint == _NEW:
            oldest_new = min(oldest_new, commit.committed)
        for parent in commit.parents:
            reach(parent, paint)
    return painted


def last_changed(repo: Repository, tip: Oid, paths: Iterable[str], until: Oid | None = None) -> dict[str, CommitInfo]:
    """Return, for each path of a file or directory, the newest commit in which it differs from all parents.

    That is what `git log -1 -- path` shows; the absence of a path counts as a value. With *until*, what did not change
    since then is left out of the answer.
    """
    objects, asked = repo.objects, _Asked.of(paths)
    limit = _paint(objects, until, tip) if until else None
    found: dict[str, CommitInfo] = {}
    pending = {tip: set(paths)}
    queue = _Newest(objects)
    queue.push(tip)
    while queue:
        commit = queue.pop()
        left = pending.pop(commit.oid)
        if limit is not None and limit.get(commit.oid) != _NEW:
            continue
        for parent in commit.parents:
            changed = left & asked.differing(objects, objects.read_commit(parent).tree, commit.tree)
            left -= changed
            if left and parent not in pending:
                queue.push(parent)
            if left:
                pending[parent] = _union(pending.get(parent, set()), left)
            left = changed
        if not commit.parents:
            left &= asked.differing(objects, None, commit.tree)
        found.update(dict.fromkeys(left, commit))
    return found


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
            for name in path.split("/") if path else ():
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
