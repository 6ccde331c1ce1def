"""The campaign that changes bytes: of paths, YAML, documents, and of whole repositories between two passes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from time import process_time

from torture.arena import Arena, Campaign
from torture.corpus import DEFINITIONS, PATHS, STATUSES, TEXTS
from torture.fuzzing import documents, loader, passes, spellings
from torture.mutators import mutated, shrunk

Check = Callable[[bytes], object]
"""Asserts what must hold for any bytes."""

SECONDS = 5.0  # of CPU, for one input: past that it hangs

LEVELS: Mapping[str, tuple[Check, tuple[bytes, ...], int, int]] = {
    "paths": (spellings.check, PATHS, 100, 10_000),
    "loader": (loader.check, (*DEFINITIONS, *STATUSES, *TEXTS), 400, 100),
    "documents": (documents.check, (*TEXTS, *DEFINITIONS), 100, 200),
}
"""Of each level the check, the corpus, and how many attempts of how many inputs are a whole run."""


def run(arena: Arena) -> None:
    """Try each level of functions, then whole passes."""
    for level, (check, corpus, attempts, inputs) in LEVELS.items():
        for seed, chance in arena.attempts(level, attempts):
            with arena.attempt(seed):
                _try(arena, chance, check, corpus, inputs)
                arena.counts[level] += inputs
    for seed, chance in arena.attempts("passes", 200):
        with arena.attempt(seed):
            arena.counts["passes"] += passes.attempt(arena.folder / seed, chance)


def _try(arena: Arena, chance: Random, check: Check, corpus: tuple[bytes, ...], inputs: int) -> None:
    for _ in range(inputs):
        raw = mutated(chance, corpus)
        if wrong := _wrong(check, raw):
            short = shrunk(raw, lambda each: _wrong(check, each) == wrong)
            raise AssertionError(f"{wrong}\n  the shortest input that shows it: {short!r}")


def _wrong(check: Check, raw: bytes) -> str:
    """Return what is wrong, so that two inputs with the same fault say the same."""
    begun = process_time()
    try:
        check(raw)
    except Exception as error:
        place = error.__traceback__
        while place and place.tb_next:
            place = place.tb_next
        line = f" in line {place.tb_lineno} of {place.tb_frame.f_code.co_qualname}" if place else ""
        return f"{type(error).__name__}{line}"
    return f"more than {SECONDS} s" if process_time() - begun > SECONDS else ""


FUZZ = Campaign(
    "fuzz",
    "Whatever bytes stand in definitions, settings and status: no exception, no escape, no delay, nothing that stays.",
    run,
)
