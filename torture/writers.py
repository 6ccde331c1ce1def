"""Eight writers on one branch: four daemons answer four people, who commit, rebase, merge and push as fast as they can.

Meanwhile a daemon is frozen for a while (SIGSTOP), or begins again, now and then with the disk of a while ago. What was
acknowledged must be there in the end, and the reflog of the server shows how it got there.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from support import model, oracle
from support.platform import Platform
from support.servers import Servers

from torture import habits
from torture.arena import Arena, Campaign
from torture.people import Contributor, way
from torture.processes import Daemon, secrets

KINDS = ("file", "http", "ssh")
NAMES = ["ada", "bob", "cyd", "dan"]
PUSHES = 100  # of people, in one attempt
_DAEMONS = 4
_INTERVAL = "1s"
_PATIENCE = 120.0  # seconds after the last push, in which all must come to rest


def run(arena: Arena) -> None:
    """Do it over each protocol, in repositories of their own."""
    with TemporaryDirectory(prefix="gitops-") as folder, Servers(Path(folder)) as servers:  # sockets want a short path
        for kind in reachable(arena, servers, KINDS):
            pushes = min(PUSHES, arena.times(10 * PUSHES))
            for seed, chance in arena.attempts(kind, 10):
                with arena.attempt(seed):
                    crowd(arena, servers, kind, chance, pushes)


def reachable(arena: Arena, servers: Servers, kinds: Sequence[str]) -> Iterator[str]:
    """Leave out the protocols whose server is not installed here, and say so."""
    for kind in kinds:
        try:
            servers.url(kind, "")
        except pytest.skip.Exception as missing:
            arena.notes.append(f"nothing was done over {kind}: {missing}")
        else:
            yield kind


def crowd(
    arena: Arena, servers: Servers, kind: str, chance: random.Random, pushes: int, daemons: int = _DAEMONS
) -> None:
    """Let all of them loose on a new repository until people have pushed *pushes* times; then judge."""
    home = chance.choice(["main", "main", "out"])
    platform = repository(servers, chance)
    with TemporaryDirectory(dir=arena.folder) as name, ExitStack() as held:
        folder = Path(name)
        running = [held.enter_context(one) for one in started(servers, kind, folder, daemons)]
        people = [Contributor(folder, name, way(servers, kind, "home"), _own(chance)) for name in NAMES]
        for one in running:
            one.await_start()
        begin(people[0], home)
        with mischief(running, _own(chance)):
            _work(people, pushes)
        rest(platform, home)
        for one in running:
            one.end()
    judge(platform, home, people)
    _count(arena, platform, home, kind, people)


def repository(servers: Servers, chance: random.Random) -> Platform:
    """Make the repository, empty; its HEAD may name something else, or nothing: that is nobody's business."""
    platform = Platform(servers.make("home"))
    platform.git("config", "core.logAllRefUpdates", "always")
    for git_does in ("gc", "maintenance"):  # nothing of it may go on when the repository is removed
        platform.git("config", f"{git_does}.autoDetach", "false")
    platform.git("symbolic-ref", "HEAD", chance.choice(["refs/heads/main", "refs/heads/main", "refs/heads/nowhere"]))
    return platform


def started(servers: Servers, kind: str, folder: Path, number: int) -> Iterator[Daemon]:
    """The daemons; one of them works in the repository itself where that is on this machine."""
    options = ["--secrets", str(secrets(servers, kind)), "--branch", "main"]
    for each in range(number):
        inside = kind == "file" and each == 0
        where = str(servers.path("home")) if inside else servers.url(kind, "home")
        yield Daemon(folder, f"daemon-{each}", ["--repo", where, *options, "run", "--verbose", "--interval", _INTERVAL])


def _own(chance: random.Random) -> random.Random:
    return random.Random(chance.random())


def begin(person: Contributor, home: str) -> None:
    person.clone.commit(habits.first(NAMES, home if home != "main" else ""), "Begin", person.person)
    assert person.publish()


def _work(people: Sequence[Contributor], pushes: int) -> None:
    """All at once, until it is enough."""
    left = iter(range(pushes))
    lock = threading.Lock()

    def take() -> bool:
        with lock:
            return next(left, None) is not None

    with ThreadPoolExecutor(len(people)) as threads:
        for done in [threads.submit(_contribute, person, take) for person in people]:
            done.result()


def _contribute(person: Contributor, take: object) -> None:
    assert callable(take)
    while take():
        published = False
        while not published:
            person.fetch()
            person.start_over()
            for _ in range(person.chance.choice([1, 1, 1, 2, 3])):
                habits.act(person)
            published = person.publish()


@contextmanager
def mischief(daemons: Sequence[Daemon], chance: random.Random) -> Iterator[None]:
    """Meanwhile, freeze daemons, or begin them again; all of them run in the end. What went wrong is raised then."""
    over = threading.Event()

    def disturb() -> None:
        while not over.wait(chance.uniform(0.2, 1.5)):
            chance.choice([_freeze, _freeze, _freeze, _restart, _back_up])(chance.choice(daemons), over, chance)

    with ThreadPoolExecutor(1) as threads:
        done = threads.submit(disturb)
        try:
            yield
        finally:
            over.set()
        done.result()


def _freeze(daemon: Daemon, over: threading.Event, chance: random.Random) -> None:
    daemon.freeze()
    over.wait(chance.uniform(0.1, 3.0))
    daemon.thaw()


def _restart(daemon: Daemon, over: threading.Event, chance: random.Random) -> None:
    daemon.end()
    if chance.random() < 0.5:
        daemon.restore()
    daemon.begin()


def _back_up(daemon: Daemon, over: threading.Event, chance: random.Random) -> None:
    daemon.freeze()
    daemon.back_up()
    daemon.thaw()


def rest(platform: Platform, home: str) -> None:
    """Wait until a daemon that has seen nothing would find nothing to do."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        before = platform.tip(home)
        planned = platform.reconciler().plan() if before else None
        if planned and not planned.writes and platform.tip(home) == before:
            return
        wanted = [str(key) for key in planned.plan.decided] if planned else []
        assert time.monotonic() < deadline, f"{home} is at {before}, and there is still something to do: {wanted}"
        time.sleep(0.3)


# the laws


def judge(platform: Platform, home: str, people: Sequence[Contributor]) -> None:
    """Everything that the promise says, of a repository in which all began from nothing."""
    nothing_is_forced(platform, home)
    _all_is_there(platform, people)
    scene = oracle.judge(platform, oracle.Scene(home, {}, {}))
    model.judge(platform, scene)
    for _ in range(2):
        platform.reconciler().reconcile()
        assert oracle.look(platform, home).tips == scene.tips, "the next pass writes something"
    assert platform.git("fsck", "--strict", "--no-dangling") == ""


def nothing_is_forced(platform: Platform, home: str) -> None:
    """Each update of a branch goes on from the one before, and where it was."""
    for branch in {"main", home}:
        last = "0" * 40
        for line in (platform.path / "logs/refs/heads" / branch).read_text().splitlines():
            old, new = line.split(" ", 2)[:2]
            assert old == last, f"{branch} was at {last}, and {new} says that it was at {old}"
            assert set(old) == {"0"} or platform.repo.descendant_of(new, old), f"{branch} was forced to {new}"
            last = new
        assert last == platform.tip(branch)


def _all_is_there(platform: Platform, people: Sequence[Contributor]) -> None:
    there = {str(commit.id) for commit in platform.log()}
    for person in people:
        lost = [commit for commit in person.pushed if commit not in there]
        assert not lost, f"{person.name} pushed {lost}, and they are gone"


def _count(arena: Arena, platform: Platform, home: str, kind: str, people: Sequence[Contributor]) -> None:
    arena.counts[f"pushes of people ({kind})"] += sum(len(person.pushed) for person in people)
    arena.counts["refused and repeated"] += sum(person.refused for person in people)
    written = [commit for commit in platform.log(home) if oracle.is_status(commit)]
    arena.counts["answers of daemons"] += len(written)
    arena.counts["events"] += sum(len(oracle.trailers(commit).get("Gitops-Event", ())) for commit in written)


WRITERS = Campaign(
    "writers",
    "Four daemons and four people on one branch: every commit of a person is there, every event once, nothing forced.",
    run,
)
