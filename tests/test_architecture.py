"""The walls that import contracts cannot see: what the pure rooms may not call."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import gitops

HOUSE = Path(gitops.__file__).parent
PURE = sorted(path for room in ("api", "core", "views") for path in (HOUSE / room).rglob("*.py"))
IMPURE_NAMES = {"print", "open", "input", "eval", "exec", "compile", "__import__", "breakpoint"}
CLOCKS = {"now", "utcnow", "today"}


def impure_calls(source: str) -> Iterator[str]:
    """What *source* calls that reads a clock, prints, opens a file or makes code out of text."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        match node.func:
            case ast.Name(id=name) if name in IMPURE_NAMES:
                yield f"line {node.lineno}: {name}()"
            case ast.Attribute(value=ast.Name(id="datetime" | "date") | ast.Attribute(), attr=name) if name in CLOCKS:
                yield f"line {node.lineno}: {ast.unparse(node.func)}()"
            case ast.Attribute(value=ast.Name(id="time"), attr=name):
                yield f"line {node.lineno}: time.{name}()"


@pytest.mark.parametrize("path", PURE, ids=lambda path: str(path.relative_to(HOUSE)))
def test_a_pure_room_calls_no_clock_and_touches_nothing(path):
    assert list(impure_calls(path.read_text())) == []


@pytest.mark.parametrize(
    "source",
    [
        "print('x')",
        "def f():\n    with open('x') as file:\n        return file",
        "from datetime import datetime, UTC\nnow = datetime.now(UTC)",
        "import datetime\nnow = datetime.datetime.utcnow()",
        "import time\ntime.monotonic()",
        "from datetime import date\nd = date.today()",
    ],
)
def test_the_wall_sees_what_it_is_for(source):
    assert list(impure_calls(source))
