"""What is read as one: definition files and folder Works; and that a change costs, and finds, what it changed."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from support.definitions import destination, group, work

from gitops.core.catalog import Catalog, advance, unit_path
from gitops.core.keys import Key
from gitops.core.patch import patch
from gitops.core.problems import Problem
from gitops.core.sketch import Sketch
from gitops.core.tree import BLOB, FILE, LINK, SUBMODULE, Entry


def text(*definitions):
    return yaml.safe_dump_all(definitions, sort_keys=False)


A, B, FOLDER = text(work("a")), text(work("b")), text(work("f", groups=[group(None)]))


def tree(objects, files):
    entries = [(path, Entry(FILE, objects.add(BLOB, content.encode()))) for path, content in files.items()]
    return patch(objects, None, entries) if entries else None


def read(files, before=None, objects=None):
    objects = objects or Sketch()
    return advance(before or Catalog(), objects, tree(objects, files))


def key(name, kind="Work"):
    return Key(kind, "default" if kind == "Work" else "", name)


@pytest.mark.parametrize(
    "path", ["works/a.yaml", "works/deep/er/a.yml", "works/a.json", "destinations/a.yaml", "statestores/a.yaml"]
)
def test_definitions_may_stand_at_any_depth_below_the_three_folders(path):
    assert read({path: A}).catalog.by_key == {key("a"): (path,)}


@pytest.mark.parametrize(
    "path",
    ["a.yaml", "other/a.yaml", "works/a.txt", "works/a", "status/works/a.yaml", "templates/a.yaml", "works.yaml"],
)
def test_other_files_are_no_definitions(path):
    found = read({path: "not: [yaml"}).catalog

    assert (found.by_key, list(found.problems())) == ({}, [])


def test_a_folder_with_a_work_yaml_is_one_unit():
    found = read({"works/f/work.yaml": FOLDER, "works/f/a.yaml": A, "works/f/deep/work.yaml": B}).catalog

    assert set(found.units) == {"works/f"}
    assert found.by_key == {key("f"): ("works/f",)}


def test_a_work_yaml_inside_a_folder_work_is_a_document_and_a_problem():
    found = read({"works/f/work.yaml": FOLDER, "works/f/in/work.yaml": B, "works/f/in/a.yaml": A}).catalog
    message = (
        "stands inside the folder Work works/f, and is one of its documents; move it out to make it a Work of its own"
    )

    assert found.by_key == {key("f"): ("works/f",)}
    assert list(found.problems()) == [Problem("works/f/in/work.yaml", 1, 1, message, None)]


def test_a_work_yaml_directly_in_works_is_an_ordinary_file():
    assert set(read({"works/work.yaml": A, "works/b.yaml": B}).catalog.units) == {"works/work.yaml", "works/b.yaml"}


@pytest.mark.parametrize(
    ("file", "unit"),
    [("works/a.yaml", "works/a.yaml"), ("works/f/work.yaml", "works/f"), ("works/work.yaml", "works/work.yaml")],
)
def test_a_file_belongs_to_its_unit(file, unit):
    assert unit_path(file) == unit


@pytest.mark.parametrize("mode", [0o100755, 0o100664, 0o100600])
def test_permissions_make_no_difference(mode):
    """Git itself writes two of them; old repositories have others."""
    objects = Sketch()
    root = patch(objects, None, {"works/a.yaml": Entry(mode, objects.add(BLOB, A.encode()))})
    found = advance(Catalog(), objects, root).catalog

    assert set(found.by_key) == {key("a")}
    assert not list(found.problems())


@pytest.mark.parametrize(("mode", "word"), [(LINK, "symbolic link"), (SUBMODULE, "submodule")])
def test_links_are_problems_and_never_followed(mode, word):
    objects = Sketch()
    root = patch(
        objects,
        None,
        {
            "works/x.yaml": Entry(mode, objects.add(BLOB, b"a.yaml")),
            "works/a.yaml": Entry(FILE, objects.add(BLOB, A.encode())),
        },
    )
    found = advance(Catalog(), objects, root).catalog

    assert set(found.by_key) == {key("a")}
    assert [(p.path, word in p.message) for p in found.problems()] == [("works/x.yaml", True)]


def test_an_equal_tree_changes_nothing():
    objects = Sketch()
    first = read({"works/a.yaml": A}, objects=objects)
    second = read({"works/a.yaml": A}, first.catalog, objects)

    assert (second.keys, second.files) == (frozenset(), frozenset())
    assert second.catalog.units == first.catalog.units


def test_a_change_names_what_it_touches_and_nothing_else():
    objects = Sketch()
    first = read({"works/a.yaml": A, "works/b.yaml": B, "destinations/d.yaml": text(destination("d"))}, objects=objects)
    second = read(
        {
            "works/a.yaml": text(work("a", promise="x")),
            "works/b.yaml": B,
            "destinations/d.yaml": text(destination("d")),
        },
        first.catalog,
        objects,
    )

    assert (second.keys, second.files) == ({key("a")}, {"works/a.yaml"})
    assert second.catalog.units["works/b.yaml"] is first.catalog.units["works/b.yaml"]


CONTENTS = st.sampled_from(
    [A, B, FOLDER, text(work("a"), work("b")), "kind: [", "", text({**work("a"), "spec": {"no": 1}})]
)
PATHS = st.sampled_from(
    ["works/x.yaml", "works/y.yaml", "works/f/work.yaml", "works/f/x.yaml", "works/f", "works/x.yaml/z.yaml"]
)
FILES = st.dictionaries(PATHS, CONTENTS, max_size=4).filter(
    lambda files: not any(other.startswith(f"{path}/") for path in files for other in files)
)


@settings(deadline=None)
@given(st.lists(FILES, min_size=1, max_size=5))
def test_step_by_step_comes_to_what_reading_all_at_once_comes_to(steps):
    objects, catalog = Sketch(), Catalog()
    for files in steps:
        before = catalog
        step = read(files, before, objects)
        catalog = step.catalog
        fresh = read(files, objects=objects).catalog
        assert (catalog.units, catalog.by_key, dict(catalog.troubled)) == (
            fresh.units,
            fresh.by_key,
            dict(fresh.troubled),
        )
        changed = {
            k for k in before.by_key.keys() | catalog.by_key.keys() if before.by_key.get(k) != catalog.by_key.get(k)
        }
        assert changed <= step.keys
