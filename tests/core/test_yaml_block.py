"""The quick reader of plain YAML: whatever it reads, the readers that know all of YAML read alike."""

from functools import partial
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops.core import kubernetes, yaml
from gitops.core.yaml import block
from gitops.core.yaml.builder import MAX_NODES
from gitops.core.yaml.stream import walk_libyaml

ROOT = Path(__file__).parents[2]
WORK = """\
# A Work as people write it
apiVersion: platform.kratix.io/v1alpha1
kind: Work
metadata:
  name: redis
  labels: {}
spec:
  workloadGroups:
  - directory: .
    destinationSelectors:
    - matchLabels: {env: dev, 'tier': "1"}
      source: promise
    workloads:
    - filepath: a.yaml
      content: |
        kind: Secret

        # no comment
          deeper: |
            x
    -   filepath: "b: c.yaml"
        content: |-
         - x

  - id: 'it''s'
    args:
      - --flag=a:b
      - -1
      - "\\u00e9 \\"x\\""
      - - a
        - b: c#d
          e:
      - [a, 'b', 1]
---
a: 0x1F
é: 1.5
"""
LIST = "kind: List\nitems:\n- a: 1\n\n- b:\n    - 2\n- - c\n"


def outcome(raw):
    """All that is read, with the types of the values."""
    documents, error = yaml.read(raw)
    return repr([(d.data, d.line, d.faults, d.item_lines, d.index) for d in documents]), repr(error)


def without_block(read, raw):
    with patch.object(block, "load", return_value=None):
        return read(raw)


def assert_alike(raw):
    if block.load(raw, MAX_NODES) is not None:
        assert outcome(raw) == without_block(outcome, raw)
        walk_libyaml(raw, list)  # which alone decides what an agent can read


def corpus():
    files = sorted((ROOT / "example-repo").rglob("*.yaml"))
    return [WORK, LIST, *(path.read_text() for path in files)]


@pytest.mark.parametrize("text", [WORK, LIST, "a:\n- b\n-  c: 1\n   d:\nz: ~\n", "  a: 1\n", "- a: |-\n   x", "a:"])
def test_plain_block_style_is_read(text):
    assert block.load(text.encode(), MAX_NODES)
    assert_alike(text.encode())


def test_most_of_what_people_write_is_plain_block_style():
    files = [text.encode() for text in corpus()]
    assert sum(block.load(raw, MAX_NODES) is not None for raw in files) > len(files) / 2


@pytest.mark.parametrize(
    "text",
    [
        *("", "# c\n", "---\n", "a: 1\n---\n", "a: 1\n---\n---\nb: 1\n", "a: 1\n...\n", "%YAML 1.2\n---\na: 1\n"),
        *("a\n", "[]\n", "{a: 1}\n", "- a\nb: 1\n", "a: 1\n- b\n", "a: 1\n  b: 2\n", "a:\n  b: 1\n c: 2\n"),
        *("a: 1\na: 2\n", "a: {b: 1, b: 2}\n", "1: a\n", "~: a\n", "<<: a\n", "'<<': a\n", "? a\n: b\n", "a : 1\n"),
        *("a: &x 1\n", "a: *x\n", "a: !x 1\n", "a: [b, [c]]\n", "a: {b: c:d}\n", "a: {b:c}\n", "a: [b\n", "a: @b\n"),
        *("a: b: c\n", "a: b:\n", "a: b #c\n", "a: 'b' #c\n", "a: b \n", "a: \n", "a:\tb\n", "a: b\tc\n", "a: 1\r\n"),
        *(
            "a: b\n  c\n",
            "a: 'b\n  c'\n",
            'a: "\\ud83d"\n',
            'a: "\\x41"\n',
            "a: 'b'c\n",
            "-\n  a\n",
            "- - - a\n",
            "- -\n",
        ),
        *("a: >\n  b\n", "a: |+\n  b\n", "a: |2\n  b\n", "a: |\n", "a: |\nb: 1\n", "a: |\n\n  b\n", "a: |\n  b"),
        *("a: |\n  b\n c\n", "a: |\n  b\n \n", "a: |\n  \tb\n c\n", "- |\n- a\n", "a: |\n \tb\n", "items: [a]\n"),
        *("items:\n- a\n- b\n", "\ufeffa: 1\n", "a: \x7f\n", "a: \u2028\n", "... a: 1\n", "--- a: 1\n", "-a: 1\n"),
        f"{'k' * 1100}: 1\n",
        f"a: {{{'k' * 1100}: 1}}\n",
        "".join(f"{'  ' * n}a:\n" for n in range(40)),
        "a: " + "x" * block.MAX_BYTES,
    ],
)
def test_what_is_in_doubt_is_left_to_others(text):
    assert block.load(text.encode(), MAX_NODES) is None


def test_bytes_that_are_no_text_are_left_to_others():
    assert block.load(b"a: \xff\n", MAX_NODES) is None


@pytest.mark.parametrize(
    "line", ["- a: 1\n", "- - a:\n", "- [a, 'b', c, d]\n", "- {a: 1, b: 2, c: 3, d: 4}\n", "- x\n"]
)
@pytest.mark.parametrize("count", [1, 20, 60])
def test_no_file_above_the_limit_is_read(line, count):
    raw = line.encode() * count
    for limit in range(1, 12 * count):
        if block.load(raw, limit) is not None:
            (document,), _ = without_block(partial(yaml.read, max_nodes=limit), raw)
            assert document.faults == ()


LINES = ["a:", "b:", "c: 1", "- a: 1", "- b", "d: |", "x", "# c", "", "- - z", "e: |-", "- f: |", "g: []", "'q': \"r\""]
LINES += ["items:", "---", "- a:", "-", "h: {a: 1}", "m: x: y", " ", "o: >", "\tx: 1", "- |", "s: [a, 'b']", "t: u "]
indented = st.builds(lambda columns, line: " " * columns + line, st.integers(0, 6), st.sampled_from(LINES))


@given(st.lists(indented, max_size=12).map("\n".join), st.sampled_from(["", "\n", "\n\n"]))
@settings(deadline=None, max_examples=150)
def test_any_lines_are_read_as_others_read_them(text, end):
    assert_alike((text + end).encode())


def with_line(lines, at, line):
    return [*lines[:at], line, *lines[at:]]


def with_text(lines, at, text):
    line = lines[at]
    cut = len(text) * 7 % (len(line) + 1)
    return [*lines[:at], line[:cut] + text + line[cut:], *lines[at + 1 :]]


MARKS = [":", ": ", " ", "#", " #", "-", "'", '"', "|", "[", "{", "&", "*", "!", "\t"]
CHANGES = st.sampled_from(
    [
        lambda lines, at, _: lines[:at] + lines[at + 1 :],
        lambda lines, at, _: [*lines[:at], " " + lines[at], *lines[at + 1 :]],
        lambda lines, at, _: [*lines[:at], lines[at][1:], *lines[at + 1 :]],
        lambda lines, at, other: with_line(lines, at, lines[other % len(lines)]),
        lambda lines, at, other: with_line(lines, at, "  " * (other % 4) + LINES[other % len(LINES)]),
        lambda lines, at, other: with_text(lines, at, MARKS[other % len(MARKS)]),
    ]
)


@st.composite
def changed(draw):
    """A file of people with a few lines changed, most often within what is plain."""
    lines = draw(st.sampled_from(corpus())).split("\n")
    for change in draw(st.lists(CHANGES, max_size=3)):
        at = draw(st.integers(0, len(lines) - 1))
        lines = change(lines, at, draw(st.integers(0, 1000))) or [""]
    return "\n".join(lines).encode()


@given(changed())
@settings(deadline=None, max_examples=150)
def test_changed_files_of_people_are_read_as_others_read_them(raw):
    assert_alike(raw)


OBJECT = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: a\n  namespace: b\nspec:\n  name: c\n"
OBJECTS = f"{OBJECT}---\nkind: List\nitems:\n- {OBJECT.replace(chr(10), chr(10) + '  ')}\n"


def verdict(raw):
    try:
        return kubernetes.objects(raw)
    except ValueError as error:
        return str(error)


@given(st.lists(st.tuples(CHANGES, st.integers(0, 15), st.integers(0, 1000)), max_size=3))
@settings(deadline=None, max_examples=100)
def test_the_objects_of_a_document_are_the_same_either_way(changes):
    lines = OBJECTS.split("\n")
    for change, at, other in changes:
        lines = change(lines, at % len(lines), other)
    raw = "\n".join(lines).encode()
    assert verdict(raw) == without_block(verdict, raw)
