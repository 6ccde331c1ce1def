"""The campaign: every hostile input in a pass with many others, a part of them alone, and what people then see."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from random import Random

from torture.arena import Arena, Campaign
from torture.hostile import contents, definitions, forgeries, paths, places, settings, trees
from torture.hostile.cases import Row
from torture.hostile.proving import Named, Stage, prepare, prove
from torture.hostile.reading import read_all

TABLES: Mapping[str, Callable[[], Iterator[Row]]] = {
    "paths": paths.rows,
    "definitions": definitions.rows,
    "contents": contents.rows,
    "places": places.rows,
    "trees": trees.rows,
}
STORIES = {**settings.STORIES, **forgeries.STORIES}
_ALONE = 60  # rows of a whole run that also get a pass of their own, besides those that must


def run(arena: Arena) -> None:
    """Prove each table at once, in the place of nothing and in that of something good; then rows alone, and stories."""
    for name, table in TABLES.items():
        for seed in _seeds(arena, f"{name}-new"):
            _batch(arena, seed, named(table), good=False)
        for seed in _seeds(arena, f"{name}-turned") if name != "trees" else ():
            _batch(arena, seed, [(own, row) for own, row in named(table) if _turns(own, row)], good=True)
    for seed, chance in arena.attempts("alone", _ALONE):
        _alone(arena, seed, _drawn(chance))
    for own, row in costly():
        for seed in _seeds(arena, f"costly-{own}"):
            _alone(arena, seed, (own, row))
    for name, story in STORIES.items():
        for seed in _seeds(arena, f"story-{name.replace(' ', '-')}"):
            with arena.attempt(seed):
                story(_stage(arena, seed))
                arena.counts["inputs"] += 1


def _seeds(arena: Arena, name: str) -> list[str]:
    seed = f"{name}-{arena.seed}"
    return [seed] if arena.only in ("", seed) else []


def named(table: Callable[[], Iterator[Row]]) -> list[Named]:
    """Give each row of a table that shares a pass with others a name."""
    return [(f"h{number:03}", row) for number, row in enumerate(table()) if not row.costly]


def costly() -> list[Named]:
    """List the rows that get a pass of their own."""
    found = (row for table in TABLES.values() for row in table() if row.costly)
    return [(f"c{number:03}", row) for number, row in enumerate(found)]


def _turns(own: str, row: Row) -> bool:
    """Whether a good Work may have stood in its place before."""
    case = row.make(own)
    return bool(case.before and case.files) and not any(path.startswith("destinations/") for path in case.files)


def _drawn(chance: Random) -> Named:
    return chance.choice([pair for table in TABLES.values() for pair in named(table)])


def _stage(arena: Arena, seed: str) -> Stage:
    folder = arena.folder / seed
    folder.mkdir(parents=True)
    return Stage(folder)


def _batch(arena: Arena, seed: str, rows: list[Named], *, good: bool) -> None:
    with arena.attempt(seed):
        stage = _stage(arena, seed)
        if good:
            prepare(stage, rows)
        wrong = prove(stage, rows)
        arena.counts["inputs"] += len(rows)
        arena.counts["passes"] += 1
        arena.notes.append(f"{seed}: {len(rows)} inputs in a pass of {stage.seconds[-1]:.2f} s")
        wrong += read_all(stage, rows, good=good)
        assert not wrong, "\n".join(wrong)


def _alone(arena: Arena, seed: str, row: Named) -> None:
    with arena.attempt(seed):
        stage = _stage(arena, seed)
        wrong = prove(stage, [row])
        arena.counts["alone"] += 1
        arena.counts["passes"] += 1
        assert not wrong, "\n".join(wrong)
        stage.bound_memory()


HOSTILE = Campaign(
    "hostile",
    "At least 400 adversarial inputs get one clear answer each, write nothing outside their place, and delay nobody.",
    run,
)
