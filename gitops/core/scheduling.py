"""Which workload group goes to which Destination: Kratix's scheduler, deterministic and with a memory.

A dependency goes to every Destination that matches; a resource request to one, and stays there. A placement whose
Destination stops matching is misplaced: kept, kept up to date, and reported.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from gitops.core.outline import Outline
from gitops.core.selectors import Matcher, Selector


class Schedulable(Protocol):
    """What scheduling needs to know of a workload group."""

    @property
    def id(self) -> str: ...
    @property
    def selector(self) -> Selector: ...


class Assignment(NamedTuple):
    """One workload group on one Destination."""

    group: str
    destination: str
    misplaced: bool = False


class Schedule(NamedTuple):
    """The outcome for one Work. `unscheduled` are ids of groups that no Destination matches, in the Work's order."""

    assignments: tuple[Assignment, ...]
    unscheduled: tuple[str, ...]


def rendezvous(namespace: str, work: str, group: str, destinations: Collection[str]) -> str:
    """Choose one: the highest hash wins, so that adding a Destination never moves a choice between others."""

    def weight(name: str) -> tuple[bytes, str]:
        return hashlib.sha256("\0".join((namespace, work, group, name)).encode()).digest(), name

    return max(destinations, key=weight)


def schedule(
    work: Outline,
    groups: Sequence[Schedulable],
    existing: Mapping[str, Collection[str]],
    matcher: Matcher,
    unready: Collection[str],
) -> Schedule:
    """Place the groups of one Work.

    *existing* holds the Destinations of each group's recorded placements; those whose documents went with a removed
    Destination are not among them. *unready* Destinations are passed over by a new choice while another match is ready.
    """
    assignments: list[Assignment] = []
    unscheduled: list[str] = []
    for group in groups:
        fit = matcher.match(group.selector)
        placed = existing.get(group.id, ())
        targets = set(placed)
        if not work.single:
            targets |= fit
        elif not placed and fit:
            targets = {rendezvous(work.namespace, work.name, group.id, fit.difference(unready) or fit)}
        assignments += [Assignment(group.id, name, name not in fit) for name in sorted(targets)]
        if not targets:
            unscheduled.append(group.id)
    return Schedule(tuple(assignments), tuple(unscheduled))
