"""Servers in memory, and the git command as it talks to them: what it prints, and all that can go wrong on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from gitops.core.tree import Oid
from gitops.errors import TransportError
from gitops.git.transport import PATIENCE, Done, Transport
from torture.simulation.memory import Host, closure, parents
from torture.simulation.process import Luck

_CUT = Done(128, "", "fatal: the remote end hung up unexpectedly")
_GONE = Done(128, "", "fatal: unable to access: Failed to connect to host: Connection refused")
_VERBS = ("ls-remote", "fetch", "push")


class ForcedError(AssertionError):
    """A daemon moved a branch to what was not built upon what stood there, or is not all there."""


class Server:
    """Serves a Host at *url*. It may be away, refuse every push, or show what stood there some time ago."""

    def __init__(self, host: Host, url: str) -> None:
        self.host, self.url = host, url
        self.away = self.refuses = False
        self.lags: dict[str, Oid] | None = None

    def recover(self) -> None:
        """Be well again."""
        self.away = self.refuses = False
        self.lags = None

    def shown(self) -> dict[str, Oid]:
        """The refs that it tells of."""
        return self.host.refs if self.lags is None else self.lags


def advance(host: Host, ref: str, new: Oid) -> None:
    """Move *ref* of *host* for a daemon, who may only build upon what is there."""
    old = host.refs.get(ref)
    try:
        history = set(closure(host.objects, [new], ()))
    except KeyError as error:
        raise ForcedError(f"{ref} of {host.name} would lead to {new.hex()}, which is not all there") from error
    if old and old not in history:
        raise ForcedError(f"{ref} of {host.name} was forced from {old.hex()} to {new.hex()}")
    if len(parents(host.objects[new][1])) > 1:
        raise ForcedError(f"{ref} of {host.name} was moved to a merge, {new.hex()}")
    host.refs[ref] = new


class Git(Transport):
    """The git command in a repository in memory, for the *server* that it is called to talk to."""

    def __init__(self, here: Host, server: Server, line: Line) -> None:
        self._here, self._server, self._line = here, server, line

    def run(self, scheme: str, *arguments: str, environment: Mapping[str, str]) -> Done:
        if "fsck" in arguments:
            return self._check()
        verb = next((argument for argument in arguments if argument in _VERBS), "")
        return self._talk(verb, arguments) if verb else Done(0, "", "")

    def _check(self) -> Done:
        """See whether all that is there can be read, and all that is reachable is there."""
        try:
            list(closure(self._here.objects, self._here.refs.values(), ()))
        except KeyError as missing:
            return Done(2, "", f"missing {missing}")
        damaged = self._here.damaged
        return Done(1 if damaged else 0, "", "error: an object is corrupt" if damaged else "")

    def _talk(self, verb: str, arguments: tuple[str, ...]) -> Done:
        rest = arguments[arguments.index("--") + 2 :]
        line, where = self._line, f"{verb} {self._server.host.name}"
        line.reach(where)
        if self._server.away or line.luck.strikes("unreachable"):
            line.tell(f"{where}: connection refused")
            return _GONE
        if line.luck.strikes("hangs"):
            line.tell(f"{where}: no answer until time-out")
            line.sleep(PATIENCE.silence)
            raise TransportError(f"it has not answered for {PATIENCE.silence:g} s")
        done = {"ls-remote": self._list, "fetch": self._fetch, "push": self._push}[verb](arguments, rest)
        line.reach(f"{where}, done")
        if line.luck.strikes("answer lost"):
            line.tell(f"{where}: done, but the answer is lost")
            return _CUT
        return done

    def _list(self, _: tuple[str, ...], refs: tuple[str, ...]) -> Done:
        shown = self._server.shown()
        return Done(0, "".join(f"{shown[ref].hex()}\t{ref}\n" for ref in refs if ref in shown), "")

    def _fetch(self, _: tuple[str, ...], specs: tuple[str, ...]) -> Done:
        there, shown, mine = self._server.host, self._server.shown(), self._here
        for spec in specs:
            ref, _, tracking = spec.removeprefix("+").partition(":")
            if ref not in shown:
                return Done(128, "", f"fatal: couldn't find remote ref {ref}")
            for oid in closure(there.objects, [shown[ref]], mine.objects.keys()):
                mine.objects[oid] = there.objects[oid]
            mine.refs[tracking] = shown[ref]
        return Done(0, "", "")

    def _push(self, arguments: tuple[str, ...], specs: tuple[str, ...]) -> Done:
        there = self._server.host
        leases = dict(_leases(arguments))
        for spec in specs:
            ref = spec.partition(":")[2]
            if ref in leases and leases[ref] != there.refs.get(ref):
                return Done(1, f"!\t{spec}\t[rejected] (stale info)\n", "")
        if self._server.refuses or self._line.luck.strikes("refused"):
            self._line.tell(f"push {there.name}: a hook says no")
            return Done(1, "".join(f"!\t{spec}\t[remote rejected] (pre-receive hook declined)\n" for spec in specs), "")
        for spec in specs:
            source, _, ref = spec.partition(":")
            if not source:
                there.refs.pop(ref, None)
            elif not self._send(bytes.fromhex(source), ref):
                return Done(128, "", f"fatal: bad object {source}")
        return Done(0, "", "")

    def _send(self, new: Oid, ref: str) -> bool:
        there, mine = self._server.host, self._here
        try:
            found = {oid: mine.objects[oid] for oid in closure(mine.objects, [new], there.objects.keys())}
        except KeyError:
            return False
        if mine.damaged & found.keys():
            return False
        there.objects |= found
        if ref.startswith("refs/heads/"):
            self._line.tell(f"push {there.name}: {ref.removeprefix('refs/heads/')} to {new.hex()[:7]}")
            advance(there, ref, new)
        else:
            there.refs[ref] = new
        return True


def _leases(arguments: tuple[str, ...]) -> Iterator[tuple[str, Oid | None]]:
    for argument in arguments:
        if argument.startswith("--force-with-lease="):
            ref, _, old = argument.partition("=")[2].partition(":")
            yield ref, bytes.fromhex(old) if old else None


class Line(NamedTuple):
    """What a remote needs of the process that it is in."""

    luck: Luck
    reach: Callable[[str], None]
    sleep: Callable[[float], None]
    tell: Callable[[str], None]
