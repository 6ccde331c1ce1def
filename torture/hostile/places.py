"""Destinations and state stores: places that are others', branches that are none, addresses that lead astray."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from support.definitions import Manifest, destination, group, selector, store, work

from torture.hostile.cases import Answer, Case, Row, file_of, held, ready

SECRET = "s3cr3t-canary"

_OVERLAPS = [
    ("#24 a neighbour's place", "dev", "Destination dev"),
    ("#24 inside a neighbour's", "dev/resources/default", "Destination dev"),
    ("#24 in capitals", "DEV", "Destination dev"),
    ("#24 with a zero width character that disks ignore", "d\ufe0fev", "Destination dev"),
    ("#24 in full, with slashes and dots", "/./dev//", "Destination dev"),
    ("#23 the root, with others there", "/", "Destination"),
    ("#23 a dot, with others there", ".", "Destination"),
]  # fmt: skip

_UNSAFE_PLACES = [
    ("#23 up", "..", 'a component is ".."'),
    ("#23 up inside", "a/../../works", 'a component is ".."'),
    ("#23 Git", ".git/hooks", "belongs to Git itself"),
    ("#23 Git folded", ".G\u034fIT", "belongs to Git itself"),
    ("#23 a backslash", "..\\works", "a backslash is not allowed"),
    ("#23 a line feed", "a\nb", "U+000A"),
    ("#23 ESC", "\x1b[31m", "U+001B"),
    ("#23 NUL", "a\0", "U+0000"),
    ("#23 right to left", "\u202eved", "U+202E"),
    ("#23 256 bytes", "x" * 256, "256 bytes"),
    ("#23 33 levels", "x/" * 33, "at most 32"),
    ("#23 a drive", "C:/x", "absolute"),
    ("#23 .gitmodules", ".gitmodules", "belongs to Git itself"),
]  # fmt: skip

_FILENAMES = [
    ("up", "../x.yaml", 'a component is ".."'),
    ("absolute", "/x.yaml", "absolute"),
    ("Git", ".git/config", "belongs to Git itself"),
    ("nothing", "", "it is empty"),
    ("a slash at the end", "x/", "a component is empty"),
    ("a line feed", "a\n.yaml", "U+000A"),
    ("ESC", "\x1b.yaml", "U+001B"),
    ("a backslash", "a\\b", "a backslash is not allowed"),
    ("300 bytes", "x" * 300, "300 bytes"),
    (".gitattributes", ".gitattributes", "belongs to Git itself"),
]  # fmt: skip

BRANCHES = [
    "refs/heads/main", "refs/x", "HEAD", "@", "-x", "--upload-pack=touch x", "a..b", "a@{1}", "x.lock", "a/x.lock/b",
    "a b", "a~1", "a^", "a:b", "a?", "a*", "a[b", "a\\b", "a//b", "/a", "a/", ".a", "a/.b", "a.", "", "a\nb", "a\x1b",
    "a\0b", "a\x7f",
]  # fmt: skip

ADDRESSES = [
    ("ext::", "ext::sh -c touch% owned"),
    ("ext:: with a blank less", "ext::touch"),
    ("fd::", "fd::7"),
    ("a file", "file:///etc"),
    ("a path of the host", "/etc/passwd"),
    ("a relative path", "../../other.git"),
    ("an option for a host", "ssh://-oProxyCommand=id/x"),
    ("an option for a user", "-oProxyCommand=id@host:x"),
    ("an option for a path", "host:-oProxyCommand"),
    ("a metadata address", "http://169.254.169.254/latest/meta-data"),
    ("a metadata address by https", "https://169.254.169.254/x.git"),
    ("a metadata address of IPv6", "https://[fe80::1]/x.git"),
    ("a mapped metadata address", "https://[::ffff:169.254.169.254]/x.git"),
    ("an address as one number", "https://2852039166/x.git"),
    ("an address in hex", "https://0xa9fea9fe/x.git"),
    ("an octal address", "https://0251.0376.0251.0376/x.git"),
    ("plain http", "http://example.org/x.git"),
    ("git without a key", "git://example.org/x.git"),
    ("javascript", "javascript://alert(1)"),
    ("a gopher", "gopher://example.org/x"),
    ("ftp", "ftp://example.org/x"),
    ("a line feed", "https://example.org/x\n.git"),
    ("ESC", "https://example.org/\x1b[31m"),
    ("a blank", "https://example.org/x y"),
    ("a backslash", "https://example.org\\@evil.example/x"),
    ("no path", "https://example.org"),
    ("only up", "https://example.org/../.."),
    ("no host", "https:///x.git"),
    ("a port too large", "https://example.org:99999/x.git"),
    ("a question", "https://example.org/x.git?a=b"),
    ("a fragment", "https://example.org/x.git#main"),
    ("right to left", "https://example.org/\u202egit.x"),
    ("a host of other letters", "https://еxample.org/x.git"),
    ("2,100 characters", "https://example.org/" + "x" * 2_100),
    ("#28 a password", f"https://user:{SECRET}@example.org/x.git"),
    ("#28 a token for a user", f"https://{SECRET}@example.org/x.git"),
    ("#28 a password for ssh", f"ssh://git:{SECRET}@example.org/x.git"),
]  # fmt: skip


def rows() -> Iterator[Row]:
    for name, path, owner in _OVERLAPS:
        yield Row(name, lambda own, p=path, o=owner: _overlap(own, p, o))
    for name, path, piece in _UNSAFE_PLACES:
        yield Row(
            name, lambda own, p=path, e=piece: _wrong(own, destination(f"d-{own}", path=p, row=own), f"spec.path: …{e}")
        )
    for name, filename, piece in _FILENAMES:
        yield Row(f"#22 filename: {name}", lambda own, f=filename, e=piece: _filename(own, f, e))
    yield from _fields()
    yield Row("#22 an aggregate in the place of a canary", _canary)
    yield Row("#21 an aggregate called .github", _hidden)
    for branch in BRANCHES:
        yield Row(f"#27 branch {branch!r}", lambda own, b=branch: _branch(own, b))
    for name, url in ADDRESSES:
        yield Row(f"#28 address: {name.removeprefix('#28 ')}", lambda own, u=url: _address(own, u))
    yield from _stores()


def _flat(own: str, **fields: Any) -> Manifest:
    return destination(f"d-{own}", row=own, initWorkloads={"enabled": False}, **fields)


def _for(own: str) -> Manifest:
    """A Work for the row's own Destination."""
    return work(own, groups=[group({"x.txt": "x"}, selector(row=own))], request=own)


def _overlap(own: str, path: str, owner: str) -> Case:
    answer = Answer(f"destinations/d-{own}.yaml", "Ready", "PathOverlap", f"path …overlaps {owner}…")
    return Case(
        {f"destinations/{own}.yaml": _flat(own, path=path), file_of(own): _for(own)},
        (answer, *held(own, "", "WorkloadsFailedWrite", f"d-{own}")),
    )


def _wrong(own: str, definition: Manifest, piece: str) -> Case:
    """It never was good: nothing is placed there."""
    message = f"destinations/{own}.yaml:…: {piece}…"
    return Case(
        {f"destinations/{own}.yaml": definition},
        (Answer(f"destinations/d-{own}.yaml", "Ready", "InvalidDefinition", message),),
    )


def _filename(own: str, filename: str, piece: str) -> Case:
    target = _flat(own, mode="aggregatedYAML")
    target["spec"]["filepath"]["filename"] = filename
    return _wrong(own, target, f"spec.filepath.filename: …{piece}")


def _fields() -> Iterator[Row]:
    for name, change, piece in [
        ("an unknown mode", {"filepath": {"mode": "nested"}}, "expected nestedByMetadata, aggregatedYAML or none"),
        ("a mode that is a list", {"filepath": {"mode": ["none"]}}, "filepath.mode: expected"),
        ("an unknown agent", {"agent": "fleux"}, 'did you mean "flux"?'),
        ("an unknown policy", {"cleanup": "everything"}, "spec.cleanup: expected none or all"),
        ("a path that is a number", {"path": 5}, "spec.path: expected a string, found a number"),
        ("a path that is a list", {"path": ["a"]}, "spec.path: expected a string, found a list"),
        ("an unknown field", {"pth": "x"}, 'did you mean "path"?'),
        ("a store of no kind", {"stateStoreRef": {"kind": "Secret", "name": "x"}}, "expected GitStateStore or"),
        ("a store named up", {"stateStoreRef": {"kind": "GitStateStore", "name": "../x"}}, "invalid name"),
        ("values that are a list", {"values": [1]}, "spec.values: expected an object"),
        ("strictness as a text", {"strictMatchLabels": "yes"}, "expected true or false"),
    ]:
        yield Row(f"Destination: {name}", lambda own, c=change, e=piece: _changed(own, c, e))
    yield Row("Destination: a store that is not there", _nowhere)


def _changed(own: str, change: dict[str, Any], piece: str) -> Case:
    definition = _flat(own)
    definition["spec"] |= change
    return _wrong(own, definition, f"…{piece}")


def _nowhere(own: str) -> Case:
    answer = Answer(
        f"destinations/d-{own}.yaml", "Ready", "StateStoreNotFound", f"…GitStateStore/none-{own}: not found…"
    )
    return Case({f"destinations/{own}.yaml": _flat(own, store=f"none-{own}")}, (answer,))


def _canary(own: str) -> Case:
    """It is the Destination's own file, in a mode that has no canary there: delivered."""
    target = _flat(own, mode="aggregatedYAML", filename="kratix-canary-namespace.yaml", agent="none")
    there = {f"state/d-{own}/kratix-canary-namespace.yaml": b"x"}
    return Case({f"destinations/{own}.yaml": target, file_of(own): _for(own)}, (ready(own),), there)


def _hidden(own: str) -> Case:
    target = _flat(own, mode="aggregatedYAML", filename=".github/workflows/x.yaml", agent="none")
    there = {f"state/d-{own}/.github/workflows/x.yaml": b"x"}
    return Case({f"destinations/{own}.yaml": target, file_of(own): _for(own)}, (ready(own),), there)


def _store(own: str, definition: Manifest, answer: Answer, *others: Answer) -> Case:
    files = {
        f"statestores/{own}.yaml": definition,
        f"destinations/{own}.yaml": _flat(own, store=f"s-{own}"),
        file_of(own): _for(own),
    }
    return Case(files, (answer, *others))


def _branch(own: str, branch: str) -> Case:
    message = f"statestores/{own}.yaml:…: spec.branch: invalid branch name…"
    answer = Answer(f"statestores/GitStateStore/s-{own}.yaml", "Ready", "InvalidDefinition", message)
    below = Answer(f"destinations/d-{own}.yaml", "Ready", "StateStoreNotFound", "…")
    return _store(own, store(f"s-{own}", branch), answer, below)


def _address(own: str, url: str) -> Case:
    definition = store(f"s-{own}")
    definition["spec"]["url"] = url
    answer = Answer(f"statestores/GitStateStore/s-{own}.yaml", "Ready", "ErrorInitialisingWriter", "…spec.url: …")
    below = Answer(f"destinations/d-{own}.yaml", "Ready", "StateStoreNotReady", "…")
    return _store(own, definition, answer, below)


def _stores() -> Iterator[Row]:
    for name, path in [
        ("up", "../.."),
        ("Git", ".git"),
        ("a line feed", "a\nb"),
        ("the definitions by dots", "a/../works"),
    ]:
        yield Row(f"store path: {name}", lambda own, p=path: _store_path(own, p))
    for folder in ("works", "WORKS", "destinations", "status", "templates", "gitops.yaml", ".github", "statestores/x"):
        yield Row(f"#25 a store in {folder}", lambda own, f=folder: _inside(own, f))
    yield Row("#25 a store at the root of the source branch", lambda own: _inside(own, ""))
    yield Row("a store that is a bucket", _bucket)


def _store_path(own: str, path: str) -> Case:
    message = f"statestores/{own}.yaml:…: spec.path: …"
    answer = Answer(f"statestores/GitStateStore/s-{own}.yaml", "Ready", "InvalidDefinition", message)
    return _store(own, store(f"s-{own}", "main", path), answer)


def _inside(own: str, folder: str) -> Case:
    good = Answer(f"statestores/GitStateStore/s-{own}.yaml", "Ready", "…", "…")
    reason = Answer(f"destinations/d-{own}.yaml", "Ready", "PathOverlap", "…overlaps …")
    made = _store(own, store(f"s-{own}", "main", folder), good, reason)
    if not folder:
        made.files[f"destinations/{own}.yaml"]["spec"]["path"] = "/"  # type: ignore[index,call-overload]
    return made


def _bucket(own: str) -> Case:
    definition = store(f"s-{own}") | {"kind": "BucketStateStore", "spec": {"bucketName": "x", "endpoint": "../../x"}}
    target = _flat(own)
    target["spec"]["stateStoreRef"] = {"kind": "BucketStateStore", "name": f"s-{own}"}
    answer = Answer(f"statestores/BucketStateStore/s-{own}.yaml", "Ready", "ErrorInitialisingWriter", "…not supported…")
    return Case({f"statestores/{own}.yaml": definition, f"destinations/{own}.yaml": target}, (answer,))
