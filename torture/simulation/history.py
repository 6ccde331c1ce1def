"""One history: a seed decides who is there, what each does, in which order, and what goes wrong in the middle of it.

Each step draws from a chance of its own, made of the seed and its number: so steps can be left out, and the others stay
what they were.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import structlog
from support.platform import Clock
from support.vocabulary import Choose

from gitops.core.tree import Oid
from torture.simulation.daemons import SimulatedDaemon, Surroundings, Time
from torture.simulation.laws import Laws
from torture.simulation.memory import Host, Objects
from torture.simulation.people import People, acts
from torture.simulation.platforms import MemoryPlatform
from torture.simulation.process import Luck
from torture.simulation.servers import Server

FAULTS = (
    "held up", "killed", "disk fails", "locked", "unreachable", "hangs", "answer lost", "refused", "slow",
)  # fmt: skip
_ODDS = (0.0, 0.0, 0.01, 0.03, 0.08)
_ROUNDS = 8  # passes after which a daemon that nobody disturbs must have come to rest
_LONG = 10_000.0  # seconds, after which everything is tried again

Tips = dict[str, dict[str, Oid]]


@dataclass
class Told:
    """What a history leaves: what was done, what was found, how often what went wrong, and where all branches stand."""

    trace: list[str] = field(default_factory=list)
    finding: Exception | None = None
    tips: Tips = field(default_factory=dict)
    length: int = 0
    counts: Counter[str] = field(default_factory=Counter)


class History:
    """The world of one seed."""

    def __init__(self, seed: str) -> None:
        self._seed, self.told = seed, Told()
        chance = random.Random(seed)
        self.told.length = chance.randint(20, 40)
        self._luck = Luck({fault: chance.choice(_ODDS) for fault in FAULTS}, self.told.trace.append, self.told.counts)
        self._hosts = {"": Host("home")}
        self._hosts |= {f"https://git.example.org/{name}": Host(name) for name in "st"[: chance.choice([0, 0, 1, 2])]}
        servers = {address: Server(host, address) for address, host in self._hosts.items() if address}
        origin = Server(self._hosts[""], "https://git.example.org/home") if chance.random() < 0.5 else None
        self._around = Surroundings(Time(), self._luck, self._hosts[""], origin, servers)
        self._servers = [*servers.values(), *([origin] if origin else [])]
        self._daemons = [
            SimulatedDaemon(f"daemon {number}", self._around, chance.choice([0.0, 0.0, 1.0, -3600.0]))
            for number in range(chance.choice([1, 2, 2, 3]))
        ]
        output = chance.choice(["", "", "out"])
        clock = self._around.time.clock
        platforms = {address: MemoryPlatform({"": host}, clock) for address, host in self._hosts.items()}
        self._laws = Laws(MemoryPlatform(self._hosts, clock), output or "main")
        self._people = People(platforms, self._laws)
        self._people.begin(chance.choice, output)
        self._steps = [*acts(self._people), *self._circumstances()]
        self._weights = [weight * chance.choice([0, 1, 1, 2]) for _, weight in self._steps]
        self._steps.append((self._wake, 0))
        self._weights.append(sum(self._weights) + 1)

    def run(self, steps: Sequence[int] | None = None) -> Told:
        """Let it happen, or only some of its *steps*."""
        with _logs(self._luck.tell):
            try:
                for number in steps if steps is not None else range(self.told.length):
                    self._step(number)
                self._begin_step("the end")
                self._quiet()
            except Exception as finding:
                self.told.finding = finding
            finally:
                for daemon in self._daemons:
                    daemon.process.kill()
        self.told.tips = self._tips()
        return self.told

    def _step(self, number: int) -> None:
        chance = self._begin_step(str(number))
        self.told.counts["steps"] += 1
        self._around.time.clock.advance(chance.choice([0, 1, 1, 60, 3600]))
        ((act, _),) = chance.choices(self._steps, self._weights)
        if said := act(chance.choice):
            self._luck.tell(f"  {said}")

    def _begin_step(self, number: str) -> random.Random:
        self._luck.tell(f"{number} at {self._around.time.clock.now:%d %H:%M:%S}")
        return self._luck.begin(f"{self._seed}/{number}")

    # what else happens

    def _circumstances(self) -> Sequence[tuple[Callable[[Choose], str], int]]:
        return [
            (self._rest_for_a_while, 2),
            (self._restart, 3),
            (self._set_clock, 2),
            (self._trouble_a_server, 4),
            (self._lag, 2),
            (self._lose_clone, 1),
            (self._damage, 1),
            (self._collect_garbage, 1),
        ]

    def _wake(self, choose: Choose) -> str:
        daemon = choose(self._daemons)
        self._luck.tell(f"  {daemon.name} {'goes on' if daemon.process.busy else 'wakes'}")
        daemon.wake()
        return ""

    def _rest_for_a_while(self, _: Choose) -> str:
        self._quiet()
        return "all is well"

    def _restart(self, choose: Choose) -> str:
        daemon, anew = choose(self._daemons), choose([True, False])
        daemon.stop()
        daemon.start(anew=anew)
        return f"{daemon.name} is restarted {'anew' if anew else 'with what it kept'}"

    def _set_clock(self, choose: Choose) -> str:
        daemon = choose(self._daemons)
        daemon.skew = choose([0.0, -86_400.0, -1.0, 5.0, 86_400.0])
        return f"the clock of {daemon.name} is {daemon.skew:g} s off"

    def _trouble_a_server(self, choose: Choose) -> str:
        if not self._servers:
            return ""
        server = choose(self._servers)
        if server.away or server.refuses:
            server.recover()
            return f"{server.host.name} is well again"
        server.away = choose([True, False])
        server.refuses = not server.away
        return f"{server.host.name} {'goes away' if server.away else 'refuses every push'}"

    def _lag(self, choose: Choose) -> str:
        if not self._servers:
            return ""
        server = choose(self._servers)
        server.lags = dict(server.host.refs) if server.lags is None else None
        return f"{server.host.name} {'shows what it was from now on' if server.lags else 'shows what it is'}"

    def _lose_clone(self, choose: Choose) -> str:
        daemon = choose(self._daemons)
        daemon.lose_clone()
        return f"{daemon.name} loses its clone"

    def _damage(self, choose: Choose) -> str:
        daemon = choose(self._daemons)
        found = daemon.damage(choose(range(10_000)))
        return f"object {found} in the clone of {daemon.name} is damaged" if found else ""

    def _collect_garbage(self, choose: Choose) -> str:
        host = choose(list(self._hosts.values()))
        return f"garbage is collected in {host.name}: {host.collect_garbage()} objects"

    # when nothing disturbs

    def _quiet(self) -> None:
        """Let faults end and all come to rest, and judge."""
        self._luck.calm = True
        for server in self._servers:
            server.recover()
        for daemon in self._daemons:
            if daemon.process.busy:
                daemon.wake()
        self._laws.single_commits()
        self._settle(self._luck.chance.choice(self._daemons))
        self._luck.calm = False

    def _settle(self, daemon: SimulatedDaemon) -> None:
        before, shown = self._tips(), self._trees if self._laws.abandons else self._seen
        kept = daemon.unreachable(set().union(*(host.reachable() for host in self._hosts.values())))
        self._rest(daemon)
        self._laws.undisturbed()
        after = self._tips()
        newcomer = self._newcomer(before, {}, daemon.skew)
        if kept and shown(self._tips()) != shown(after):
            newcomer = self._newcomer(before, kept, daemon.skew)
            self.told.counts["documents that only a clone had"] += 1
        self._expect(after, "a daemon that has seen nothing comes to another result", shown)
        after = self._tips()
        for other in (*self._daemons, newcomer):
            self._around.time.skip(_LONG)
            assert other.wake(), f"{other.name} fails although nothing disturbs it"
            self._expect(after, f"{other.name} writes although nothing has changed", self._seen)

    def _newcomer(self, tips: Tips, objects: Objects, skew: float) -> SimulatedDaemon:
        """Let one who knows nothing answer *tips*.

        KNOWN: the last good documents of who is held back may be in a clone alone, when people have made their branch
        anew; whose clone has such *objects* puts the documents back, and nobody else can.
        """
        newcomer = SimulatedDaemon("newcomer", self._around, skew)
        newcomer.inherit(objects)
        self._put(tips)
        self._rest(newcomer)
        return newcomer

    def _rest(self, daemon: SimulatedDaemon) -> None:
        for _ in range(_ROUNDS):
            before = self._tips()
            self._around.time.skip(_LONG)
            assert daemon.wake(), f"{daemon.name} fails although nothing disturbs it"
            if self._seen(self._tips()) == self._seen(before):
                return
        raise AssertionError(f"{daemon.name} does not come to rest")

    def _tips(self) -> Tips:
        return {address: host.tips() for address, host in self._hosts.items()}

    def _seen(self, tips: Tips) -> Tips:
        return {address: tips[address] for address in self._laws.seen}

    def _trees(self, tips: Tips) -> Tips:
        """What stands on all branches, whatever their commits say."""
        repo = MemoryPlatform(self._hosts, Clock()).repo
        return {
            address: {branch: repo[tip.hex()].tree.id.raw for branch, tip in branches.items()}
            for address, branches in self._seen(tips).items()
        }

    def _put(self, tips: Tips) -> None:
        for address, host in self._hosts.items():
            host.put(tips[address])

    def _expect(self, tips: Tips, otherwise: str, shown: Callable[[Tips], Tips]) -> None:
        now = self._tips()
        if shown(now) != shown(tips):
            raise AssertionError(f"{otherwise}\n{self._difference(tips, now)}")

    def _difference(self, wanted: Tips, found: Tips) -> str:
        everything = MemoryPlatform(self._hosts, Clock())
        return "\n".join(_differences(everything, wanted, found))


def _differences(everything: MemoryPlatform, wanted: Tips, found: Tips) -> Iterator[str]:
    for address, tips in wanted.items():
        for branch in sorted(tips.keys() | found[address].keys()):
            old, new = tips.get(branch), found[address].get(branch)
            if old == new:
                continue
            yield f"{address}#{branch}: {old.hex() if old else None} and {new.hex() if new else None}"
            for tip in filter(None, (old, new)):
                yield everything.repo[tip.hex()].message
            one, other = (everything.files(at=tip.hex()) if tip else {} for tip in (old, new))
            for path in sorted(one.keys() | other.keys()):
                if one.get(path) != other.get(path):
                    yield f"{path}:\n{_text(one.get(path))}\n--- and ---\n{_text(other.get(path))}"


def _text(raw: bytes | None) -> str:
    return "(not there)" if raw is None else raw.decode()


@contextmanager
def _logs(tell: Callable[[str], None]) -> Iterator[None]:
    """Take what daemons log into the trace."""

    def log(_: object, method: str, event: dict[str, Any]) -> str:
        said = ", ".join(f"{key} {value}" for key, value in event.items() if key not in ("event", "reason") and value)
        tell(f"    {threading.current_thread().name}: {event['event']}: {said}")
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(processors=[log], wrapper_class=structlog.BoundLogger)
    try:
        yield
    finally:
        structlog.configure(**before)
