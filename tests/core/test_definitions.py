"""Absence is deletion only when it is certain."""

import yaml
from support.definitions import work

from gitops.api.status import Status
from gitops.core import definitions
from gitops.core.catalog import Catalog, advance
from gitops.core.keys import Key
from gitops.core.patch import patch
from gitops.core.problems import Problem
from gitops.core.recorded import Recorded
from gitops.core.sketch import Sketch
from gitops.core.tree import BLOB, COMMIT, FILE, Entry

KEY = Key("Work", "default", "a")
PROBLEM = Problem("works/a.yaml", 3, 1, "wrong", KEY)


def commit(objects, **files):
    entries = {
        f"works/{name}.yaml": Entry(FILE, objects.add(BLOB, yaml.safe_dump(d).encode())) for name, d in files.items()
    }
    root = patch(objects, None, entries)
    return root, objects.add(COMMIT, b"tree %s\n\n" % root.hex().encode())


def recorded(observed=None, source="works/a.yaml"):
    extra = {"source": source, **({"observedCommit": observed.hex()} if observed else {})}
    return Recorded(Status("Work", "a", "default", extra=extra))


def catalog(objects, root):
    return advance(Catalog(), objects, root).catalog


def effective(objects, root, memory, problem=None):
    return definitions.effective(catalog(objects, root), objects, KEY, memory, problem)


def test_a_present_definition_is_in_effect():
    objects = Sketch()
    root, _ = commit(objects, a=work("a"))
    found = effective(objects, root, Recorded())

    assert (found.manifest.path, found.problem, found.last_good, found.removed) == ("works/a.yaml", None, False, False)


def test_a_definition_that_is_not_there_is_removed():
    objects = Sketch()
    root, before = commit(objects, a=work("a"))
    root, _ = commit(objects, b=work("b"))

    assert effective(objects, root, recorded(before)).removed


def test_a_wrong_definition_leaves_the_last_good_one_in_effect():
    objects = Sketch()
    _, before = commit(objects, a=work("a", promise="good"))
    root, _ = commit(objects, b=work("b"))
    found = effective(objects, root, recorded(before), PROBLEM)

    assert (found.manifest.obj.spec.promise_name, found.problem, found.last_good, found.removed) == (
        "good",
        PROBLEM,
        True,
        False,
    )


def test_a_wrong_definition_of_which_no_good_one_is_known_is_not_removed_either():
    objects = Sketch()
    root, _ = commit(objects, b=work("b"))
    for memory in (Recorded(), recorded(), recorded(b"\1" * 20), recorded(source="")):
        found = effective(objects, root, memory, PROBLEM)
        assert (found.manifest, found.problem, found.removed) == (None, PROBLEM, False)


def test_of_two_definitions_the_recorded_one_counts_and_else_the_first_by_path():
    objects = Sketch()
    root, _ = commit(objects, a=work("a"), b=work("a"))

    assert effective(objects, root, Recorded()).manifest.path == "works/a.yaml"
    assert effective(objects, root, recorded(source="works/b.yaml")).manifest.path == "works/b.yaml"


def test_the_other_definition_is_named_with_the_one_that_counts():
    objects = Sketch()
    root, _ = commit(objects, a=work("a"), b=work("a"))
    known = catalog(objects, root)

    assert [str(p) for p in definitions.duplicates(known, objects, KEY, "works/b.yaml")] == [
        "works/a.yaml:1: Work/default/a is already defined in works/b.yaml:1; this one is ignored"
    ]
