"""Raw Git trees: what no tool of good will writes, and a server without checks accepts."""

from __future__ import annotations

from collections.abc import Iterator

import yaml
from support.definitions import group, selector, work

from torture.hostile.cases import REPOSITORY, Answer, Case, Row, benign, held, place_of, ready, request
from torture.hostile.grafting import NOWHERE, RawEntry, RawTree

_FILE, _TREE, _LINK, _MODULE = b"100644", b"40000", b"120000", b"160000"


_NOT_ALLOWED = {
    "a name with a slash": RawEntry(_FILE, b"a/b.yaml", "x"),
    "a name with up and a slash": RawEntry(_FILE, b"../x.yaml", "x"),
    "no name": RawEntry(_FILE, b"", "x"),
    "mode 0": RawEntry(b"0", b"x.yaml", "x"),
    "a mode that is no number": RawEntry(b"rw-r--r--", b"x.yaml", "x"),
    "a mode of ten digits": RawEntry(b"1006440000", b"x.yaml", "x"),
}


def rows() -> Iterator[Row]:
    for name, entry, piece in [
        ("#31 a link to a definition", (_LINK, b"x.yaml", "../redis.yaml"), "is a symbolic link"),
        ("#31 a link out of the repository", (_LINK, b"x.yaml", "/etc/passwd"), "is a symbolic link"),
        ("#31 a link to a folder", (_LINK, b"x", "../../destinations"), "is a symbolic link"),
        ("#31 a link called .git", (_LINK, b".git", "x"), "is a symbolic link"),
        ("#32 a submodule", (_MODULE, b"x.yaml", NOWHERE), "is a submodule"),
        ("#32 a submodule as a folder", (_MODULE, b"x", NOWHERE), "is a submodule"),
    ]:
        yield Row(name, lambda own, e=entry, p=piece: _problem(own, RawEntry(*e), p))
    for name, raw, piece in [
        ("#33 ..", b"..", 'a component is ".."'),
        ("#33 .git", b".git", "belongs to Git itself"),
        ("#33 .GIT", b".GIT", "belongs to Git itself"),
        ("#33 a dot", b".", 'a component is "."'),
        ("#33 a zero width character", b".g\xe2\x80\x8cit", "U+200C"),
        ("#33 a short name", b"git~1", "belongs to Git itself"),
        ("#33 ESC", b"\x1b[31m", "U+001B"),
        ("#33 a backslash", b"..\\..", "a backslash is not allowed"),
        ("#33 Latin-1", b"caf\xe9", "U+DCE9"),
        ("#33 256 bytes", b"x" * 256, "256 bytes"),
    ]:
        yield Row(f"{name} as a folder of definitions", lambda own, r=raw, p=piece: _folder(own, r, p))
        yield Row(f"{name} among documents", lambda own, r=raw, p=piece: _among(own, RawEntry(_FILE, r, "x"), p))
    yield Row(
        "#33 a link among documents",
        lambda own: _among(own, RawEntry(_LINK, b"x", "/etc/passwd"), "is a symbolic link"),
    )
    yield Row(
        "#33 a submodule among documents", lambda own: _among(own, RawEntry(_MODULE, b"x", NOWHERE), "is a submodule")
    )
    yield Row("#33 a folder Work at the end of 40 folders", _deep)
    yield Row("#33 3,000 folders", lambda own: _bottomless(own, 3_000))
    yield Row("#33 unsorted", _unsorted)
    yield from _unreadable()
    yield Row("#33 an executable definition", lambda own: _mode(own, b"100755"))
    yield Row("#33 a definition that a group may write", lambda own: _mode(own, b"100664"))


def _unreadable() -> Iterator[Row]:
    """Trees that libgit2 refuses to read, and with it the oracle, or that Git would never write."""
    for name, entries, piece in [
        ("a name of 65,536 bytes", [RawEntry(_FILE, b"x" * 65_536 + b".yaml", "x")], "at most 1024 are allowed"),
        ("a mode of a device", [RawEntry(b"060000", b"x.yaml", "x")], "is a submodule"),
        ("one name twice", [RawEntry(_FILE, b"x.yaml", "x"), RawEntry(_FILE, b"x.yaml", "y")], "expected an object"),
        ("a file and a folder", [RawEntry(_FILE, b"x.yaml", "x"), RawEntry(_TREE, b"x.yaml", 1)], "expected an object"),
    ]:
        yield Row(f"#33 {name}", lambda own, e=entries, p=piece: _unread(own, e, p), costly=True)
    for name, entry in _NOT_ALLOWED.items():
        yield Row(f"#33 {name}", lambda own, e=entry: _unread(own, [e], "entries that Git does not allow"), costly=True)
    for name, entry, piece in [
        ("a file that is said to be a folder", RawEntry(_TREE, b"x", "x"), "a blob stands where a tree should be"),
        ("a folder that is said to be a file", RawEntry(_FILE, b"x.yaml", 1), "a tree stands where a blob should be"),
    ]:
        yield Row(f"#33 {name}", lambda own, e=entry, p=piece: _unread(own, [e], p), costly=True)


def _unread(own: str, tree: RawTree, piece: str) -> Case:
    answer = Answer(REPOSITORY, "*", "1", f"…{piece}…")
    return Case({}, (answer,), trees={f"works/t/{own}": tree}, blind=True)


def _text(own: str) -> str:
    return yaml.safe_dump(benign(own))


def _problem(own: str, entry: RawEntry, piece: str) -> Case:
    path = f"works/t/{own}/{entry.name.decode()}"
    return Case(answers=(Answer(REPOSITORY, path, "1", f"…{piece}…"),), trees={f"works/t/{own}": [entry]})


def _folder(own: str, raw: bytes, piece: str) -> Case:
    tree: RawTree = [RawEntry(_TREE, raw, [RawEntry(_FILE, b"x.yaml", _text(own))])]
    return Case(answers=(Answer(REPOSITORY, "*", "1", f"…{piece}…"),), trees={f"works/t/{own}": tree})


def _among(own: str, entry: RawEntry, piece: str) -> Case:
    definition = work(own, groups=[group(None, selector(env="dev"))], request=own)
    tree: RawTree = sorted([entry, RawEntry(_FILE, b"work.yaml", yaml.safe_dump(definition))], key=lambda e: e.name)
    return Case(answers=held(own, piece), trees={f"works/t/{own}": tree})


def _deep(own: str) -> Case:
    return Case(
        answers=(Answer(REPOSITORY, "*", "1", "…more than 32 folders deep…"),),
        trees={f"works/t/{own}": [RawEntry(_TREE, b"d", 40)]},
    )


def _bottomless(own: str, levels: int) -> Case:
    definition = request(own)
    definition["spec"]["workloadGroups"] = [group(None, selector(env="dev"))]
    tree: RawTree = [RawEntry(_TREE, b"d", levels), RawEntry(_FILE, b"work.yaml", yaml.safe_dump(definition))]
    return Case(answers=held(own, "at most"), trees={f"works/t/{own}": tree})


def _unsorted(own: str) -> Case:
    tree: RawTree = [RawEntry(_FILE, b"z.yaml", _text(own)), RawEntry(_FILE, b"a.yaml", _text(f"{own}-a"))]
    there = {f"{place_of(name)}/good.yaml": _content(name) for name in (own, f"{own}-a")}
    return Case({}, (ready(own), ready(f"{own}-a")), there, {f"works/t/{own}": tree})


def _mode(own: str, mode: bytes) -> Case:
    tree: RawTree = [RawEntry(mode, b"x.yaml", _text(own))]
    return Case({}, (ready(own),), {f"{place_of(own)}/good.yaml": _content(own)}, {f"works/t/{own}": tree})


def _content(own: str) -> bytes:
    content: str = benign(own)["spec"]["workloadGroups"][0]["workloads"][0]["content"]
    return content.encode()
