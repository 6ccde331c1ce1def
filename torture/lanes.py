"""Attempts side by side, as many as there are cores: each lane has what its attempts work with, and keeps it."""

from __future__ import annotations

import multiprocessing
import os
import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from typing import Generic, NamedTuple, Protocol, TypeVar

from torture.arena import Arena

_fork = multiprocessing.get_context("fork")


class _Closes(Protocol):
    def close(self) -> None:
        """End what is under way."""


L = TypeVar("L", bound=_Closes)


class Job(NamedTuple, Generic[L]):
    """An attempt: its seed, and what it does in a lane with its own chance."""

    seed: str
    act: Callable[[Arena, L, random.Random], None]


def run_in_lanes(arena: Arena, jobs: Callable[[Arena, L], Iterable[Job[L]]], make: Callable[[int], L]) -> None:
    """Do all that *jobs* lists, in lanes that *make* makes; the first lane is this process, and lists them."""
    first = make(0)
    try:
        listed = list(jobs(arena, first))
        count = min(os.cpu_count() or 1, max(1, len(listed) // 20))
        others = [_begin(arena, listed[number::count], make, number) for number in range(1, count)]
        _do(arena, listed[::count], first)
        for process, line in others:
            told = line.recv()
            arena.counts.update(told.counts)
            arena.findings += told.findings
            process.join()
    finally:
        first.close()


def _begin(arena: Arena, jobs: list[Job[L]], make: Callable[[int], L], number: int) -> tuple[ForkProcess, Connection]:
    line, theirs = _fork.Pipe(duplex=False)

    def live() -> None:
        own, lane = replace(arena, counts=type(arena.counts)(), findings=[], notes=[]), make(number)
        try:
            _do(own, jobs, lane)
        finally:
            lane.close()
        theirs.send(own)

    process = _fork.Process(target=live)
    process.start()
    return process, line


def _do(arena: Arena, jobs: Iterable[Job[L]], lane: L) -> None:
    for seed, act in jobs:
        with arena.attempt(seed):
            act(arena, lane, random.Random(seed))
