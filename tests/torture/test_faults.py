"""Each named fault once; and docs/faults.md names tests and campaigns that are there."""

import re
from importlib.util import find_spec
from pathlib import Path

from torture.arena import Arena
from torture.faults import CASES, FAULTS

ROOT = Path(__file__).parents[2]
TABLE = (ROOT / "docs" / "faults.md").read_text()


def test_each_fault_once(tmp_path):
    arena = Arena(tmp_path, scale=0.01)
    FAULTS.run(arena)
    assert not arena.findings, arena.findings[0].text
    assert arena.counts["attempts"] == len(CASES)


def test_the_table_tells_of_every_fault():
    assert re.findall(r"^\| F(\d+) ", TABLE, re.MULTILINE) == [str(number) for number in range(1, 60)]


def test_what_shows_a_fault_is_there():
    tests = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    rows = [line for line in TABLE.splitlines() if line.startswith("| F")]
    for row in rows:
        shown = re.findall(r"`([^`]+)`", row.rsplit(" | ", 1)[-1])
        assert shown, f"nothing shows {row}"
        for name in shown:
            there = f"def {name}(" in tests or name in CASES or find_spec(f"torture.{name}")
            assert there, f"{name} is neither a test nor a campaign: {row}"
