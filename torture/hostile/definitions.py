"""Definitions: YAML that is a bomb or a riddle, encodings, names, labels and selectors."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from support.definitions import Manifest, group
from support.platform import Content

from torture.hostile.cases import (
    REPOSITORY,
    Answer,
    Case,
    Row,
    benign,
    file_of,
    invalid,
    place_of,
    problem,
    ready,
    request,
    work_of,
)

_HEAD = "apiVersion: platform.kratix.io/v1alpha1\nkind: Work\nmetadata:\n  name: {own}\nspec:\n"
_LAUGHS = "".join(f"  a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
_MERGES = "".join(f"  a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 40))


def _text(body: str) -> Callable[[str], Content]:
    return lambda own: _HEAD.format(own=own) + body.replace("OWN", own)


def rows() -> Iterator[Row]:
    yield from _bombs()
    yield from _riddles()
    yield from _encodings()
    yield from _names()
    yield from _labels()
    yield from _selectors()
    yield from _fields()
    yield from _harmless()


def _bombs() -> Iterator[Row]:
    for levels in (63, 100, 1_000, 10_000, 100_000):
        nested = "  values: {a: " + "[" * levels + "]" * levels + "}\n"
        yield problem(f"#38 {levels} levels of lists", _text(nested), 6, "nested deeper than 64 levels")
    yield problem("#38 1,000 mappings", _text("  values: " + "{a: " * 1_000 + "\n"), 6, "nested deeper than 64")
    yield problem("#38 lists in block style", _text("  values:\n  " + "- " * 1_000 + "\n"), 7, "nested deeper than 64")
    yield problem("#38 keys in block style", _text(_stairs(200)), 0, "nested deeper than 64")
    yield problem("#38 complex keys", _text("  " + "? " * 1_000 + "\n"), 6, "nested deeper than 64")
    yield invalid("#35 laughs", _text(f"  a0: &a0 [x, x]\n{_LAUGHS}"), "more than 20000 values in one object")
    yield invalid("#35 a hundred aliases", _text("  a: &a x\n  b: [" + "*a, " * 101 + "]\n"), "more than 100 aliases")
    yield invalid("#36 merge keys", _text(f"  a0: &a0 {{k: 0}}\n{_MERGES}"), "merge keys (<<) are not supported")
    yield invalid("#36 one merge key", _text("  a: &a {b: 1}\n  c:\n    <<: *a\n"), "merge keys", 8)
    yield invalid("#37 a list in itself", _text("  a: &a [*a]\n"), "stands inside what it names", 6)
    yield invalid("#37 a mapping in itself", _text("  a: &a {b: *a}\n"), "stands inside what it names", 6)
    yield invalid("#37 an alias of nothing", _text("  a: *nothing\n"), "*nothing has no anchor", 6)
    yield invalid("#46 10,001 keys", _text("".join(f"  k{n}: 1\n" for n in range(10_001))), "more than 20000 values")
    yield invalid("#46 20,001 items", _text("  values:\n    a:\n" + "    - 1\n" * 20_001), "more than 20000 values")
    yield invalid("#46 a key of 100,000 characters", _text(f'  ? "{"k" * 100_000}"\n  : 1\n'), "unknown field")
    yield invalid("#46 a thousand wrong fields", _text("".join(f"  f{n}: 1\n" for n in range(1_000))), "unknown field")


def _stairs(levels: int) -> str:
    return "  values:\n" + "".join(f"{' ' * (4 + level)}a:\n" for level in range(levels))


def _riddles() -> Iterator[Row]:
    yield invalid("#40 a key twice", _text("  promiseName: a\n  promiseName: b\n"), 'duplicate key "promiseName"', 7)
    yield invalid("#40 a key twice in flow style", _text("  values: {a: 1, 'a': 2}\n"), 'duplicate key "a"', 6)
    yield invalid("#40 metadata twice", _text("  {}\nmetadata:\n  name: other\n"), 'duplicate key "metadata"', 7)
    yield invalid(
        "#43 a Python object", _text("  a: !!python/object/apply:os.system [id]\n"), "the tag !!python/object", 6
    )
    yield invalid("#43 a Python name", _text("  a: !!python/name:os.system x\n"), "the tag !!python/name", 6)
    yield invalid("#43 a local tag", _text("  a: !foo x\n"), "the tag !foo is not supported", 6)
    yield invalid("#43 a binary", _text("  a: !!binary R0lGODlh\n"), "the tag !!binary", 6)
    yield invalid("#43 a set", _text("  a: !!set {x}\n"), "the tag !!set", 6)
    yield invalid("#43 a string by tag", _text("  promiseName: !!str 1\n"), "the tag !!str", 6)
    yield invalid("#43 a tag of one's own", _text("  a: !<tag:example.org,2000:x> 1\n"), "the tag tag:example.org", 6)
    yield invalid("#44 %YAML 1.1", lambda own: f"%YAML 1.1\n---\n{_HEAD.format(own=own)}  {{}}\n", "directives", 1)
    yield invalid("#44 %TAG", lambda own: f"%TAG ! tag:x,2000:\n---\n{_HEAD.format(own=own)}  {{}}\n", "directives", 1)
    yield problem("#44 an unknown directive", lambda own: f"%FOO\n---\n{_HEAD.format(own=own)}  {{}}\n", 1, "directive")
    yield invalid("a number as a key", _text("  values: {1: a}\n"), "only a string can be a key", 6)
    yield invalid("a list as a key", _text("  ? [a]\n  : b\n"), "only a string can be a key", 6)
    yield invalid("nothing as a key", _text("  ~: b\n"), "only a string can be a key", 6)
    yield problem(
        "conflict markers", lambda own: f"<<<<<<< HEAD\n{_HEAD.format(own=own)}=======\n", 0, "conflict markers"
    )
    yield problem("an open bracket", lambda own: "kind: [\n", 2, "a flow node that begins in line 2")
    yield problem("an open quote", lambda own: 'kind: "Work\n', 0, "scalar")
    yield problem("a colon too many", lambda own: "kind: Work: x\n", 1, "mapping values are not allowed")
    yield problem("a list and no object", lambda own: "- 1\n", 1, "expected an object")
    yield problem("a scalar and no object", lambda own: "just words\n", 1, 'found "just words"')
    yield problem("a number and no object", lambda own: "5\n", 1, "found a number")
    yield problem("a List of nothing that is one", lambda own: "kind: List\nitems: 5\n", 2, "expected a list")
    yield problem("an unknown kind", lambda own: "kind: Wrok\n", 1, 'did you mean "Work"?')
    yield problem("no kind", lambda own: "metadata: {name: x}\n", 1, "kind: required")
    yield problem("a kind that is a list", lambda own: "kind: [Work]\n", 1, "a list is no definition")
    yield problem("#34 a pointer of LFS", lambda own: "version https://git-lfs.github.com/spec/v1\n", 1, "Git LFS")
    yield problem("a page of HTML", lambda own: "<!DOCTYPE html><script>alert(1)</script>\n", 1, "expected an object")


def _encodings() -> Iterator[Row]:
    def raw(content: bytes) -> Callable[[str], Content]:
        return lambda own: _HEAD.format(own=own).encode() + content

    yield problem("#41 a tab", _text("\tpromiseName: x\n"), 6, "cannot start any token")
    yield problem("#41 NUL", raw(b"  promiseName: a\0b\n"), 6, "U+0000")
    yield problem("#41 ESC", raw(b"  promiseName: \x1b[31m\n"), 6, "U+001B")
    yield problem("#41 DEL", raw(b"  promiseName: \x7f\n"), 6, "U+007F")
    yield problem("#41 CSI", raw(b"  promiseName: \xc2\x9b31m\n"), 6, "U+009B")
    yield problem("#41 NEL", raw(b"  promiseName: a\xc2\x85b\n"), 6, "U+0085")
    yield problem("#41 a line separator", raw(b"  promiseName: 'a\xe2\x80\xa8b'\n"), 6, "U+2028")
    yield problem("#41 a byte order mark inside", raw(b"  promiseName: \xef\xbb\xbfx\n"), 6, "U+FEFF")
    yield problem(
        "#41 two byte order marks", lambda own: b"\xef\xbb\xbf\xef\xbb\xbf" + raw(b"  {}\n")(own), 1, "U+FEFF"
    )
    yield problem("#41 Latin-1", raw(b"  promiseName: caf\xe9\n"), 6, "not UTF-8")
    yield problem("#41 a surrogate in bytes", raw(b"  promiseName: \xed\xa0\x80\n"), 6, "not UTF-8")
    yield problem("#41 an overlong slash", raw(b"  promiseName: ..\xc0\xaf\n"), 6, "not UTF-8")
    yield problem("#41 cut in a character", raw(b"  promiseName: \xe2\x82"), 6, "not UTF-8")
    for charset, piece in {
        "utf-16": "not UTF-8",
        "utf-16-be": "U+0000",
        "utf-32": "not UTF-8",
        "cp037": "not UTF-8",
    }.items():
        yield problem(f"#41 {charset}", lambda own, c=charset: _HEAD.format(own=own).encode(c), 1, piece)
    yield problem("#42 half a surrogate pair", _text('  promiseName: "\\ud800"\n'), 6, "surrogate")
    yield problem("#42 the other half", _text('  promiseName: "a\\udfffb"\n'), 6, "surrogate")
    yield problem("#42 in JSON", lambda own: json.dumps({"kind": "\ud800"}), 1, "surrogate")
    yield problem("bytes of chance", lambda own: bytes(range(256)), 2, "not UTF-8")
    yield problem("a picture", lambda own: b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 1, "not UTF-8")
    yield problem("gzip", lambda own: b"\x1f\x8b\x08\0\0\0\0\0\0\3", 1, "not UTF-8")


_BAD_NAMES = [
    ("capitals", "UPPER"),
    ("254 characters", "n" * 254),
    ("up", ".."),
    ("a dot", "."),
    ("a slash", "a/b"),
    ("up and away", "../../works/x"),
    ("look-alikes", "rеdis"),  # a Cyrillic e
    ("other digits", "redis-٣"),
    ("an underscore", "a_b"),
    ("a hyphen first", "-rf"),
    ("a hyphen last", "a-"),
    ("two dots", "a..b"),
    ("a blank", "a b"),
    ("a line feed", "a\nb"),
    ("a line feed at the end", "a\n"),
    ("ESC", "a\x1b[31mb"),
    ("NUL", "a\0b"),
    ("right to left", "a\u202eb"),
    ("a zero width space", "a\u200bb"),
    ("nothing", ""),
    ("HTML", "<b>x</b>"),
    ("a trailer", "x\nGitops-Event: Normal Forged Work/x"),
    ("a command", "$(id)"),
    ("an emoji", "😀"),
    ("full width", "ｒｅｄｉｓ"),
]


def _names() -> Iterator[Row]:
    for name, bad in _BAD_NAMES:
        piece = "invalid name" if bad else "invalid name ''"
        yield problem(f"#48 name: {name}", lambda own, bad=bad: _named(own, name=bad), 0, piece)
    for name, bad in [
        ("up", ".."),
        ("a slash", "a/b"),
        ("64 characters", "n" * 64),
        ("a dot", "a.b"),
        ("ESC", "a\x1b"),
    ]:
        yield problem(f"#48 namespace: {name}", lambda own, bad=bad: _named(own, namespace=bad), 0, "invalid namespace")
    for kind, bad in [("a number", 5), ("a list", ["a"]), ("true", True), ("an object", {"a": 1}), ("none", None)]:
        piece = "required" if bad is None else "expected a string"
        yield problem(f"#48 name that is {kind}", lambda own, bad=bad: _named(own, name=bad), 0, piece)
    for name in ("con", "nul", "aux.txt", "com1", "a.lock", "work", "head", "n" * 63):
        yield Row(f"#49 named {name[:9]}", lambda own, name=name: _known(name))


def _named(own: str, **metadata: Any) -> Manifest:
    definition = benign(own)
    definition["metadata"] |= metadata
    return definition


def _known(name: str) -> Case:
    """A name that is a name like any other, whatever some disk or tool takes it for."""
    there = {f"{place_of(name)}/good.yaml": _good(name)}
    return Case({file_of(f"named-{name}"): benign(name)}, (ready(name),), there, before="")


def _good(name: str) -> bytes:
    content: str = benign(name)["spec"]["workloadGroups"][0]["workloads"][0]["content"]
    return content.encode()


def _labels() -> Iterator[Row]:
    for name, key, value, piece in [
        ("a number", "a", 5, "expected a string, found a number (quote it"),
        ("a boolean", "a", True, "expected a string"),
        ("a float", "a", 1e3, "expected a string"),
        ("nothing", "a", None, "expected a string, found nothing"),
        ("64 characters", "a", "v" * 64, "invalid label value"),
        ("a blank", "a", "a b", "invalid label value"),
        ("a line feed", "a", "a\nb", "invalid label value"),
        ("a line feed at the end", "a", "a\n", "invalid label value"),
        ("ESC", "a", "\x1b[2J", "invalid label value"),
        ("a slash", "a", "../../x", "invalid label value"),
        ("a hyphen first", "a", "-x", "invalid label value"),
        ("a list", "a", ["x"], "expected a string, found a list"),
        ("a key of 64 characters", "k" * 64, "x", "invalid label key"),
        ("a key with a blank", "a b", "x", "invalid label key"),
        ("a key of nothing", "", "x", "invalid label key"),
        ("a key with two slashes", "a/b/c", "x", "invalid name"),
        ("a prefix in capitals", "A.b/c", "x", "invalid name"),
        ("a prefix and no name", "a.b/", "x", "invalid label key"),
        ("a key with ESC", "\x1b[31m", "x", "invalid label key"),
    ]:
        yield invalid(f"#30 label: {name}", lambda own, k=key, v=value: _named(own, labels={k: v}), piece)
    for name, pipeline in [("up", "../x"), ("Git", ".git"), ("a slash", "a/b"), ("dots", "..")]:
        yield invalid(
            f"#22 pipeline label: {name}",
            lambda own, v=pipeline: _named(own, labels={"kratix.io/pipeline-name": v}),
            "invalid label value",
        )


def _selectors() -> Iterator[Row]:
    def with_selector(selector: Any) -> Callable[[str], Content]:
        return lambda own: _selecting(own, selector)

    for operator in ("in", "Equals", "", "Gt", 5, "Exists\n"):
        found = {"matchExpressions": [{"key": "env", "operator": operator, "values": ["dev"]}]}
        yield invalid(f"#30 operator {operator!r}", with_selector(found), "operator: expected")
    for name, expression, piece in [
        ("In of nothing", {"key": "env", "operator": "In"}, "values must be specified"),
        ("Exists of values", {"key": "env", "operator": "Exists", "values": ["x"]}, "values may not be specified"),
        ("values that are a text", {"key": "env", "operator": "In", "values": "dev"}, "expected a list"),
        ("values of numbers", {"key": "env", "operator": "In", "values": [1]}, "expected a string"),
        ("a value of 64 characters", {"key": "env", "operator": "In", "values": ["v" * 64]}, "invalid label value"),
        ("no key", {"operator": "Exists"}, "required"),
        ("a key of spaces", {"key": "  ", "operator": "Exists"}, "invalid label key"),
        ("an unknown field", {"key": "env", "operator": "Exists", "value": "x"}, 'did you mean "values"?'),
    ]:
        yield invalid(f"#30 {name}", with_selector({"matchExpressions": [expression]}), piece)
    for name, selector, piece in [
        ("matchLabels as a list", {"matchLabels": ["env=dev"]}, "expected an object, found a list"),
        ("matchLabels as text", {"matchLabels": "env=dev"}, "expected an object"),
        ("a label of no", {"matchLabels": {"env": False}}, "expected a string"),
        ("a misspelt field", {"matchLables": {"env": "dev"}}, 'did you mean "matchLabels"?'),
        ("a source that is a list", {"matchLabels": {"env": "dev"}, "source": ["promise"]}, "expected a string"),
    ]:
        yield invalid(f"#30 {name}", with_selector(selector), piece)
    for text in ("012", "no", "1_000", "0b1"):
        yield Row(f"#30 the value {text} is a text", lambda own, t=text: _unmatched(own, t))
    for text, piece in (("1e3", "expected a string"), ("1:30", "invalid label value '1:30'"), ("0x1f", "(quote it")):
        yield invalid(f"#30 the value {text}", lambda own, t=text: _wanting(own, t), piece)
    yield Row("#30 100,000 labels that are wanted", _too_many)


def _selecting(own: str, selector: Any) -> Manifest:
    definition = benign(own)
    definition["spec"]["workloadGroups"][0]["destinationSelectors"] = [selector]
    return definition


def _wanting(own: str, text: str) -> str:
    groups = f"  workloadGroups:\n  - workloads: []\n    destinationSelectors:\n    - matchLabels: {{env: {text}}}\n"
    return _HEAD.format(own=own) + groups


def _unmatched(own: str, text: str) -> Case:
    """YAML 1.1 would take it for something else; here it is a label that nobody has."""
    answer = Answer(work_of(own), "Ready", "UnscheduledWorkloadGroups", "Pending")
    return Case({file_of(own): _wanting(own, text)}, (answer,), before="")


def _too_many(own: str) -> Case:
    labels = "".join(f"        k{n}: x\n" for n in range(100_000))
    raw = f"{_HEAD.format(own=own)}  workloadGroups:\n  - destinationSelectors:\n    - matchLabels:\n{labels}"
    return Case({file_of(own): raw}, (Answer(work_of(own), "Ready", "InvalidDefinition", "…more than 20000 values…"),))


def _fields() -> Iterator[Row]:
    for name, change, piece in [
        ("a misspelt field", {"promisName": "x"}, 'unknown field "spec.promisName" (did you mean "promiseName"?)'),
        ("groups as an object", {"workloadGroups": {"a": 1}}, "spec.workloadGroups: expected a list"),
        ("groups of numbers", {"workloadGroups": [1, 2]}, "expected an object, found a number"),
        ("values as a list", {"values": [1]}, "spec.values: expected an object"),
        ("a promise that is a number", {"promiseName": 5}, "expected a string, found a number"),
        ("a promise that is a date", {"promiseName": {"d": 1}}, "expected a string, found an object"),
    ]:
        yield invalid(name, lambda own, change=change: _spec(own, change), piece)
    for name, field, piece in [
        ("directory up", {"directory": "../x"}, 'a component is ".."'),
        ("directory of Git", {"directory": "a/.git"}, "belongs to Git itself"),
        ("directory with a backslash", {"directory": "a\\b"}, "a backslash is not allowed"),
        ("directory with ESC", {"directory": "\x1b[31m"}, "U+001B"),
        ("directory too deep", {"directory": "d/" * 40}, "at most 32"),
        ("directory that is a number", {"directory": 5}, "expected a string"),
        ("id with a slash", {"id": "../../x"}, "invalid label value"),
        ("id of 64 characters", {"id": "i" * 64}, "invalid label value"),
        ("id with a line feed", {"id": "a\n"}, "invalid label value"),
        ("workloads as an object", {"workloads": {"x": "y"}}, "expected a list"),
        ("a workload without content", {"workloads": [{"filepath": "x"}]}, "content: required"),
        ("a workload without path", {"workloads": [{"content": "x"}]}, "filepath: required"),
        ("content that is a list", {"workloads": [{"filepath": "x", "content": ["x"]}]}, "expected a string"),
        ("content that is a number", {"workloads": [{"filepath": "x", "content": 5}]}, "expected a string"),
        ("no workloads outside a folder", {"workloads": None}, "needs a folder Work"),
    ]:
        yield invalid(f"group: {name}", lambda own, field=field: _grouped(own, field), piece)
    yield invalid("two groups of one id", _twins, "has the id x, as spec.workloadGroups[0] has")
    yield invalid(
        "two groups of one directory", lambda own: _spec(own, {"workloadGroups": [group({}), group({})]}), "as spec"
    )
    yield problem("#39 a whole number of 5,000 digits", lambda own: f"kind: {'9' * 5000}\n", 1, 'kind: "9999')
    yield invalid("#39 such a name of a promise", _text(f"  promiseName: {'9' * 900}\n"), "expected a string", 6)


def _spec(own: str, change: dict[str, Any]) -> Manifest:
    definition = benign(own)
    definition["spec"] |= change
    return definition


def _grouped(own: str, change: dict[str, Any]) -> Manifest:
    definition = benign(own)
    definition["spec"]["workloadGroups"][0] |= change
    return definition


def _twins(own: str) -> Manifest:
    return _spec(own, {"workloadGroups": [group({}, id="x"), group({}, id="x", directory="b")]})


def _harmless() -> Iterator[Row]:
    """What looks dangerous and is read as it is meant."""
    for name, body in [
        ("#39 an impossible date", "  values: {a: 9999-99-99}\n"),
        ("#39 base 60", "  values: {a: 190:20:30}\n"),
        ("#39 an octal of YAML 1.1", "  values: {a: 0777}\n"),
        ("#39 infinity", "  values: {a: .inf, b: -.INF, c: .nan}\n"),
        ("#39 an exponent without end", "  values: {a: 1e999999}\n"),
        ("#39 a number of 5,000 digits", f"  values: {{a: {'9' * 5000}}}\n"),
        ("#39 a number of 999 digits", f"  values: {{a: {'9' * 999}}}\n"),
        ("a hundred aliases", "  values:\n    a: &a x\n    b: [" + "*a, " * 99 + "*a]\n"),
        ("64 levels", "  values: {a: " + "[" * 60 + "]" * 60 + "}\n"),
        ("HTML in values", "  values: {a: '<script>alert(1)</script>'}\n"),
        ("a megabyte in values", f"  values: {{a: '{'x' * 1_000_000}'}}\n"),
        ("Windows line ends", "  values: {a: 1}\r\n"),
        ("a key of 1,000 characters", f"  values: {{{'k' * 1000}: 1}}\n"),
        ("a quoted merge key", "  values: {'<<': 1}\n"),
        ("a pair of surrogates", '  values: {a: "\\ud83d\\ude00"}\n'),
        ("escapes of a terminal in values", '  values: {a: "\\e[31m\\u202e"}\n'),
        ("nothing at all", "  {}\n"),
    ]:
        yield Row(name, lambda own, body=body: Case({file_of(own): _text(body)(own)}, (ready(own),), before="replaced"))
    yield Row("#45 only comments", lambda own: Case({file_of(own): "# nothing\n---\n---\n# nothing\n"}, (), before=""))
    yield Row("#45 an empty file", lambda own: Case({file_of(own): ""}, (), before=""))
    yield Row("#45 a bad document between two good ones", _sandwich)
    yield Row("#45 a bad item in a List", _list)
    yield Row("#47 the same object in another file", _duplicate)


def _sandwich(own: str) -> Case:
    good = [benign(f"{own}-{n}") for n in range(2)]
    there = {f"{place_of(f'{own}-{n}')}/good.yaml": _good(f"{own}-{n}") for n in range(2)}
    message = f'{file_of(own)}:…: unknown field "spec.promisName"…'
    answers = (*(ready(f"{own}-{n}") for n in range(2)), Answer(work_of(own), "Ready", "InvalidDefinition", message))
    return Case({file_of(own): [good[0], _spec(own, {"promisName": "x"}), good[1]]}, answers, there)


def _list(own: str) -> Case:
    items = [benign(f"{own}-good"), {"kind": "Work", "metadata": {"name": "../x"}}, 5, None]
    there = {f"{place_of(f'{own}-good')}/good.yaml": _good(f"{own}-good")}
    answers = (ready(f"{own}-good"), Answer(REPOSITORY, file_of(own), "…", "…invalid name '../x'…"))
    return Case({file_of(own): {"kind": "List", "items": items}}, answers, there)


def _duplicate(own: str) -> Case:
    files: dict[str, Content] = {file_of(own): benign(own), f"works/z/{own}.yaml": request(own, {"x.yaml": "evil"})}
    message = f"Work/default/{own} is already defined in {file_of(own)}:1; this one is ignored"
    answers = (ready(own), Answer(REPOSITORY, f"works/z/{own}.yaml", "1", message))
    return Case(files, answers, {f"{place_of(own)}/good.yaml": _good(own)}, before="replaced")
