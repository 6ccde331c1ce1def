"""After a kill: a fresh daemon must come to what the undisturbed run came to, and leave nothing behind."""

from __future__ import annotations

import re
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

from support import model, oracle

from torture.grounds import Ground, Ran
from torture.scenes import Court, Tree

_TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_COMMIT = re.compile(rb"\b[0-9a-f]{7,40}\b")
_STALE = ("*.lock", "index.gitops", "tmp_*", ".tmp-*", "*.keep", ".gitops-*", "memory-*.*", "config.*", "HEAD.*")
_EDITS = [" M works/8.yaml", "?? notes.txt"]
_ENDING = 10.0  # seconds that a server has for what a killed daemon had begun there
_LASTING = ("daemon.lock", "maintenance.lock")  # locked by the kernel, not by being there; told, when git was killed


class Result(NamedTuple):
    """What a history came to: exact while the clock stood still, and as it reads without times and commit ids."""

    tips: dict[str, str]
    files: dict[str, dict[str, bytes]]
    events: Counter[str]
    subjects: dict[str, list[str]]


@dataclass(frozen=True)
class Case:
    """A history on a ground, kept under *tag*: what the judge saw before the pass, and what comes of it undisturbed."""

    ground: Ground
    tag: str
    now: datetime
    before: oracle.Scene
    wanted: Result
    ran: Ran

    def again(self) -> Ground:
        """Return the ground, put back to how it was before the pass."""
        self.ground.restore(self.tag)
        self.ground.clock.now = self.now
        return self.ground


def undisturbed(ground: Ground, tag: str) -> Case:
    """Keep *ground* as it is under *tag*, and run all its daemons, one after the other."""
    ground.save(tag)
    before = oracle.look(ground.court())
    ran = [ground.run(number) for number in range(ground.kind.daemons)]
    assert not any(one.code for one in ran), [one.said for one in ran]
    return Case(ground, tag, ground.clock.now, before, result(ground.court()), ran[0])


def result(court: Court) -> Result:
    """Take in what the branches hold."""
    scene = oracle.look(court)
    files = {name: _files(court, name) for name in scene.tips}
    log = [commit for name in scene.tips for commit in court.log(name)]
    events = Counter(event for commit in log for event in oracle.trailers(commit).get("Gitops-Event", []))
    subjects = {name: court.subjects(name) for name in scene.tips}
    return Result(dict(scene.tips), files, events, subjects)


def _files(court: Court, branch: str) -> dict[str, bytes]:
    """Return all files but those of people who commit after a kill, in which times and commits look alike."""
    return {path: _plain(raw) for path, raw in court.files(at=branch).items() if not path.startswith("mine-")}


def _plain(raw: bytes) -> bytes:
    return _COMMIT.sub(b"<commit>", _TIME.sub(b"<time>", raw))


class Alike(IntEnum):
    """How far what a killed pass came to must be what an undisturbed one came to."""

    LAWS = 0  # not at all: people went on, and what was done in which pass is a matter of time
    CONTENT = 1  # documents, status and events: people have committed something since
    LOG = 2  # the commits, too, by their subjects: the clock went on, or daemons call the repository different names
    BYTES = 3


def judge(case: Case, alike: Alike, *, cold: bool) -> None:
    """Let fresh daemons come to an end, and assert all that is promised; if *cold*, also without all that they kept."""
    ground = case.ground
    for number in range(ground.kind.daemons):
        ran = ground.run(number)
        assert ran.code == 0, f"a fresh daemon cannot go on: {ran.said}"
    assert not (left := ground.orphans()), f"processes stay behind: {left}"
    court = ground.court()
    scene = oracle.judge(court, case.before)
    model.judge(court, scene)
    found = result(court)
    if alike >= Alike.CONTENT:
        _compare(case.wanted, found)
    if alike >= Alike.LOG:
        _same(case.wanted.subjects, found.subjects)
    if alike >= Alike.BYTES:
        _same(case.wanted.tips, found.tips)
    _is_at_rest(ground, found.tips, cold=cold)
    _is_tidy(ground)
    if isinstance(platform := ground.platform, Tree):
        assert platform.commit_own(), "people cannot commit"
        assert (edits := platform.edits()) == _EDITS, f"not committed: {edits}"


def _compare(wanted: Result, found: Result) -> None:
    _same(wanted.files.keys(), found.files.keys())
    for name, files in wanted.files.items():
        for path in files.keys() | found.files[name].keys():
            _same(files.get(path), found.files[name].get(path), f"{name}:{path}\n")
    assert found.events == wanted.events, f"{found.events - wanted.events} twice, {wanted.events - found.events} lost"


def _same(wanted: object, found: object, where: str = "") -> None:
    assert wanted == found, f"{where}UNDISTURBED {wanted!r}\nAFTER THE KILL {found!r}"


def _is_at_rest(ground: Ground, tips: dict[str, str], *, cold: bool) -> None:
    """Daemons that start hours later find nothing to do; what a killed one left behind is old by then."""
    ground.age()
    ground.clock.advance(7200)
    for number in range(ground.kind.daemons):
        ran = ground.run(number)
        assert ran.code == 0, ran.said
    if cold:
        ground.forget_memory()
        ran = ground.run()
        assert ran.code == 0, ran.said
    assert result(ground.court()).tips == tips, f"not at rest: {ran.said}"


def _is_tidy(ground: Ground) -> None:
    repositories = [ground.home, *([ground.store] if ground.store else []), *ground.clones()]
    for repository in repositories:
        told = subprocess.run(
            ["git", "-C", repository, "fsck", "--strict", "--no-dangling"], capture_output=True, text=True, check=False
        )
        assert told.returncode == 0, f"{repository}: {told.stdout}{told.stderr}"
    deadline = time.monotonic() + _ENDING
    while (stale := sorted(map(str, _stale(ground)))) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not stale, f"left behind: {stale}"


def _stale(ground: Ground) -> Iterator[Path]:
    """Find what no living process needs."""
    yield from (ground.folder / "memory").iterdir()
    yield from (ground.folder / "tmp").iterdir()
    for clone in ground.clones():
        yield from (path for path in clone.parent.iterdir() if path.name.startswith("."))
    for place in (ground.home, *ground.clones()):
        for pattern in _STALE:
            yield from (path for path in place.rglob(pattern) if path.name not in _LASTING)
        yield from place.rglob("gitops/moves/*")
