"""The proof of hostile inputs: passes over a platform with good neighbours, and what must be true after them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import process_time

import yaml
from support import oracle
from support.definitions import destination, group, selector, work
from support.platform import Content, Platform

from gitops.cache import Cache
from gitops.git.repository import Repository
from gitops.reconciler import Reconciler
from gitops.sandbox import Sandbox
from torture.hostile.cases import REPOSITORY, Answer, Case, Row, benign, file_of, place_of
from torture.hostile.grafting import graft

SECONDS = 10.0  # of CPU: what else runs on the machine shall not decide
MEMORY = 64 << 20  # bytes that a pass may take more than there were
NEIGHBOURS = 20
_NONE = b"status: {conditions: [], problems: []}"

PEOPLES: Mapping[str, Content] = {
    "README.md": "Written by people.\n",
    ".github/workflows/ci.yaml": "on: push\n",
    "docs/notes.txt": "x\n",
    "works/notes.txt": "no definition\n",
    "state/README.md": "beside all Destinations\n",
    "state/old/keep.yaml": "of nobody\n",
}


def neighbours() -> dict[str, Content]:
    """The Destinations, the Works of others, and the files of people."""
    files: dict[str, Content] = {
        "destinations/dev.yaml": destination("dev", env="dev"),
        "destinations/tf.yaml": destination("tf", mode="none", env="tf"),
        "destinations/edge.yaml": destination("edge", mode="aggregatedYAML", env="edge"),
        **PEOPLES,
    }
    for number in range(NEIGHBOURS):
        name, env = f"n{number:02}", ("dev", "dev", "tf", "edge")[number % 4]
        files[f"works/neighbours/{name}.yaml"] = work(name, groups=[group(_documents(name), selector(env=env))])
        files[f"works/neighbours/{name}.yaml"]["spec"]["promiseName"] = name  # type: ignore[index,call-overload]
    return files


def _documents(name: str) -> dict[str, str]:
    text = f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n"
    return {f"{name}.yaml": text, f"{name}.txt": "x\n"} if name[-1] in "048" else {f"{name}.yaml": text}


Named = tuple[str, Row]
"""A row, and the name of the object that it is about."""


class Sealed(Platform):
    """A platform whose daemons render templates as the real one does: in a process of little time and memory."""

    sandbox = Sandbox()  # one for all: what a template may cost it costs once

    def reconciler(self, cache: Cache | None = None) -> Reconciler:
        return Reconciler(Repository.open(self.path), self.branch, self.clock, self.sandbox, cache)


class Stage:
    """A platform on which nothing but good neighbours is, with what was delivered to them."""

    def __init__(self, folder: Path) -> None:
        self.platform = Sealed(folder / "platform.git")
        self.platform.commit(neighbours())
        self.platform.reconcile()
        self.expected = self.platform.files("state/")
        self.seconds: list[float] = []
        self.grown: list[int] = []

    def reconcile(self, *, blind: bool = False) -> None:
        """Make a pass that keeps the laws and its bounds, as one of a daemon that has seen nothing; then none more."""
        platform, before = self.platform, self.platform.tip()
        scene = None if blind else oracle.look(platform)
        platform.clock.advance()
        with self._bounded():
            platform.reconcile()
        if scene:
            oracle.judge(platform, scene)
        after = platform.tip()
        platform.move(before)
        platform.reconciler().reconcile()
        assert platform.tip() == after, "a daemon that has seen nothing does something else"
        platform.clock.advance()
        for daemon in (platform, platform.reconciler()):
            daemon.reconcile()
            assert platform.tip() == after, platform.log()[0].message

    @contextmanager
    def _bounded(self) -> Iterator[None]:
        begun, before = process_time(), _reset_peak()
        yield
        self.seconds.append(process_time() - begun)
        self.grown.append(_memory("VmHWM") - before)
        assert self.seconds[-1] < SECONDS, f"a pass of {self.seconds[-1]:.1f} s of CPU"

    def bound_memory(self) -> None:
        """Assert that no pass so far took more memory than it may."""
        assert max(self.grown) < MEMORY, f"a pass took {max(self.grown) >> 20} MiB"


def _reset_peak() -> int:
    Path("/proc/self/clear_refs").write_text("5")
    return _memory("VmRSS")


def _memory(name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(found[1]) << 10 if found else 0


def commit(stage: Stage, cases: Sequence[Case]) -> None:
    """Commit hostile inputs, all at once."""
    stage.platform.commit({path: content for case in cases for path, content in case.files.items()}, "Hostile")
    if trees := {path: tree for case in cases for path, tree in case.trees.items()}:
        graft(stage.platform, trees)


def prepare(stage: Stage, rows: Sequence[Named]) -> None:
    """Deliver what means well in the place of each hostile Work: what is refused leaves it where it is."""
    made = {own: row.make(own) for own, row in rows}
    stage.platform.commit({file_of(own): benign(own) for own in made}, "Good")
    stage.platform.reconcile()
    replaced = tuple(f"{place_of(own)}/" for own, case in made.items() if case.before == "replaced")
    found = stage.platform.files("state/")
    stage.expected = {path: raw for path, raw in found.items() if not path.startswith(replaced)}


def prove(stage: Stage, rows: Sequence[Named]) -> list[str]:
    """Commit all *rows*, make the pass, and return what is wrong, by row."""
    cases = [row.make(own) for own, row in rows]
    commit(stage, cases)
    source = stage.platform.tip() or ""
    stage.reconcile(blind=any(case.blind for case in cases))
    statuses = stage.platform.files("status/")
    wrong = [
        f"{row.name}: {each}" for (_, row), case in zip(rows, cases, strict=True) for each in _wrong(statuses, case)
    ]
    expected = stage.expected | {path: raw for case in cases for path, raw in case.delivered.items()}
    return wrong + list(_nothing_else(stage.platform, source, expected))


def _wrong(statuses: Mapping[str, bytes], case: Case) -> Iterator[str]:
    for answer in case.answers:
        said = _said(statuses, answer)
        if not any(matches(answer, each) for each in said):
            yield f"expected {answer}, found {said}"
        yield from (f"not printable: {each}" for each in said if not "".join(each).isprintable())


def matches(answer: Answer, said: tuple[str, str]) -> bool:
    """Whether a reason and a message are what was expected."""
    return all(
        re.fullmatch(".*".join(map(re.escape, want.split("…"))), each, re.DOTALL)
        for want, each in zip(answer[2:], said, strict=True)
    )


def _said(statuses: Mapping[str, bytes], answer: Answer) -> list[tuple[str, str]]:
    """Reasons and messages of the conditions, or lines and messages of the problems, that *answer* is about."""
    status = yaml.load(statuses.get(f"status/{answer.file}", _NONE), yaml.CSafeLoader)["status"]
    if answer.file == REPOSITORY:
        return [(str(p["line"]), p["message"]) for p in status["problems"] if answer.type in ("*", p["file"])]
    return [(c["reason"], c["message"]) for c in status["conditions"] if c["type"] == answer.type]


def _nothing_else(platform: Platform, source: str, expected: Mapping[str, bytes]) -> Iterator[str]:
    """Only `state/` and `status/` differ from the commit of people, and `state/` is what it should be."""
    there = platform.files("state/")
    yield from (
        f"{path} is {there.get(path)!r:.80} and should be {expected.get(path)!r:.80}"
        for path in sorted(there.keys() | expected.keys())
        if there.get(path) != expected.get(path)
    )
    before, after = (_top(platform, at) for at in (source, platform.tip() or ""))
    changed = {name for name in before | after if before.get(name) != after.get(name)}
    if not changed <= {"state", "status"}:
        yield f"also written: {sorted(changed)}"


def _top(platform: Platform, at: str) -> dict[str, str]:
    return {entry.name: str(entry.id) for entry in platform.repo[at].tree}
