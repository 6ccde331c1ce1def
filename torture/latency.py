"""How long a person waits: from a push to the status commit that answers it, while four people push every two seconds.

The four daemons of `writers` answer, over HTTP. A witness looks at the branch on the server, and notes when each tip is
first seen; so the figures are those of a person who asks for status, and have nothing of the clocks of others in them.
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

import pygit2
from support import oracle
from support.definitions import configmap, work
from support.platform import Platform
from support.servers import Servers

from torture import writers
from torture.arena import Arena, Campaign
from torture.people import Contributor, way

WORST = 10.0  # seconds in which 99 of 100 pushes must be answered
_EVERY = 2.0  # seconds between two pushes of a person
_ROUNDS = 45  # pushes of each person
_KIND = "http"
_LOOK = 0.01  # seconds between two looks of the witness

Seen = list[tuple[float, str]]
"""When the branch was first seen at a commit, oldest first."""


def run(arena: Arena) -> None:
    with TemporaryDirectory(prefix="gitops-") as folder, Servers(Path(folder)) as servers:
        for kind in writers.reachable(arena, servers, [_KIND]):
            for seed, chance in arena.attempts("latency", 1):
                with arena.attempt(seed):
                    _tell(arena, sorted(measure(arena, servers, kind, chance, arena.times(_ROUNDS, least=3))))


def _tell(arena: Arena, waits: Sequence[float]) -> None:
    arena.counts["pushes"] += len(waits)
    p50, p99 = (waits[round((len(waits) - 1) * part)] for part in (0.5, 0.99))
    arena.notes.append(f"from a push to its status: p50 {p50:.1f} s, p99 {p99:.1f} s, max {waits[-1]:.1f} s")
    assert p99 <= WORST, arena.notes[-1]


def measure(arena: Arena, servers: Servers, kind: str, chance: random.Random, rounds: int) -> Iterator[float]:
    """Yield how long each push waited for its status, in seconds."""
    platform = writers.repository(servers, chance)
    with TemporaryDirectory(dir=arena.folder) as name, ExitStack() as held:
        folder = Path(name)
        running = [held.enter_context(one) for one in writers.started(servers, kind, folder, 4)]
        to = way(servers, kind, "home")
        people = [Contributor(folder, each, to, random.Random(each)) for each in writers.NAMES]
        for one in running:
            one.await_start()
        writers.begin(people[0], "main")
        writers.rest(platform, "main")
        with _witness(platform) as seen:
            with ThreadPoolExecutor(len(people)) as threads:
                for done in [threads.submit(_push_now_and_then, person, rounds) for person in people]:
                    done.result()
            writers.rest(platform, "main")
            time.sleep(10 * _LOOK)
        for one in running:
            one.end()
    return _waits(platform.repo, [tip for person in people for tip in person.pushed[-rounds:]], seen)


def _push_now_and_then(person: Contributor, rounds: int) -> None:
    """Change the own Work every other second, each time to what it never was."""
    for number in range(rounds):
        begun = time.monotonic()
        person.fetch()
        person.start_over()
        name = person.name
        made = work(name, {f"{name}.yaml": configmap(name, str(number))}, promise=name, env="dev")
        person.clone.commit({f"works/{name}.yaml": made}, by=person.person)
        assert person.publish()
        time.sleep(max(0.0, _EVERY - (time.monotonic() - begun)))


@contextmanager
def _witness(platform: Platform) -> Iterator[Seen]:
    """Note where the branch is, again and again."""
    seen: Seen = []
    over = threading.Event()

    def look() -> None:
        own = Platform(platform.path)
        while not over.wait(_LOOK):
            tip = own.tip()
            if tip and (not seen or seen[-1][1] != tip):
                seen.append((time.monotonic(), tip))

    with ThreadPoolExecutor(1) as threads:
        done = threads.submit(look)
        try:
            yield seen
        finally:
            over.set()
        done.result()


def _waits(repo: pygit2.Repository, pushed: Sequence[str], seen: Seen) -> Iterator[float]:
    for commit in pushed:
        there = [(when, tip) for when, tip in seen if tip == commit or repo.descendant_of(tip, commit)]
        answered = next(when for when, tip in there if oracle.is_status(repo[tip].peel(pygit2.Commit)))
        yield answered - there[0][0]


LATENCY = Campaign("latency", "While four people push every two seconds, status answers 99 of 100 within 10 s.", run)
