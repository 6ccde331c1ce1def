"""The ids of workload groups, and how names and paths shorten them (Kratix reference, 2.1)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from gitops.api.work import WorkloadGroup


def group_id(group: WorkloadGroup) -> str:
    """Return the id of a group: the one it has, or Kratix's, the md5 of its cleaned directory, 32 hex digits."""
    if group.id:
        return group.id
    parts = [part for part in group.directory.split("/") if part not in ("", ".")]
    return hashlib.md5("/".join(parts or ["."]).encode(), usedforsecurity=False).hexdigest()


def short_ids(ids: Iterable[str]) -> list[str]:
    """Return the first 5 characters of each id, or more where two of one Work would be equal."""
    known = list(ids)

    def short(own: str) -> str:
        return next((own[:n] for n in range(5, len(own)) if sum(i[:n] == own[:n] for i in set(known)) == 1), own)

    return [short(own) for own in known]
