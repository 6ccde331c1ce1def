"""Strays: what stands on Destinations and is nobody's.

Documents go to a store before the status that tells of them. When that never comes, because the home branch went
another way, or when people take such a status, or the removal of documents, out of a history, no inventory has them.
Those that the log shows to be ours are withdrawn; what people put there, or changed since, is theirs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from gitops.core import layout
from gitops.core.delivery import Drift, PlacementDelivery
from gitops.core.keys import Key
from gitops.core.ledger import Ledger
from gitops.core.paths import common_directory, directories_above, join
from gitops.core.placing import Context, Decided
from gitops.core.recorded import RecordedPlacement
from gitops.core.removal import Removal
from gitops.core.targets import Target
from gitops.core.tree import files, subtree


class Written(NamedTuple):
    """The Works and Destinations for which the commit of ours was made that last changed a file."""

    works: tuple[Key, ...]
    destinations: frozenset[str]


Writers = Mapping[str, Mapping[str, Written | None]]
"""Who last changed a file, by branch and path; None for anybody else. What is not in it, the log was not asked for."""


class Strays:
    """Looks for strays where anything may have come since this daemon looked."""

    def __init__(
        self,
        context: Context,
        decided: Mapping[Key, Decided],
        ledger: Ledger,
        removal: Removal,
        drift: Drift,
        placed: Collection[PlacementDelivery],
    ) -> None:
        self._context, self._decided, self._placed = context, decided, placed
        self._ledger, self._removal, self._drift = ledger, removal, drift

    def withdraw(self, writers: Writers) -> dict[str, frozenset[str]]:
        """Book the removal of strays that are ours; return, by branch, those of which that is not certain yet."""
        uncertain: dict[str, frozenset[str]] = {}
        for target, branch, paths in list(self._found()):
            known = writers.get(branch, {})
            certain = {path: known[path] for path in sorted(paths & known.keys()) if self._is_certain(known[path])}
            if left := paths - certain.keys():
                uncertain[branch] = uncertain.get(branch, frozenset()) | left
            for works, own in _ours(target.name, certain).items():
                self._book(target.name, branch, works, own)
        return uncertain

    def _book(self, destination: str, branch: str, works: tuple[Key, ...], paths: list[str]) -> None:
        """Withdraw what was written for one Work in its name; of a commit for several, in that of the Destination."""
        gone = self._ledger.absent(branch, paths)
        if len(works) > 1:
            self._ledger.book(Key("Destination", "", destination), destination, branch, gone, works)
            return
        recorded, [work] = RecordedPlacement.on(destination), works
        delivery = PlacementDelivery(work, "", None, recorded, branch, common_directory(paths), {}, work)
        self._ledger.book_placement(delivery, branch, gone, self._ledger.changes(branch, gone))

    def _is_certain(self, written: Written | None) -> bool:
        """Whether the Works have no more documents here: of one that nobody can read that is not certain."""
        survey, works = self._context.survey, written.works if written else ()
        unread = survey.troubles.files and any(work not in survey.catalog.by_key for work in works)
        return not unread and survey.troubles.of.keys().isdisjoint(works)

    def _found(self) -> Iterator[tuple[Target, str, frozenset[str]]]:
        survey = self._context.survey
        for target in survey.targets.values():
            if target.writable is None:
                continue
            branch = target.writable.branch
            paths = frozenset(path for path in self._looked_at(target, branch) if self._is_stray(target, branch, path))
            if paths:
                yield target, branch, paths

    def _looked_at(self, target: Target, branch: str) -> Iterable[str]:
        """List the files that may be strays: what a store gained, or all there is where that is not known."""
        world, home = self._context.world, self._context.survey.home
        last = world.places.targets.get(target.name)
        same = last and (last.layout, last.reason) == (target.layout, target.reason)
        if same and self._drift.lost.isdisjoint((branch, home)) and not self._is_overtaken(target):
            return [path for path in self._drift.touched.get(branch, ()) if target.holds(path)]
        directory = subtree(self._context.objects, self._ledger.root(branch), target.directory)
        return (join(target.directory, path) for path, _ in files(self._context.objects, directory))

    def _is_overtaken(self, target: Target) -> bool:
        """Whether another daemon dealt meanwhile with Works that this one had put there: it may have withdrawn them."""
        world = self._context.world
        if world.status == self._context.survey.seen.status:
            return False
        return not world.index.on(target.name).isdisjoint(self._decided)

    def _is_stray(self, target: Target, branch: str, path: str) -> bool:
        if self._removal.keeps(branch, path) or layout.is_canary(target, path) or self._is_told(branch, path):
            return False
        if path == target.aggregate:
            free = all(key in self._decided for key in self._context.world.index.on(target.name))
        else:
            free = self._removal.may_remove(branch, path)
        return free and bool(self._ledger.absent(branch, [path]))

    def _is_told(self, branch: str, path: str) -> bool:
        """Whether a status has it, or this pass changes it: all is in order then."""
        above = (path, *directories_above(path))
        return (branch, path) in self._recorded or any((branch, at) in self._edited for at in above)

    @cached_property
    def _recorded(self) -> frozenset[tuple[str, str]]:
        known, home = [d.recorded for d in self._placed if not d.steady], self._context.survey.home
        left = ((at, path) for each in known for at, files in each.superseded().items() for path in files)
        return frozenset(left) | {(each.branch(home), path) for each in known for path in each.inventory()}

    @cached_property
    def _edited(self) -> frozenset[tuple[str, str]]:
        """The paths, also of directories as a whole, that this pass writes or removes."""
        return frozenset((unit.branch, path) for unit in self._ledger.units.values() for path, _ in unit.edits)


def _ours(destination: str, written: Mapping[str, Written | None]) -> dict[tuple[Key, ...], list[str]]:
    """Return the files that we wrote there last, by the Works for which we did."""
    found: dict[tuple[Key, ...], list[str]] = {}
    for path, last in written.items():
        if last and last.works and destination in last.destinations:
            found.setdefault(last.works, []).append(path)
    return found
