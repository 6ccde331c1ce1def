"""A few mutations of everything, that a finding is made as short as it can be, and every input that was one once."""

from random import Random

import pytest

from torture.arena import Arena
from torture.corpus import DEFINITIONS, PATHS
from torture.fuzz import FUZZ, LEVELS
from torture.mutators import mutated, shrunk

FOUND = {
    "loader": [
        b'{a: "\\ud83d\\ude00"}',
        b"? 1e999",
        b'{"\\ud83d\\ude00"}',
        b"a: &a [*a]\n",
        b"\xef\xbb\xbf\xef\xbb\xbf",
        b"[" * 70,
        b"? [a]\n: b\n",
    ],
    "paths": [b".git~1", b"\xff", b"e\xcc\x81/\xc3\xa9", b"\xcd\x8f.git"],
    "documents": [b"H4sI", b"\n", b"\xff"],
}


def test_mutations(tmp_path):
    arena = Arena(tmp_path, scale=0.003)
    FUZZ.run(arena)
    assert not arena.findings, arena.findings[0].text
    assert set(arena.counts) >= {*LEVELS, "passes"}


@pytest.mark.parametrize(("level", "raw"), [(level, raw) for level, inputs in FOUND.items() for raw in inputs])
def test_what_was_found_once(level, raw):
    LEVELS[level][0](raw)


def test_a_seed_is_an_input():
    one, other = (mutated(Random("x"), DEFINITIONS) for _ in range(2))
    assert one == other
    assert len({mutated(Random(n), PATHS) for n in range(50)}) > 30


def test_a_finding_is_made_short():
    assert shrunk(b"some bytes with evil in them", lambda raw: b"evil" in raw) == b"evil"
