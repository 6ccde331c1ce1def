"""Platforms in memory: where people commit, and what the oracle looks at when it judges all repositories at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pygit2
import yaml
from support.platform import Clock, Platform

from gitops.core import urls
from gitops.core.tree import BLOB, COMMIT, TREE
from torture.simulation.memory import HEADS, Host

_NUMBERS = {COMMIT: 1, TREE: 2, BLOB: 3}
_KINDS = {number: kind for kind, number in _NUMBERS.items()}


class MemoryPlatform(Platform):
    """The repositories *hosts*, by their addresses; that of the platform itself has none. The first is written to."""

    def __init__(self, hosts: Mapping[str, Host], clock: Clock, branch: str = "main") -> None:
        self.hosts, self.clock, self.branch = hosts, clock, branch
        self.repo, objects = pygit2.Repository(), pygit2.Odb()
        self._kept = _Backend(list(hosts.values())), objects  # libgit2 keeps neither alive
        objects.add_backend(self._kept[0], 1)
        self.repo.set_odb(objects)
        self.hidden: set[str] = set()  # addresses, of which nothing is seen
        self._blobs: dict[str, dict[str, str]] = {}
        self._read: dict[str, dict[str, Any]] = {}

    def move(self, oid: str | None, branch: str = "") -> None:
        refs = self.hosts[""].refs
        if oid is None:
            del refs[HEADS + (branch or self.branch)]
        else:
            refs[HEADS + (branch or self.branch)] = bytes.fromhex(oid)

    def tip(self, branch: str = "") -> str | None:
        address, name = urls.split_branch(branch or self.branch)
        found = None if address in self.hidden else self.hosts[address].refs.get(HEADS + name)
        return found.hex() if found else None

    def tips(self) -> dict[str, str]:
        return {
            (urls.branch_at(address, name) if address else name): tip.hex()
            for address, host in self.hosts.items()
            if address not in self.hidden
            for name, tip in host.tips().items()
        }

    def blobs(self, prefix: str = "", at: str = "") -> dict[str, str]:
        tree = self._tree_of(at)
        if tree is None:
            return {}
        key = str(tree.id)
        if key not in self._blobs:
            self._blobs[key] = super().blobs("", at)
        return {path: blob for path, blob in self._blobs[key].items() if path.startswith(prefix)}

    def statuses(self, at: str = "") -> dict[str, dict[str, Any]]:
        found = {
            p.removeprefix("status/"): blob for p, blob in self.blobs("status/", at).items() if p.endswith(".yaml")
        }
        read = {path: self._parsed(blob) for path, blob in found.items() if path != "repository.yaml"}
        return {path: status for path, status in read.items() if "status" in status}  # people put others there

    def git(self, *arguments: str, given: str = "") -> str:
        """Of trailers as Git would print them if they are in order; whether they are, the laws' own tests ask Git."""
        assert arguments == ("interpret-trailers", "--parse")
        return given.rstrip("\n").rpartition("\n\n")[2] + "\n"

    def _parsed(self, blob: str) -> dict[str, Any]:
        if blob not in self._read:
            self._read[blob] = yaml.load(self.repo[blob].data, yaml.CSafeLoader)
        return self._read[blob]


class _Backend(pygit2.OdbBackend):
    """The objects of all *hosts* as libgit2 reads them; what it writes goes to the first of them."""

    def __init__(self, hosts: list[Host]) -> None:
        super().__init__()
        self._hosts = hosts

    def read_cb(self, oid: pygit2.Oid) -> tuple[int, bytes]:
        kind, content = self._find(oid)
        return _NUMBERS[kind], content

    def read_header_cb(self, oid: pygit2.Oid) -> tuple[int, int]:
        kind, content = self._find(oid)
        return _NUMBERS[kind], len(content)

    def read_prefix_cb(self, text: str) -> tuple[int, bytes, pygit2.Oid]:
        oid = pygit2.Oid(hex=text)  # no id is ever shortened here
        return (*self.read_cb(oid), oid)

    def exists_cb(self, oid: pygit2.Oid) -> bool:
        return any(oid.raw in host.objects for host in self._hosts)

    def write_cb(self, oid: pygit2.Oid, content: bytes, kind: int) -> None:
        self._hosts[0].objects[oid.raw] = (_KINDS[int(kind)], bytes(content))

    def refresh_cb(self) -> None:
        """All is seen at once."""

    def _find(self, oid: pygit2.Oid) -> tuple[str, bytes]:
        for host in self._hosts:
            if found := host.objects.get(oid.raw):
                return found
        raise KeyError(oid)
