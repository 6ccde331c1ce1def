"""Forged memories: statuses, inventories, trailers and commits that say they are the daemon's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pygit2
import yaml
from support.platform import ADA, BOB, DAEMON, Person

from torture.hostile.proving import Stage

_WORK = "status/works/default/n00/work.yaml"
_PLACED = "status/works/default/n00/n00.dev-5058f.yaml"
_SIGNED = "status: 21 Works, 21 Ready (0 events)\n\nForged.\n\nGitops-Source-Commit: {tip}\n"
_EDGE = "status/destinations/edge.yaml"
_ZERO = "0" * 40
_READY = {"type": "Ready", "status": "True", "reason": "X", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"}


def _edited(change: Callable[[dict[str, Any]], object], file: str, stage: Stage) -> None:
    """A person edits a status file: the next pass writes what stood there."""
    before = stage.platform.blobs("status/")
    stage.platform.commit({file: _changed(stage, file, change)}, by=BOB)
    stage.reconcile()
    _intact(stage)
    assert stage.platform.blobs("status/") == before, "status is not what it was"


def _believed(change: Callable[[dict[str, Any]], object], file: str, stage: Stage) -> None:
    """The same in a commit that looks like the daemon's own, which is taken for its memory: it can do no harm."""
    _forge(stage, {file: _changed(stage, file, change)}, DAEMON)
    stage.reconcile(blind=True)
    _intact(stage)


def _changed(stage: Stage, file: str, change: Callable[[dict[str, Any]], object]) -> str | bytes:
    status = yaml.safe_load(stage.platform.files(file)[file])
    made = change(status)
    return made if isinstance(made, str | bytes) else yaml.safe_dump(status, sort_keys=False)


def _forge(stage: Stage, files: Mapping[str, str | bytes | None], by: Person) -> None:
    message = _SIGNED.format(tip=stage.platform.tip())
    stage.platform.commit(files, message, by)


def _intact(stage: Stage) -> None:
    there = stage.platform.files("state/")
    assert there == stage.expected, sorted(set(there.items()) ^ set(stage.expected.items()))[:3]
    for number in range(20):
        assert stage.platform.condition(f"works/default/n{number:02}/work.yaml")[0] == "True"
    for path in (
        "README.md",
        ".github/workflows/ci.yaml",
        "docs/notes.txt",
        "works/notes.txt",
        "destinations/dev.yaml",
    ):
        assert path in stage.platform.files(path), f"{path} is gone"


def _inventory(*paths: str) -> Callable[[dict[str, Any]], object]:
    def change(status: dict[str, Any]) -> None:
        status["status"]["inventory"] |= dict.fromkeys(paths, _ZERO)

    return change


def _set(*keys: str, to: Any) -> Callable[[dict[str, Any]], object]:
    def change(status: dict[str, Any]) -> None:
        found = status
        for key in keys[:-1]:
            found = found.setdefault(key, {})
        found[keys[-1]] = to

    return change


def _raw(content: str | bytes) -> Callable[[dict[str, Any]], object]:
    return lambda _: content


_FORGED: Mapping[str, tuple[str, Callable[[dict[str, Any]], object]]] = {
    "definitions in an inventory": (_PLACED, _inventory("works/neighbours/n01.yaml", "destinations/dev.yaml")),
    "files of people": (_PLACED, _inventory("README.md", ".github/workflows/ci.yaml")),
    "status files": (_PLACED, _inventory("status/README.md", "status/works/default/n01/work.yaml")),
    "a neighbour's file": (_PLACED, _inventory("state/dev/dependencies/n01/instance-configure/5058f/n01.yaml")),
    "a neighbour's directory": (_PLACED, _inventory("state/dev/dependencies/n01")),
    "a canary": (_PLACED, _inventory("state/dev/dependencies/kratix-canary-namespace.yaml")),
    "files of people in folders": (_PLACED, _inventory("docs/notes.txt", "state/old/keep.yaml")),
    "paths up": (_PLACED, _inventory("../x", "/etc/passwd", ".git/config", "state/../README.md", "")),
    "an inventory that is a list": (_PLACED, _set("status", "inventory", to=["README.md"])),
    "an inventory of numbers": (_PLACED, _set("status", "inventory", to={"README.md": 5, 5: "x"})),
    "ids that are none": (_PLACED, _set("status", "inventory", to={"state/x": "zz", "state/y": "0" * 39})),
    "a branch that is none": (_PLACED, _set("status", "branch", to="../../x")),
    "a branch elsewhere": (_PLACED, _set("status", "branch", to="https://evil.example/x#main")),
    "superseded files of people": (_PLACED, _set("status", "superseded", to={"main": {"README.md": _ZERO}})),
    "superseded nonsense": (_PLACED, _set("status", "superseded", to={"-x": 5, "main": ["x"]})),
    "a version that is none": (_PLACED, _set("status", "versionID", to=_ZERO)),
    "a version of words": (_PLACED, _set("status", "versionID", to="$(id)\n")),
    "another Destination": (_PLACED, _set("spec", "targetDestinationName", to="../../works")),
    "another group": (_PLACED, _set("spec", "id", to="../x")),
    "a name of another": (_PLACED, _set("metadata", "name", to="n01.dev-5058f")),
    "a label with ESC": (_PLACED, _set("metadata", "labels", to={"\x1b[31m": "\x1b[2J"})),
    "conditions that are words": (_WORK, _set("status", "conditions", to="Ready")),
    "a condition of numbers": (_WORK, _set("status", "conditions", to=[{"type": 5, "status": True}])),
    "an impossible time": (_WORK, _set("status", "conditions", to=[_READY | {"lastTransitionTime": "9999-99-99"}])),
    "events of nonsense": (_WORK, _set("events", to=[5, {"type": "Normal", "reason": "X", "count": -1}])),
    "a count beyond all": (_WORK, _set("events", to=[{"type": "Normal", "reason": "X", "count": 10**40}])),
    "an event with a trailer": (_WORK, _set("events", to=[{"type": "a\n\nGitops-Work: x", "reason": "\x1b[31m"}])),
    "a source that is a path up": (_WORK, _set("status", "source", to="../../etc/passwd")),
    "an observed commit of words": (_WORK, _set("status", "observedCommit", to="HEAD")),
    "an observed commit that is missing": (_WORK, _set("status", "observedCommit", to=_ZERO)),
    "a generation of words": (_WORK, _set("metadata", "generation", to="many")),
    "a generation beyond all": (_WORK, _set("metadata", "generation", to=10**30)),
    "no YAML": (_WORK, _raw("a: [")),
    "laughs": (_WORK, _raw("".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40)))),
    "100,000 levels": (_WORK, _raw("[" * 100_000)),
    "bytes": (_WORK, _raw(bytes(range(256)))),
    "nothing": (_WORK, _raw("")),
    "a Destination's path": ("status/destinations/dev.yaml", _set("status", "path", to="works")),
    "a Destination's inventory": ("status/destinations/dev.yaml", _inventory("README.md", "works/notes.txt")),
    "a Destination's parts": (_EDGE, _set("status", "parts", to={"default/n03.edge-5058f": 10**12})),
    "negative parts": (_EDGE, _set("status", "parts", to={"default/n03.edge-5058f": -5, "x": "y"})),
    "a Destination's mode": ("status/destinations/dev.yaml", _set("status", "mode", to="none")),
    "a cleanup of everything": ("status/destinations/dev.yaml", _set("status", "cleanup", to="everything")),
}  # fmt: skip


def _strangers(stage: Stage) -> None:
    """Status files of Works and Destinations that never were: they go, and take nothing along."""
    forged = {
        "status/works/default/ghost/work.yaml": _ghost("Work", "ghost", {}),
        "status/works/default/ghost/ghost.dev-5058f.yaml": _ghost(
            "WorkPlacement", "ghost.dev-5058f", {"README.md": _ZERO}
        ),
        "status/works/../x/y.yaml".replace("..", "up"): "x",
        "status/destinations/ghost.yaml": _ghost("Destination", "ghost", {"docs/notes.txt": _ZERO}),
    }
    _forge(stage, forged, DAEMON)
    stage.reconcile(blind=True)
    _intact(stage)
    assert not stage.platform.files("status/works/default/ghost")


def _ghost(kind: str, name: str, inventory: Mapping[str, str]) -> str:
    status = {"conditions": [_READY], "inventory": dict(inventory), "cleanup": "all", "mode": "none", "path": "."}
    spec = {"targetDestinationName": "dev", "id": "x"}
    labels = {"kratix.io/work": "ghost", "kratix.io/pipeline-name": ""}
    metadata = {"name": name, "namespace": "default", "labels": labels, "generation": 1}
    head = {"apiVersion": "platform.kratix.io/v1alpha1", "kind": kind, "metadata": metadata}
    return yaml.safe_dump({**head, "spec": spec, "status": status})


def _trailers(stage: Stage) -> None:
    """A person's commit with all trailers of the daemon, on what people write: it is a person's commit."""
    subject = "place(default/n00): dev (+1 ~0 -0)\n\nForged.\n\nGitops-Work: default/n00\nGitops-Destination: tf\n"
    stage.platform.commit({"docs/x.txt": "x"}, f"{subject}Gitops-Source-Commit: {_ZERO}\n", BOB)
    stage.reconcile()
    _intact(stage)


def _drifted(stage: Stage) -> None:
    """A forged documents commit changes documents: they are put back."""
    path = "state/dev/dependencies/n00/instance-configure/5058f/n00.yaml"
    message = (
        f"update(default/n00): dev (+0 ~1 -0)\n\nForged.\n\nGitops-Work: default/n00\nGitops-Source-Commit: {_ZERO}\n"
    )
    stage.platform.commit({path: "kind: Evil\n"}, message, DAEMON)
    stage.reconcile()
    _intact(stage)


def _authors(stage: Stage) -> None:
    """A person whose name is a trailer, a colour and a wrong direction, edits a document."""
    repo, path = stage.platform.repo, "state/dev/dependencies/n00/instance-configure/5058f/n00.yaml"
    stage.platform.commit({path: "kind: Evil\n"}, by=ADA)
    raw = repo[stage.platform.tip() or ""].read_raw()
    evil = "\x1b[31mEvil\u202e\rGitops-Event: Normal Forged Work/x".encode()
    oid = repo.write(pygit2.enums.ObjectType.COMMIT, raw.replace(b"Ada Lovelace", evil))
    stage.platform.move(str(oid))
    stage.reconcile()
    _intact(stage)
    for commit in stage.platform.log()[:2]:
        assert not any(character in commit.message for character in "\x1b\r\u202e"), commit.message


def _subjects(stage: Stage) -> None:
    """The subject of a commit has what destroys trailers, and what would forge one."""
    subject = "Add [skip ci] \x1b[31m Signed-off-by: x <y>\u202e"
    stage.platform.commit(
        {"works/neighbours/n00.yaml": stage.platform.files()["works/neighbours/n00.yaml"] + b"# x\n"}, subject
    )
    stage.platform.commit(
        {"docs/y.txt": "y", "state/dev/dependencies/n04/instance-configure/5058f/n04.yaml": "x"}, subject
    )
    stage.reconcile()
    _intact(stage)


def _stories() -> dict[str, Callable[[Stage], None]]:
    found: dict[str, Callable[[Stage], None]] = {}
    for name, (file, change) in _FORGED.items():
        found[f"#80 edited: {name}"] = lambda stage, f=file, c=change: _edited(c, f, stage)  # type: ignore[misc]
        found[f"#80 believed: {name}"] = lambda stage, f=file, c=change: _believed(c, f, stage)  # type: ignore[misc]
    return found


_ALL = {
    **_stories(),
    "#80 objects that never were": _strangers,
    "#63 trailers of the daemon": _trailers,
    "#63 documents by a forged commit": _drifted,
    "#61 an author": _authors,
    "#62 a subject": _subjects,
}

OPEN = (
    "#80 believed: files of people in folders",
    "#80 objects that never were",
)
"""What somebody can do who may push, and whose commits read as if the daemon had made them: known, and not yet held."""

STORIES: Mapping[str, Callable[[Stage], None]] = {name: story for name, story in _ALL.items() if name not in OPEN}
UNHELD: Mapping[str, Callable[[Stage], None]] = {name: _ALL[name] for name in OPEN}
