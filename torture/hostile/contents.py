"""What stands in documents: base64 of gzip that lies, Kubernetes objects that stop an agent, sizes, templates."""

from __future__ import annotations

import base64
import gzip
import zlib
from collections.abc import Iterator

from support.definitions import configmap

from torture.hostile.cases import Case, Row, delivered, file_of, held, invalid, place_of, ready, refused, request


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


_GZIP = gzip.compress(b"some text " * 100, mtime=0)
_BOMB = zlib.compressobj(9, zlib.DEFLATED, 31)
_BOMB_BYTES = b"".join(_BOMB.compress(b"\0" * (1 << 20)) for _ in range(64)) + _BOMB.flush()
_OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {own}\n"


def rows() -> Iterator[Row]:
    yield from _packed()
    yield from _objects()
    yield from _templates()
    yield from _costly_templates()


def _packed() -> Iterator[Row]:
    claims, cut = "begins like base64 of gzip but is not valid base64", "gzip that was cut off"
    damaged, more = "base64 of damaged gzip", "something after the end of its gzip"
    for name, content, piece in [
        ("#50 a bomb of 64 MiB", _b64(_BOMB_BYTES), "more than 10485760 bytes when it is unpacked"),
        ("#51 junk inside", _b64(_GZIP)[:20] + "!?" + _b64(_GZIP)[22:], claims),
        ("#51 half a group", _b64(_GZIP)[:21], claims),
        ("#51 padding in the middle", _b64(_GZIP)[:20] + "=" + _b64(_GZIP)[20:], claims),
        ("#51 base64 of URLs", _b64(_GZIP)[:20] + "-_" + _b64(_GZIP)[22:], claims),
        ("#52 cut off", _b64(_GZIP[:-9]), cut),
        ("#52 cut in its header", _b64(_GZIP[:9]), cut),
        ("#52 cut in its checksum", _b64(_GZIP[:-3]), cut),
        ("#52 a wrong checksum", _b64(_GZIP[:-8] + b"\0\0\0\0" + _GZIP[-4:]), damaged),
        ("#52 a wrong length", _b64(_GZIP[:-4] + b"\0\0\0\x01"), damaged),
        ("#52 flipped bytes", _b64(_GZIP[:12] + b"\xff\xff\xff" + _GZIP[15:]), damaged),
        ("#52 two members", _b64(_GZIP + _GZIP), more),
        ("#52 text behind it", _b64(_GZIP + b"apiVersion: v1"), more),
        ("#52 zeros behind it", _b64(_GZIP + b"\0" * 8), more),
        ("#52 another method", _b64(b"\x1f\x8b\x08\xff" + _GZIP[4:]), damaged),
        ("#50 11 MiB of text", "x" * (11 << 20), "at most 10485760 are allowed"),
    ]:
        yield refused(name, {"packed.bin": content}, f"packed.bin: …{piece}")
    text = b"some text " * 100
    yield delivered("#50 gzip inside gzip is one layer", {"a.gz": _b64(gzip.compress(_GZIP, mtime=0))}, {"a.gz": _GZIP})
    yield delivered("#51 line ends inside", {"a": "\n".join((_b64(_GZIP)[:40], _b64(_GZIP)[40:]))}, {"a": text})
    yield delivered("prose that begins alike", {"a": "H4sI is how it begins"})
    yield delivered("base64 of something else", {"a": _b64(b"\x89PNG")})
    yield delivered("nothing, packed", {"a": _b64(gzip.compress(b"", mtime=0))}, {"a": b""})
    yield delivered("escapes of a terminal", {"a": "\x1b]0;owned\x07\x1b[2J"})
    yield delivered("ten MiB", {"a": _b64(gzip.compress(b"\0" * (10 << 20), mtime=0))}, {"a": b"\0" * (10 << 20)})
    yield refused(
        "#34 a pointer of LFS as a document",
        {"a": "version https://git-lfs.github.com/spec/v1\noid x"},
        "a pointer of Git LFS",
    )
    many = {f"f{number}": "x" for number in range(10_001)}
    yield invalid("#53 10,001 documents in one definition", lambda own: request(own, many), "more than 20000 values")


def _objects() -> Iterator[Row]:
    """An agent would stop for them, and with it everything else on the Destination."""
    for name, text, piece in [
        ("no YAML", "a: [\n", "x.yaml: line"),
        ("a list", "- 1\n", "expected a Kubernetes object, found a list"),
        ("words", "hello\n", 'found "hello"'),
        ("no kind", "apiVersion: v1\nmetadata: {name: x}\n", "the object has no kind"),
        ("no apiVersion", "kind: ConfigMap\nmetadata: {name: x}\n", "the object has no apiVersion"),
        ("no name", "apiVersion: v1\nkind: ConfigMap\n", "the object has no metadata.name"),
        (
            "a name that is a number",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 5}\n",
            "metadata.name: expected",
        ),
        ("an empty name", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ''}\n", "no metadata.name"),
        ("a kind that is a list", "apiVersion: v1\nkind: [a]\nmetadata: {name: x}\n", "kind: expected a string"),
        ("metadata that are a text", "apiVersion: v1\nkind: ConfigMap\nmetadata: x\n", "no metadata.name"),
        ("a key twice", _OBJECT.format(own="x") + "data: {}\ndata: {}\n", 'duplicate key "data"'),
        ("an object twice", (_OBJECT.format(own="twice") + "---\n") * 2, "ConfigMap/default/twice comes twice"),
        ("a List of nonsense", "apiVersion: v1\nkind: List\nitems: [1]\n", "found a number"),
        ("no alias", _OBJECT.format(own="x") + "data: *nothing\n", "*nothing"),
        ("200 levels", _OBJECT.format(own="x") + "data: " + "[" * 200 + "]" * 200 + "\n", "nested deeper than 128"),
        ("100,000 levels", "[" * 100_000, "nested deeper than 128"),
        ("100,000 keys", "? " * 100_000, "cannot be a key"),
        ("merging a text", _OBJECT.format(own="x") + "<<: x\n", "merge key"),
        ("a NUL", _OBJECT.format(own="x") + "data: {a: \0}\n", "line"),
        ("an unfinished template", _OBJECT.format(own="x") + "data: {{ .Values.x }}\n", "cannot be a key"),
    ]:
        yield refused(f"for an agent: {name}", {"x.yaml": text}, piece)
    yield refused(
        "for an agent: one object in two files", {"a.yml": configmap("both"), "b.yaml": configmap("both")}, "twice"
    )
    yield Row("for an agent: an object of somebody else's", _stolen)
    yield Row("for an agent: laughs in a document", lambda own: _document(own, _laughs(own)))
    yield Row("for an agent: merge keys in a document", lambda own: _document(own, _merges(own)))


def _stolen(own: str) -> Case:
    """The neighbour `n00` has delivered it before."""
    documents = {"x.yaml": configmap("n00")}
    return Case({file_of(own): request(own, documents)}, held(own, "ConfigMap/default/n00 is already delivered by"))


def _document(own: str, text: str) -> Case:
    there = {f"{place_of(own)}/x.yaml": text.encode()}
    return Case({file_of(own): request(own, {"x.yaml": text})}, (ready(own),), there, before="replaced")


def _laughs(own: str) -> str:
    lines = "".join(f"  a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 30))
    return _OBJECT.format(own=own) + "data:\n  a0: &a0 [x]\n" + lines


def _merges(own: str) -> str:
    lines = "".join(f"  a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 30))
    return _OBJECT.format(own=own) + "data:\n  a0: &a0 {k: v}\n" + lines


_UNSAFE = "is unsafe"


def _templates() -> Iterator[Row]:
    for name, text, piece in [
        ("an undefined name", "{{ nothing }}", "'nothing' is undefined"),
        ("an undefined value", "{{ values.nothing }}", "has no attribute 'nothing'"),
        ("no end", "{% if true %}", "line 1: "),
        ("no beginning", "{% endfor %}", "line 1: "),
        ("an unknown tag", "{% evil %}", "line 1: "),
        ("an unknown filter", "{{ 'a' | evil }}", "No filter named 'evil'"),
        ("bytes that are no text", "{{ '\\ud800' }}", "UnicodeEncodeError"),
        ("division by nothing", "{{ 1 // 0 }}", "ZeroDivisionError"),
        ("#56 the class of a text", "{{ ''.__class__ }}", _UNSAFE),
        ("#56 all classes", "{{ ''.__class__.__mro__[1].__subclasses__() }}", _UNSAFE),
        ("#56 attr", "{{ '' | attr('__class__') }}", _UNSAFE),
        ("#56 attr in pieces", "{{ '' | attr('__cl' ~ 'ass__') }}", _UNSAFE),
        ("#56 an index", "{{ ''['__class__'] }}", _UNSAFE),
        ("#56 format", "{{ '{0.__class__}'.format('') }}", _UNSAFE),
        ("#56 format_map", "{{ '{a.__class__}'.format_map({'a': ''}) }}", _UNSAFE),
        ("#56 globals of a function", "{{ range.__globals__ }}", _UNSAFE),
        ("#56 globals of cycler", "{{ cycler.__init__.__globals__ }}", _UNSAFE),
        ("#56 self", "{{ self.__init__.__globals__ }}", _UNSAFE),
        ("#56 the environment", "{{ environment }}", "'environment' is undefined"),
        ("#56 the machine", "{{ os.environ }}", "'os' is undefined"),
        ("#57 changing a Work", "{{ work.update({'a': 1}) }}", _UNSAFE),
        ("#57 clearing values", "{{ values.clear() }}", _UNSAFE),
        ("#57 setting a field", "{% set work.metadata = 1 %}", "cannot assign attribute"),
        ("#57 popping a label", "{{ destination.metadata.labels.pop('env') }}", _UNSAFE),
        ("#58 chance", "{{ [1, 2] | random }}", "No filter named 'random'"),
        ("#58 time", "{{ now() }}", "'now' is undefined"),
        ("#58 prose of chance", "{{ lipsum() }}", "'lipsum' is undefined"),
        ("#59 include", "{% include '/etc/passwd' %}", "no loader"),
        ("#59 import", "{% import 'os' as os %}", "no loader"),
        ("#59 extends", "{% extends 'base' %}", "no loader"),
        ("#60 10,000 brackets", "{{ " + "(" * 10_000 + ")" * 10_000 + " }}", ""),
        ("#60 5,000 ifs", "{% if true %}" * 5_000 + "{% endif %}" * 5_000, ""),
        ("#54 a range without end", "{% for n in range(10 ** 9) %}x{% endfor %}", "OverflowError"),
        ("#54 a list of a text", "{{ ('x' * 300000) | list }}", "more than 1 MiB of output"),
        ("#54 2 MiB", "{% for n in range(2048) %}{{ 'x' * 1024 }}{% endfor %}", "more than 1 MiB of output"),
    ]:
        yield refused(f"template: {name}", {"t.txt.j2": text}, f"t.txt.j2: …{piece}", "TemplateError")
    yield delivered("template: HTML stays as it is", {"t.j2": "{{ '<b>' }}"}, {"t": b"<b>"})
    yield delivered("template: nothing", {"t.j2": ""}, {"t": b""})
    yield delivered("template: only a comment", {"t.j2": "{# #}"}, {"t": b""})
    yield delivered("template: raw", {"t.j2": "{% raw %}{{ x }}{% endraw %}"}, {"t": b"{{ x }}"})
    yield Row("template: one that renders no object", _rendered_nonsense)
    yield Row("template: values that are templates", _values)


def _rendered_nonsense(own: str) -> Case:
    return Case({file_of(own): request(own, {"x.yaml.j2": "{{ [1] }}\n"})}, held(own, "x.yaml: …found a list"))


def _values(own: str) -> Case:
    """What values say is text, and rendered once."""
    raw = request(own, {"x.j2": "{{ values.a }}"}, values={"a": "{{ ''.__class__ }}"})
    there = {f"{place_of(own)}/x": b"{{ ''.__class__ }}"}
    return Case({file_of(own): raw}, (ready(own),), there, before="replaced")


_COSTLY = [
    ("#55 nested loops", "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"),
    ("#55 a gigabyte", "{{ 'x' * 10 ** 9 }}"),
    ("#55 a wide centre", "{{ 'x'.center(10 ** 9) }}"),
    ("#55 a wide format", "{{ '%1000000000d' % 1 }}"),
    ("#55 a power", "{{ 2 ** (10 ** 9) > 1 }}"),
    (
        "#55 a list doubled",
        "{% set ns = namespace(a=[1]) %}{% for n in range(40) %}{% set ns.a = ns.a + ns.a %}{% endfor %}",
    ),
]


def _costly_templates() -> Iterator[Row]:
    for name, text in _COSTLY:
        yield refused(f"template: {name}", {"t.txt.j2": text}, "t.txt.j2: …", "TemplateError")._replace(costly=True)
