"""The campaign: many seeds on all cores, some of them twice, and what was found made as short as it gets."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from torture.arena import Arena, Campaign
from torture.simulation.history import History, Told

_SEEDS = 10_000
_TWICE = 50  # one of so many seeds is run again, in a process of its own
_FEW = 100  # seeds, for which it does not pay to start processes
_PATIENCE = 150  # runs, for making a finding shorter


@dataclass(frozen=True)
class Result:
    """What one seed did: `digest` is of all that happened, `finding` is "" if every law held."""

    seed: str
    digest: str
    finding: str
    counts: Counter[str] = field(default_factory=Counter)


def run(arena: Arena) -> None:
    """Run all seeds, and some of them once more, which must do the very same."""
    seeds = [seed for seed, _ in arena.attempts("history", _SEEDS)]
    digests: dict[str, str] = {}
    for result in _results(seeds):
        digests[result.seed] = result.digest
        arena.counts.update(result.counts)
        with arena.attempt(result.seed):
            assert not result.finding, result.finding
    again = seeds[::_TWICE]
    for result in _results(again):
        with arena.attempt(result.seed):
            assert result.digest == digests[result.seed], "the same seed is another history in another process"
    arena.notes.append(f"{len(again)} seeds were run twice: the same traces, the same commit ids")


def play(seed: str) -> Result:
    """Run one seed, and look for the shortest history that shows what it found."""
    told = History(seed).run()
    finding = _told(*_shortest(seed, told)) if told.finding else ""
    return Result(seed, digest(told), finding, Counter(histories=1) + told.counts)


def digest(told: Told) -> str:
    """Return what is the same for the same trace and the same commit ids everywhere."""
    tips = {where: {branch: tip.hex() for branch, tip in tips.items()} for where, tips in told.tips.items()}
    return hashlib.sha256(json.dumps([told.trace, tips, repr(told.finding)]).encode()).hexdigest()


def _results(seeds: list[str]) -> Iterator[Result]:
    if len(seeds) <= _FEW:
        yield from map(play, seeds)
        return
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as processes:  # each hashes in its own way
        yield from processes.imap(play, seeds, chunksize=5)


def _shortest(seed: str, told: Told) -> tuple[list[int], Told]:
    """Leave out what steps can be left out, the longest runs of them first."""
    steps, left = list(range(told.length)), _PATIENCE
    size = len(steps)
    while size and left > 0:
        for shorter in islice(_without(steps, size), left):
            left -= 1
            tried = History(seed).run(shorter)
            if tried.finding and _kind(tried.finding) == _kind(told.finding):
                steps, told = shorter, tried
                break
        else:
            size //= 2
    return steps, told


def _without(steps: list[int], size: int) -> Iterable[list[int]]:
    return (steps[:start] + steps[start + size :] for start in reversed(range(0, len(steps), size)))


def _kind(finding: Exception | None) -> object:
    """Return what two findings have in common that are the same."""
    last = traceback.extract_tb(finding.__traceback__)[-1] if finding else None
    return type(finding), last and (last.filename, last.lineno)


def _told(steps: list[int], told: Told) -> str:
    said = "".join(traceback.format_exception(told.finding))
    return "\n".join([f"with the steps {steps} of the history:", *told.trace, said])


SIMULATION = Campaign(
    "simulation",
    "10,000 random histories of daemons, people and faults keep every law, and each is replayed by its seed",
    run,
)
