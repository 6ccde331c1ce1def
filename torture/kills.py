"""kill -9: at random moments of a thousand passes, and at every named point between any two effects."""

from __future__ import annotations

import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Any

from support.definitions import store
from support.servers import Servers

from torture.aftermath import Alike, Case, judge, undisturbed
from torture.arena import Arena, Campaign
from torture.changes import Contributor, base, make
from torture.grounds import KINDS, Ground
from torture.lanes import Job, run_in_lanes
from torture.points import HOOKS, moments
from torture.scenes import Tree

_KILLED = {  # attempts; in some more than one pass is killed, so that with the daemons it is a thousand passes
    "local": 160, "tree": 120, "http": 90, "ssh": 40, "local-store": 80, "tree-store": 50, "http-store": 50,
    "ssh-store": 15, "local-two": 65, "http-two": 40, "ssh-two": 10,
}  # fmt: skip
_STOPPED = {"local": 30, "tree": 20, "http": 20, "ssh": 10, "http-store": 20}  # passes that are told to end
_DAEMONS = {"local": 60, "local-store": 20, "local-two": 20, "http": 20, "http-two": 20, "ssh": 10}
_SWEPT = ("local", "tree", "http", "ssh", "local-store", "http-store")
_OF_EACH = 2  # moments of one name that the sweep tries, besides the last
_HISTORIES = 24  # of each kind, in which a pass is killed
_END = 5.0  # seconds within which a daemon that is told to end has ended
_PROGRAMS = {"http": ("nginx", "fcgiwrap"), "ssh": ("sshd",)}
_PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"


class Lane:
    """Where attempts run one after the other, each on a ground of its kind that is as if nothing had happened there."""

    def __init__(self, folder: Path, servers: Servers, name: str) -> None:
        self._folder, self._servers, self._name = folder, servers, name
        self._grounds: dict[str, Ground] = {}
        self._cases: dict[tuple[str, str], Case] = {}

    def close(self) -> None:
        for ground in self._grounds.values():
            ground.close()

    def serve(self, kind: str) -> None:
        """Start the server that grounds of *kind* need; all lanes share it."""
        if KINDS[kind].home in _PROGRAMS:
            self._servers.url(KINDS[kind].home, self._name)

    def case(self, kind: str, history: str, *, many: bool = False) -> Case:
        """Return a history on a ground of *kind*: people have committed something, and the daemons are to answer."""
        if (kind, history) not in self._cases:
            ground, chance = self._settled(kind), random.Random(f"{kind} {history}")
            if chance.random() < 0.3:
                ground.forget_clones()
            platform = ground.platform
            make(platform, chance, store=ground.kind.store, many=many)
            if isinstance(platform, Tree):
                platform.edit()
            ground.clock.advance(60)
            self._cases[kind, history] = undisturbed(ground, history)
        return self._cases[kind, history]

    def _settled(self, kind: str) -> Ground:
        """Return a ground of *kind* as it is after the first pass."""
        if kind not in self._grounds:
            name = f"{self._name}-{kind}"
            ground = self._grounds[kind] = Ground(KINDS[kind], self._folder / name, self._servers, name)
            ground.platform.commit(base(_store(ground)), "Begin")
            for number in range(ground.kind.daemons):
                ran = ground.run(number)
                assert ran.code == 0, ran.said
            ground.clock.advance(60)
            ground.save("settled")
            self._now = ground.clock.now
        ground = self._grounds[kind]
        ground.restore("settled")
        ground.clock.now = self._now
        return ground


def _store(ground: Ground) -> Any:
    if not ground.kind.store:
        return None
    made = store("fleet", "main", "clusters")
    secret = {"secretRef": {"name": "fleet"}} if ground.transport != "file" else {}
    method = "ssh" if ground.transport == "ssh" else "basicAuth"
    made["spec"] |= {"url": ground.store_url, "authMethod": method, **secret}
    return made


def _kill(kind: str, arena: Arena, lane: Lane, chance: random.Random) -> None:
    """Kill passes at random moments: of one daemon or of all, the one that mends what the last one left, too."""
    case = lane.case(kind, str(chance.randrange(_HISTORIES)))
    ground = case.again()
    for _ in range(chance.choice([1, 1, 1, 2, 4])):
        pids = [ground.begin(number) for number in range(ground.kind.daemons)]
        time.sleep(chance.uniform(0, 1.05) * case.ran.seconds * len(pids))
        _kill_some(arena, ground, pids, chance)
    _judge(arena, case, chance, "the moment")


def _kill_daemon(kind: str, arena: Arena, lane: Lane, chance: random.Random) -> None:
    """Kill daemons that have made passes already, while people commit."""
    case = lane.case(kind, str(chance.randrange(_HISTORIES)))
    ground = case.again()
    pids = [ground.begin(number, once=False) for number in range(ground.kind.daemons)]
    for _ in range(chance.randint(1, 3)):
        time.sleep(chance.uniform(0, 2) * case.ran.seconds)
        Contributor(ground.home, ground.clock).change(chance, store=ground.kind.store)
    time.sleep(chance.uniform(0, 2) * case.ran.seconds)
    _kill_some(arena, ground, pids, chance, always=True)
    _judge(arena, case, chance, "the moment", Alike.LAWS)


def _kill_some(arena: Arena, ground: Ground, pids: list[int], chance: random.Random, *, always: bool = False) -> None:
    """Kill the first of the daemons, or all, with or without what they have started."""
    for pid in pids if always or chance.random() < 0.5 else pids[:1]:
        _signal(pid, signal.SIGKILL)
    codes = [ground.end(number) for number in range(len(pids))]
    assert all(code in (0, -signal.SIGKILL) for code in codes), [ground.said(number) for number in range(len(pids))]
    arena.counts["passes killed"] += codes.count(-signal.SIGKILL)
    if chance.random() < 0.5:
        ground.orphans(kill=True)


def _stop(kind: str, arena: Arena, lane: Lane, chance: random.Random) -> None:
    """Tell a daemon to end at a random moment: it does so soon, and leaves no lock and no process."""
    case = lane.case(kind, str(chance.randrange(_HISTORIES)))
    ground = case.again()
    pid = ground.begin()
    time.sleep(chance.uniform(0, 1.05) * case.ran.seconds)
    told = time.monotonic()
    _signal(pid, signal.SIGTERM)
    code = ground.end()
    assert time.monotonic() - told < _END, f"it took {time.monotonic() - told:.1f} s to end"
    assert code in (0, 1, -signal.SIGTERM, 128 + signal.SIGTERM), (code, ground.said())
    assert "Traceback" not in ground.said(), ground.said()
    arena.counts["passes told to end"] += 1
    assert not (locks := ground.locks()) or code == -signal.SIGTERM, locks
    _judge(arena, case, chance, "SIGTERM")


def sweep(kind: str, point: str, arena: Arena, lane: Lane, chance: random.Random) -> None:
    """Kill a daemon at a named point."""
    case = lane.case(kind, "sweep", many=True)
    ground = case.again()
    with ground.deadly_hook(point) if point in HOOKS else nullcontext():
        ran = ground.run(fatal=point)
    assert ran.code in (0, -signal.SIGKILL), ran.said
    if chance.random() < 0.5:
        ground.orphans(kill=True)
    arena.counts["points at which one was killed"] += ran.code != 0
    _judge(arena, case, chance, point)


def _judge(arena: Arena, case: Case, chance: random.Random, point: str, alike: Alike = Alike.BYTES) -> None:
    ground, platform = case.ground, case.ground.platform
    arena.counts["documents and status files compared"] += sum(map(len, case.wanted.files.values()))
    arena.counts["events looked for"] += case.wanted.events.total()
    last = ground.crossed()[-3:]
    if chance.random() < 0.5:
        ground.clock.advance(60)
        alike = min(alike, Alike.LOG)
    if not ground.one_address:
        alike = min(alike, Alike.LOG)
    if isinstance(platform, Tree) and chance.random() < 0.5 and platform.commit_own():
        alike = min(alike, Alike.CONTENT)
    try:
        judge(case, alike, cold=chance.random() < 0.25)
    except Exception as error:
        error.add_note(f"killed at {point}, after {last}; compared: {alike.name}")
        raise


def _signal(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _jobs(arena: Arena, lane: Lane) -> Iterator[Job[Lane]]:
    """List all attempts."""
    for act, wanted in ((_kill, _KILLED), (_kill_daemon, _DAEMONS), (_stop, _STOPPED)):
        for kind in _possible(arena, wanted):
            for seed, _ in arena.attempts(f"{act.__name__[1:]}-{kind}", wanted[kind], least=0):
                lane.serve(kind)
                yield Job(seed, partial(act, kind))
    for kind in _possible(arena, _SWEPT):
        if not arena.only or arena.only.startswith(f"sweep-{kind}-"):
            lane.serve(kind)
            yield from _points(arena, lane, kind)


def _points(arena: Arena, lane: Lane, kind: str) -> Iterator[Job[Lane]]:
    """List the points that a pass on a ground of *kind* comes to; of a smaller run some."""
    found = moments(lane.case(kind, "sweep", many=True).ran.crossed, _OF_EACH)
    arena.notes.append(f"{kind}: {len({one.partition('#')[0] for one in found})} named points, {len(found)} moments")
    chance = random.Random(f"{arena.seed} {kind}")
    for point in chance.sample(found, arena.times(len(found), least=0)) if arena.scale < 1 else found:
        seed = f"sweep-{kind}-{point}"
        if arena.only in ("", seed):
            yield Job(seed, partial(sweep, kind, point))


def _possible(arena: Arena, kinds: Any) -> Iterator[str]:
    for kind in kinds:
        if missing := _missing(kind):
            arena.notes.append(f"{kind} was not tried: {missing[0]} is not installed")
        else:
            yield kind


def _missing(kind: str) -> list[str]:
    return [name for name in _PROGRAMS.get(KINDS[kind].home, ()) if not shutil.which(name, path=_PATH)]


def _run(arena: Arena) -> None:
    with tempfile.TemporaryDirectory(prefix="gk-", dir=arena.folder) as short, Servers(Path(short)) as servers:
        run_in_lanes(arena, _jobs, lambda number: Lane(arena.folder, servers, str(number)))


KILLS = Campaign(
    "kills",
    "kill -9 at any moment of a pass loses nothing, doubles nothing, leaves nothing behind, and needs nobody",
    _run,
)
