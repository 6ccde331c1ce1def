"""Small faults put into the code: which there are, that they are really in it, and that the tests are asked."""

import os
import subprocess
import sys
import types
from pathlib import Path

import pytest

from torture.mutants import survivors
from torture.mutants.__main__ import MODULES, faults_of
from torture.mutants.faults import faults
from torture.mutants.graft import graft
from torture.mutants.reach import Marks

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("line", "changes"),
    [
        ("if a < b: pass", ["if a <{+=+} b:"]),
        ("if a and b: pass", ["if a [-and-]{+or+} b:", "if [-a and -]b:", "if a[- and b-]:"]),
        ("if not a: pass", ["if [-not -]a:"]),
        ("a = [x for x in b if x]", ["a = [x for x in b if {+not +}x]"]),
        ("return a[1:]", ["return [-a[1:]-]{+None+}", "return a[[-1-]:]", "return a[[-1-]{+2+}:]"]),
        ("a.b = f(c, d)", ["[-a.b = f(c, d)-]{+pass+}", "a.b = f([-c, d-]{+d, c+})"]),
        ("a |= b", ["[-a |= b-]{+pass+}"]),
        ("a = {'b': 1, **c}", ["a = {[-'b': 1, -]**c}", "a = {'b': 1[-, **c-]}", "a = {'{+~+}b': 1, **c}"]),
        ("for a in sorted(b, key=f): continue", ["for a in sorted(b[-, key=f-]):", "[-continue-]{+break+}"]),
        ("raise Wrong('no')", ["[-raise Wrong('no')-]{+pass+}", "raise Wrong('{+~+}no')"]),
        ("a = max(b, c)", ["a = [-max-]{+min+}(b, c)"]),
    ],
)
def test_the_slips_that_people_make(line, changes):
    found = [fault.change for fault in faults("m", f"def f():\n    {line}\n")]
    assert set(changes) <= set(found)
    assert len(found) == len(set(found))


@pytest.mark.parametrize("line", ['"""What it does."""', "assert a < 1", "a: tuple[str, ...]", "from a import b"])
def test_what_only_readers_and_type_checkers_see_is_left_alone(line):
    assert faults("m", f"def f():\n    {line}\n") == []


SOURCE = """
from functools import cache, cached_property

LIMIT = 10

def below(number, limit=LIMIT):
    if number < limit:
        return True
    return False

@cache
def square(number):
    return number * number

class Box:
    def __init__(self, size):
        self.size = size

    @property
    def half(self):
        return self.size // 2

    @cached_property
    def twice(self):
        return self.size * 2

    @classmethod
    def of(cls, *sizes):
        return [cls(size) for size in sizes]

from gitops.api.status import Condition

READY = Condition("Ready", "True", "Done")
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """SOURCE as a module that others have imported."""
    file = tmp_path / "boxes.py"
    file.write_text(SOURCE)
    module = types.ModuleType("boxes")
    module.__file__ = str(file)
    exec(compile(SOURCE, file, "exec"), module.__dict__)
    monkeypatch.setitem(sys.modules, "boxes", module)
    return module


@pytest.mark.parametrize(
    ("change", "asked", "before", "after"),
    [
        ("if number <{+=+} limit:", lambda m: m.below(10), False, True),
        ("LIMIT = [-10-]{+11+}", lambda m: (m.LIMIT, m.below(10)), (10, False), (11, True)),
        ("READY = Condition('Ready', 'True', '{+~+}Done')", lambda m: m.READY.reason, "Done", "~Done"),
        ("return number [-*-]{+//+} number", lambda m: m.square(3), 9, 1),
        ("return self.size // [-2-]{+3+}", lambda m: m.Box(6).half, 3, 2),
        ("return self.size * [-2-]{+3+}", lambda m: m.Box(6).twice, 12, 18),
        ("return [-[cls(size) for size in sizes]-]{+None+}", lambda m: m.Box.of() is None, False, True),
    ],
)
def test_a_fault_is_in_the_functions_that_others_hold_already(module, change, asked, before, after):
    assert asked(module) == before
    held = module.below, module.Box
    (fault,) = [fault for fault in faults("boxes", SOURCE) if fault.change == change]

    module.square.cache_clear()
    graft(module, fault.tree())

    assert asked(module) == after
    assert (module.below, module.Box) == held


def test_marks_tell_which_lines_ran(module):
    marks = Marks(["boxes"])
    marks.take()

    module.below(1)
    assert marks.take() == {"boxes": {7, 8}}
    module.below(10)
    assert module.Box(2).half == 1
    assert marks.take() == {"boxes": {7, 9, 17, 21}}
    assert marks.take() == {}


def test_each_survivor_that_is_explained_could_be_there():
    assert survivors.stale(MODULES, [fault for name in MODULES for fault in faults_of(name)]) == []
    assert all(why.endswith(".") for why in survivors.explained().values())


def test_a_hunt():
    """The tests of events notice what is put into events, and nothing of what is put into another module."""
    command = [sys.executable, "-m", "torture.mutants", "tests/core/test_events.py", "--only", "events,conditions"]
    environment = {**os.environ, "PYTHONPATH": "tests"}
    done = subprocess.run([*command, "--sample", "8"], cwd=ROOT, env=environment, capture_output=True, text=True)
    percents = {
        row.split()[0]: row.split()[-1] for row in done.stdout.splitlines() if row.startswith(("gitops.", "all"))
    }
    assert percents == {"gitops.core.conditions": "0.0", "gitops.core.events": "100.0", "all": "50.0"}, done.stderr
    assert "gitops/core/conditions.py:" in done.stdout
    assert done.returncode == 1
