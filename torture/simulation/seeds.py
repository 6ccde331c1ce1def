"""Seeds that found something: what it was, and with which steps of the history it shows.

What became a readable example stands in tests/laws/test_found.py as well. A seed tells the same history only as long as
people and faults are drawn in the same way: the examples are what lasts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Found(NamedTuple):
    """A history that broke a law once."""

    seed: str
    steps: Sequence[int] | None
    showed: str


FOUND = (
    Found("history-1-153", None, "events of a removed Work came in another order from a daemon that had seen nothing"),
    Found("history-1-1565", None, "the oracle did not know a commit of all Works of a pass as one of documents"),
    Found("history-1-4028", None, "the laws did not look where the last good definition of a broken store led"),
    Found("history-1-4385", None, "the laws wanted a daemon to clean up where no definition in the history leads"),
    Found(
        "history-1-5294",
        None,
        "a clone that was found whole was trusted by the time of day, whatever time it was in the history",
    ),
    Found("history-1-2400", None, "the laws looked away from a vanished store that was written to after all"),
    Found("history-1-4579", None, "the oracle knew one newest status commit where unrelated histories were merged"),
    Found("history-1-3883", None, "the version of another daemon, which had seen more of a store, was taken for none"),
    Found("history-1-4993", None, "a stray was taken for told, since a status named a file where its folder is"),
    Found("history-1-5635", None, "the laws did not let documents stand that an unreadable file may define"),
    Found("history-1-6734", None, "the laws wanted a reason where the source of the last status is in no history"),
    Found("history-2-779", None, "an aggregate went with the first of its Works while its Destination had no store"),
    Found("history-4-605", None, "a Destination that waits to be removed was no reason for a placement to go"),
    Found("history-6-15", None, "a probe that failed for a damaged clone was taken for a store that refuses"),
    Found("history-3-224", None, "an object that no ref led to was damaged, and the simulated fsck did not look at it"),
    Found("history-1-9119", None, "the commit of a probe was taken for written after it was collected as garbage"),
    Found("history-1-7314", None, "a fetch that failed before a push was told after it, as if it were news"),
    Found("history-1-6302", None, "the oracle did not know the events of a Work whose own status people had removed"),
    Found("history-8-84", None, "the oracle did not see that a file went to make room for a directory"),
    Found("history-8-207", None, "an object came twice: a rival got it while its owner's aggregate moved"),
    Found("history-1-7474", None, "the laws did not know that a last good document may be in one clone only"),
    Found("history-14-118", None, "the same, where two documents of one object hold each other back"),
    Found("history-9-63", None, "the laws did not know that only who knew a store of old says that its documents went"),
)
