"""Reading what anybody may have written, within limits; writing what every reader reads alike."""

import io
from pathlib import Path

import pytest
import yaml as pyyaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from gitops.core import yaml
from gitops.core.yaml.scalars import resolve

ROOT = Path(__file__).parents[2]
REAL = ROOT / "../shared/real"


def json_like(text):
    scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text
    return st.recursive(
        scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4), max_leaves=12
    )


one_break = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x85\u2028\u2029"))


def ruamel(raw):
    return list(YAML(typ="safe", pure=True).load_all(raw))


def documents(raw):
    found, error = yaml.read(raw)
    for wrong in [*(fault.error for document in found for fault in document.faults), error]:
        if wrong:
            raise wrong
    return found


def data(raw):
    return [document.data for document in documents(raw)]


def complaint(raw):
    with pytest.raises(yaml.YamlError) as caught:
        documents(raw)
    return caught.value


def position(raw, *wanted):
    return yaml.locate(raw, [wanted])[wanted].position


# What is read


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("nULL", "nULL"),
        ("True", True),
        ("FALSE", False),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("12", 12),
        ("-0", 0),
        ("+7", 7),
        ("9" * 40, int("9" * 40)),
        ("0x1F", 31),
        ("0o17", 15),
        ("012", "012"),
        ("1_000", "1_000"),
        ("0b11", "0b11"),
        ("1.50", 1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1e999", "1e999"),
        (".inf", ".inf"),
        (".NaN", ".NaN"),
        ("1:30", "1:30"),
        ("2025-06-23", "2025-06-23"),
        ("9999-99-99", "9999-99-99"),
        ("2025-06-23T14:03:20Z", "2025-06-23T14:03:20Z"),
        ("9" * 5000, "9" * 5000),
        ("v1.2.3", "v1.2.3"),
    ],
)
def test_a_plain_scalar_is_what_json_can_say_or_the_text_itself(text, value):
    assert data(f"key: {text}\n".encode()) == [{"key": value}]
    assert type(data(f"key: {text}\n".encode())[0]["key"]) is type(value)


@given(st.text(alphabet="0123456789+-.eExob_~nulNULtrTRaf:", min_size=1, max_size=8))
@settings(deadline=None)
def test_a_scalar_is_what_ruamel_says_or_the_text_itself(text):
    try:
        (theirs,) = ruamel(f"- '{text}'\n- {text}\n")
    except Exception:
        return  # no plain scalar
    value = resolve(text)
    assert value == text or (value == theirs[1] and type(value) is type(theirs[1]))


@pytest.mark.parametrize(
    ("raw", "documents"),
    [
        (b"", []),
        (b"# nothing\n", []),
        (b"---\n", [None]),
        (b"a: 1\n---\nb: 2\n...\n---\nc: 3\n", [{"a": 1}, {"b": 2}, {"c": 3}]),
        (b'\xef\xbb\xbf{"a": [true, null, "x\\/y"]}', [{"a": [True, None, "x/y"]}]),
        (b'{"a": "\\ud83d\\ude00"}', [{"a": "\U0001f600"}]),
        (b"a: &x [1]\nb: *x\n", [{"a": [1], "b": [1]}]),
        (b"a: &x 1\n---\na: &x 2\nb: &x 3\nc: *x\n", [{"a": 1}, {"a": 2, "b": 3, "c": 3}]),
        (b"a:\r\n- b\r\n", [{"a": ["b"]}]),
        (b'"<<": 1\n', [{"<<": 1}]),
        (b"a: |\n  x\n\n  y\n", [{"a": "x\n\ny\n"}]),
    ],
)
def test_documents_are_read(raw, documents):
    assert data(raw) == documents


@pytest.mark.parametrize(
    ("raw", "line", "column", "message"),
    [
        pytest.param(b"a: 1\nb: 2\na: 3\n", 3, 1, 'duplicate key "a": it stands in line 1 already', id="#40"),
        pytest.param(b"a: {b: 1, 'b': 2}\n", 1, 11, 'duplicate key "b"', id="#40 in flow style"),
        pytest.param(b"a:\n\tb: 1\n", 2, 1, "cannot start any token", id="#41 tab"),
        pytest.param(b"a: x\0y\n", 1, 5, "U+0000", id="#41 NUL"),
        pytest.param(b"a: 1\nb: \x1b[31m\n", 2, 4, "U+001B", id="#41 ESC"),
        pytest.param("a: \x9b31m\n".encode(), 1, 4, "U+009B", id="#41 a control character of two bytes"),
        pytest.param("a: b\x85c\n".encode(), 1, 5, "U+0085", id="#41 a line break that some readers see"),
        pytest.param("a: 'b\u2028c'\n".encode(), 1, 6, "U+2028", id="#41 another"),
        pytest.param("a: 1\nb: caf\xe9\n".encode("latin-1"), 2, 7, "not UTF-8", id="#41 latin-1"),
        pytest.param("a: 1\n".encode("utf-16"), 1, 1, "not UTF-8", id="#41 UTF-16"),
        pytest.param(b"\xef\xbb\xbf\xef\xbb\xbfa: 1\n", 1, 1, "U+FEFF", id="#41 two byte order marks"),
        pytest.param(b'a: "\\ud800"\n', 1, 4, "surrogate", id="#42 lone surrogate"),
        pytest.param(b"a: !!python/object/apply:os.system [x]\n", 1, 4, "the tag !!python", id="#43"),
        pytest.param(b"a: !foo b\n", 1, 4, "the tag !foo", id="#43 local"),
        pytest.param(b"a: !!str 1\n", 1, 4, "the tag !!str", id="#43 harmless"),
        pytest.param(b"%YAML 1.1\n---\na: no\n", 1, 1, "directives", id="#44"),
        pytest.param(b"%TAG ! tag:x,2000:\n---\na: 1\n", 1, 1, "directives", id="#44 %TAG"),
        pytest.param(b"%FOO\n---\na: 1\n", 1, 5, "unknown directive", id="#44 unknown"),
        pytest.param(b"a: &a [*a]\n", 1, 8, "stands inside what it names", id="#37"),
        pytest.param(b"a: *b\n", 1, 4, "the alias *b has no anchor", id="alias of nothing"),
        pytest.param(b"a: &x {b: 1}\nc:\n  <<: *x\n", 3, 3, "merge keys", id="merge key"),
        pytest.param(b"1: a\n", 1, 1, "quote it", id="number as key"),
        pytest.param(b"true: a\n", 1, 1, "quote it", id="boolean as key"),
        pytest.param(b"? [a]\n: b\n", 1, 5, "only a string can be a key", id="list as key"),
        pytest.param(b"a: b: c\n", 1, 5, "mapping values are not allowed", id="no YAML"),
        pytest.param(b"<<<<<<< HEAD\na: 1\n=======\n", 2, 2, "mapping values", id="conflict markers"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(raw, line, column, message):
    error = complaint(raw)
    assert (error.line, error.column) == (line, column)
    assert message in str(error)
    assert str(error).startswith(f"line {line}: ")


def nested(levels):
    return "a: " + "[" * levels + "]" * levels


JSON_PAIR = 'a: "\\ud83d\\ude00"\nb: '  # what only the slow reader reads
LAUGHS = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
MERGES = "a0: &a0 {k0: 0}\n" + "".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 40))


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        pytest.param(LAUGHS, "more than 20000 values", id="#35 expanded size"),
        pytest.param("a: &a x\nb: [" + "*a, " * 101 + "]", "more than 100 aliases", id="#35 number"),
        pytest.param(MERGES, "merge keys", id="#36"),
        pytest.param(nested(64), "deeper than 64", id="#38"),
        pytest.param("[" * 100_000, "deeper than 64", id="#38 that crashes other loaders"),
        pytest.param("a: {" * 100_000, "deeper than 64", id="#38 mappings"),
        pytest.param("- " * 100_000, "deeper than 64", id="#38 blocks"),
        pytest.param(JSON_PAIR + "[" * 3000, "deeper than 64", id="#38 by the slow reader"),
        pytest.param("a:\n" + "- 1\n" * 20_001, "more than 20000 values", id="#46 values"),
        pytest.param("".join(f"k{n}: 1\n" for n in range(10_001)), "more than 20000 values", id="#46 keys"),
        pytest.param("a: " + "x" * (64 << 20), "at most 67108864 are read", id="#46 bytes"),
    ],
)
def test_a_bomb_is_refused_before_it_is_built(raw, message):
    assert message in str(complaint(raw.encode()))


@pytest.mark.parametrize(
    "raw",
    [nested(63), "a: " + "x" * 10_000_000, "a:\n" + "- 1\n" * 19_000, "a: &a x\nb: [" + "*a, " * 100 + "]"],
    ids=["depth", "#46 one long scalar", "values", "aliases"],
)
def test_what_is_within_the_limits_is_read(raw):
    assert len(documents(raw.encode())) == 1


def test_each_item_of_a_list_has_its_own_limit_and_a_fault_that_hides_no_other():
    large = "".join(f"    k{n}: 1\n" for n in range(7_000))
    items = f"- a:\n{large}- b: 1\n  b: 2\n- c: *x\n- a:\n{large}{large.replace('k', 'l')}- *y\n- d: 1\n"
    (document,), error = yaml.read(f"kind: List\nitems:\n{items}".encode())
    assert error is None
    assert [fault.path[:2] for fault in document.faults] == [("items", 1), ("items", 2), ("items", 3), ("items", 4)]
    assert document.data["items"][0]["a"]["k6999"] == 1
    assert document.data["items"][5] == {"d": 1}
    assert document.item_lines == (3, 7004, 7006, 7007, 21008, 21009)


def test_documents_before_a_syntax_error_are_read():
    documents, error = yaml.read(b"a: 1\n---\nb: 2\n---\nc: d: e\n")
    assert [document.data for document in documents] == [{"a": 1}, {"b": 2}]
    assert error.line == 5


def test_documents_after_one_that_is_too_large_are_read():
    documents, error = yaml.read(b"a: 1\nb:\n" + b"- 1\n" * 20_000 + b"---\nc: 1\n")
    assert error is None
    assert documents[0].data["a"] == 1
    assert [fault.error.line for fault in documents[0].faults] == [19998]
    assert (documents[1].data, documents[1].line) == ({"c": 1}, 20_004)


def test_a_huge_file_with_few_values_is_read():
    assert len(data(b"a:\n" + b"- " + b"x" * 25_000_000 + b"\n- " + b"y" * 25_000_000)[0]["a"]) == 2


# Agreement with ruamel.yaml


def corpus():
    return sorted((ROOT / "example-repo").rglob("*.yaml")) + sorted(REAL.glob("*.yaml"))


@pytest.mark.parametrize("path", corpus(), ids=lambda path: path.name)
def test_files_of_people_read_as_ruamel_reads_them(path):
    raw = path.read_bytes()
    assert data(raw) == ruamel(raw)


@pytest.mark.skipif(not REAL.exists(), reason="the Works of a real cluster are not here")
def test_the_real_works_are_in_the_corpus():
    assert len(list(REAL.glob("*.yaml"))) >= 3


@given(json_like(one_break))
@settings(deadline=None)
def test_what_ruamel_writes_is_read_back(value):
    writer, out = YAML(typ="safe", pure=True), io.StringIO()
    writer.default_flow_style = False  # in flow style it cannot read all that it writes, such as {:a: null}
    writer.dump(value, out)
    assert data(out.getvalue().encode()) == [value]


TOKENS = [*"a[]{},\"'#>%\t1é~= \n", "b: ", "- ", "? ", ": ", "\n  ", "\n    ", "&a ", "*a", "!t ", "...", "\\n"]
TOKENS += ["\n---\n", "\r\n", "''", "<<: ", "|\n "]


@given(st.lists(st.sampled_from(TOKENS), max_size=14).map("".join))
@settings(deadline=None, max_examples=150)
def test_any_text_is_read_or_refused_with_a_place(text):
    documents, error = yaml.read(text.encode())
    for fault in [error] if error else [fault.error for document in documents for fault in document.faults]:
        assert fault.line >= 1
        assert fault.column >= 1


@given(st.binary(max_size=64))
@settings(deadline=None)
def test_any_bytes_are_read_or_refused(raw):
    yaml.read(raw)


# Places

PLACES = b"""\
# comment
spec:
  groups:
  - id: x
    labels: {env: true, "tier": [1, 2]}
  -
  text: |
    long
---
other: 1
"""


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ((), (2, 1)),
        (("spec",), (2, 1)),
        (("spec", "groups"), (3, 3)),
        (("spec", "groups", 0), (4, 5)),
        (("spec", "groups", 0, "id"), (4, 9)),
        (("spec", "groups", 0, "labels", "env"), (5, 19)),
        (("spec", "groups", 0, "labels", "tier"), (5, 25)),
        (("spec", "groups", 0, "labels", "tier", 1), (5, 37)),
        (("spec", "groups", 0, "labels", "missing", "deeper"), (5, 5)),
        (("spec", "groups", 7), (3, 3)),
        (("spec", "text"), (7, 9)),
        (("nowhere",), (2, 1)),
    ],
)
def test_every_value_has_a_place(path, place):
    assert position(PLACES, 0, path) == place


def test_places_of_later_documents():
    assert position(PLACES, 1, ("other",)) == (10, 8)
    assert documents(PLACES)[1].line == 10


@given(st.dictionaries(st.text(max_size=8), st.integers() | st.text(max_size=8), min_size=1, max_size=5))
@settings(deadline=None)
def test_a_value_stands_where_it_is_said_to_stand(value):
    raw = yaml.dump(value)
    for line, key in enumerate(value, start=1):
        assert position(raw, 0, (key,))[0] == line


# What is written


def test_the_shape_of_a_file():
    value = {
        "kind": "Work",
        "empty": {},
        "none": [],
        "nothing": None,
        "list": [{"a": 1, "b": [True, ["x"]]}, "z", {}],
        "time": "2025-06-23T14:03:20Z",
        "status": "True",
        "commit": "5058f1af8388633f609cadb75a75dc9d",
        "number": "12",
        "text": 'two\nlines, "quoted": \\ \x1b\u202e',
    }
    assert yaml.dump(value).decode() == (
        "kind: Work\n"
        "empty: {}\n"
        "none: []\n"
        "nothing: null\n"
        "list:\n"
        "- a: 1\n"
        "  b:\n"
        "  - true\n"
        "  - - x\n"
        "- z\n"
        "- {}\n"
        'time: "2025-06-23T14:03:20Z"\n'
        'status: "True"\n'
        "commit: 5058f1af8388633f609cadb75a75dc9d\n"
        'number: "12"\n'
        'text: "two\\nlines, \\"quoted\\": \\\\ \\u001b\\u202e"\n'
    )


@given(json_like(st.text()))
@example({"x" * 1100: {"y" * 1100: 1}})
@example(["0b1", "5e3", "12e04", "0o7", "0x1f", "1f", "e1", "y", "No", "=", "<<", "-", "a: b", "a #b", "é", "\ufeff"])
@example([1e16, 1e-7, -0.0, 5e-324, 1e308])
@settings(deadline=None)
def test_what_is_written_every_reader_reads_back(value):
    raw = yaml.dump(value)
    assert data(raw) == [value]
    assert ruamel(raw) == [value]
    assert pyyaml.safe_load(raw) == value


@given(st.text(alphabet="0123456789abcdefxoTZ:-+._e ,~!", max_size=12))
@settings(deadline=None, max_examples=150)
def test_what_looks_like_something_else_is_a_string_to_every_reader(text):
    raw = yaml.dump([text])
    assert data(raw) == ruamel(raw) == [pyyaml.safe_load(raw)] == [[text]]


@given(st.dictionaries(st.text(max_size=20), st.text(), max_size=5))
@settings(deadline=None)
def test_each_value_has_one_line(value):
    assert yaml.dump(value).decode().count("\n") == max(1, len(value))


def test_half_a_character_is_written_as_the_replacement_character():
    assert data(yaml.dump({"a": "x\udc80y"})) == [{"a": "x\ufffdy"}]


@pytest.mark.parametrize("value", [{1: "a"}, {"a": object()}, [float("nan")], [float("inf")], {"a": b"bytes"}])
def test_what_json_cannot_say_is_not_written(value):
    with pytest.raises(TypeError):
        yaml.dump(value)
