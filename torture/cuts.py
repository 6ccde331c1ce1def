"""Disks whose power is cut while somebody writes, and what is left on them then.

`Device` is a loop device with ext4: the image is copied while every writer stands still. `Syncs` has no mercy: a name
or content that was not synced may be lost or not, each by itself, which no real file system would do to all at once.
"""

from __future__ import annotations

import os
import random
import selectors
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Protocol

from torture import mounts
from torture.calls import compiler

_SOURCE = Path(__file__).with_name("syncs.c")
_ROOT = Path(__file__).parent.parent
_MEGABYTES = 24  # of a device
_MOUNTS = ("", "", "nodelalloc", "data=writeback", "data=journal", "commit=1")
_KEPT = (0.0, 0.5, 0.9, 1.0)  # how likely it is for something that was not synced to be there all the same
_BLOCK = 512  # bytes, of which a disk writes all or nothing


def build(folder: Path) -> None:
    """Make ready in *folder* what `Writer` loads into programs."""
    command = [compiler() or "cc", "-O1", "-shared", "-fPIC", "-o", str(folder / "syncs.so"), str(_SOURCE), "-ldl"]
    subprocess.run(command, check=True)


class Disk(Protocol):
    """What is written in `folder` can be cut off."""

    folder: Path

    def heard(self, call: str, path: str) -> None:
        """Take note of a call that is about to happen."""

    def cut(self, chance: random.Random) -> None:
        """Let `folder` hold what is left after a power cut at this moment. Nobody may write any more."""


class Device:
    """A loop device, mounted at *folder*; to be had in a process of `mounts.be_private`."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.folder = folder
        self._options, self._number = chance.choice(_MOUNTS), 0
        mounts.make_ext4(self._image, _MEGABYTES)
        mounts.mount_image(self._image, folder, self._options)

    @property
    def _image(self) -> Path:
        return self.folder.with_name(f"{self.folder.name}.{self._number}")

    def heard(self, call: str, path: str) -> None:
        pass

    def cut(self, chance: random.Random) -> None:
        content = self._image.read_bytes()
        while content != (content := self._image.read_bytes()):  # the kernel was writing still
            pass
        mounts.unmount(self.folder)
        self._number += 1
        self._image.write_bytes(content)
        mounts.mount_image(self._image, self.folder, self._options)


class Syncs:
    """A folder, and what of it was synced: contents and names, each by the number of its file."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self._begin()

    def _begin(self) -> None:
        self._contents: dict[int, bytes] = {}
        self._names: dict[int, dict[str, int]] = {}
        self._looks: dict[int, os.stat_result] = {}
        self._links: dict[int, str] = {}
        self._held: list[int] = []  # handles, so that no number is given to another file
        self._note_all()

    def heard(self, call: str, path: str) -> None:
        if call == "syncfs":
            self._note_all()
        elif call in ("fsync", "fdatasync") and os.path.lexists(path):
            self._note(path)

    def _note_all(self) -> None:
        for folder, _, names in os.walk(self.folder):
            for path in (folder, *(f"{folder}/{name}" for name in names)):
                self._note(path)

    def _note(self, path: str) -> None:
        number = self._look(path)
        if stat.S_ISDIR(self._looks[number].st_mode):
            self._names[number] = {name: self._look(f"{path}/{name}") for name in sorted(os.listdir(path))}  # noqa: PTH208
            self._note_way_to(Path(path))
        elif stat.S_ISREG(self._looks[number].st_mode):
            self._contents[number] = Path(path).read_bytes()

    def _note_way_to(self, folder: Path) -> None:
        """A folder that was synced can be reached: every journaling file system sees to that."""
        while folder != self.folder:
            self._names.setdefault(self._look(str(folder.parent)), {})[folder.name] = self._look(str(folder))
            folder = folder.parent

    def _look(self, path: str) -> int:
        found = os.lstat(path)
        if found.st_ino not in self._looks:
            self._held.append(os.open(path, os.O_PATH | os.O_NOFOLLOW))
        self._looks[found.st_ino] = found
        if stat.S_ISLNK(found.st_mode):
            self._links[found.st_ino] = os.readlink(path)  # noqa: PTH115
        return found.st_ino

    def cut(self, chance: random.Random) -> None:
        left = self.folder.with_name(f"{self.folder.name}.left")
        _Remains(self, chance).make(left)
        shutil.rmtree(self.folder)
        left.rename(self.folder)
        self.close()
        self._begin()

    def close(self) -> None:
        while self._held:
            os.close(self._held.pop())


class _Remains:
    """What is left of a folder of which only some was synced."""

    def __init__(self, disk: Syncs, chance: random.Random) -> None:
        self._disk, self._chance, self._kept = disk, chance, chance.choice(_KEPT)
        self._there: dict[int, str] = {}  # where each file is now, by its number
        self._now: dict[int, dict[str, int]] = {}
        for folder, folders, names in os.walk(disk.folder):
            number = disk._look(folder)
            self._there[number] = folder
            self._now[number] = {name: disk._look(f"{folder}/{name}") for name in sorted(folders + names)}
            self._there |= {other: f"{folder}/{name}" for name, other in self._now[number].items()}
        self._made: dict[int, Path] = {}

    def make(self, path: Path) -> None:
        self._folder(os.lstat(self._disk.folder).st_ino, path)

    def _lucky(self) -> bool:
        return self._chance.random() < self._kept

    def _folder(self, number: int, path: Path) -> None:
        path.mkdir()
        was, now = self._disk._names.get(number, {}), self._now.get(number, {})
        for name in sorted(was.keys() | now.keys()):
            before, after = was.get(name), now.get(name)
            chosen = after if before == after or self._lucky() else before
            if chosen is not None:
                self._entry(chosen, path / name)
        _look_like(path, self._disk._looks[number])

    def _entry(self, number: int, path: Path) -> None:
        look = self._disk._looks[number]
        if stat.S_ISDIR(look.st_mode):
            self._folder(number, path)
        elif stat.S_ISLNK(look.st_mode):
            path.symlink_to(self._disk._links[number])
        elif number in self._made:
            os.link(self._made[number], path)
        else:
            path.write_bytes(self._content(number))
            _look_like(path, look)
            self._made[number] = path

    def _content(self, number: int) -> bytes:
        synced = self._disk._contents.get(number, b"")
        now = Path(self._there[number]).read_bytes() if number in self._there else synced
        if synced == now or self._lucky():
            return now
        part = self._chance.randrange(0, len(now) + 1, _BLOCK)
        return self._chance.choice([synced, now[:part], now[:part].ljust(len(now), b"\0")])


def _look_like(path: Path, look: os.stat_result) -> None:
    path.chmod(stat.S_IMODE(look.st_mode))
    os.utime(path, ns=(look.st_atime_ns, look.st_mtime_ns))


class Writer:
    """A program that writes to a disk until the power is cut; what it says is what it has acknowledged."""

    def __init__(self, disk: Disk, arguments: Sequence[str], environment: Mapping[str, str], tools: Path) -> None:
        """*tools* is the folder of `build`."""
        self._disk, self._name = disk, f"gitops-cuts-{os.getpid()}-{id(disk)}"
        self._listens = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listens.bind(f"\0{self._name}")
        self._listens.listen(64)
        self._silent = socket.socket()  # to the one whose call is never answered
        watched = self._watched(tools)
        paths = {"PATH": f"{_wrapped(tools, watched)}:{os.environ['PATH']}", "PYTHONPATH": f"{_ROOT}:{_ROOT / 'tests'}"}
        self._popen = subprocess.Popen(
            [sys.executable, "-B", *arguments],
            env={**os.environ, **paths, **environment, **watched},
            stdout=subprocess.PIPE,
            start_new_session=True,
        )

    def _watched(self, tools: Path) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(tools / "syncs.so"),
            "CUTS_SOCKET": self._name,
            "CUTS_FOLDER": str(self._disk.folder),
            "CUTS_GIT": shutil.which("git") or "git",  # the one that is not watched
        }

    def run(self, calls: int, chance: random.Random) -> tuple[list[str], int]:
        """Let it make so many *calls*, or all; then cut the power. Return what it has said, and the calls made."""
        made = sum(1 for _ in self._calls(calls))
        with closing(self._listens), closing(self._silent):  # with them all ends that was watched, in any process group
            self._all(signal.SIGSTOP)
            self._disk.cut(chance)
            self._all(signal.SIGKILL)
            said = self._popen.communicate()[0].decode().splitlines()
        return said, made

    def _all(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._popen.pid, number)

    def _calls(self, number: int) -> Iterator[None]:
        """Hear and allow calls, up to that *number*, or until it ends."""
        with selectors.DefaultSelector() as wakes, closing(_exit_of(self._popen)) as exited:
            wakes.register(self._listens, selectors.EVENT_READ)
            wakes.register(exited, selectors.EVENT_READ)
            while True:
                ready = [key.fileobj for key, _ in wakes.select()]
                if self._listens not in ready:
                    return
                line = self._listens.accept()[0]
                if number <= 0:
                    self._silent = line
                    return
                with line:
                    call, _, path = line.recv(5000).decode("utf-8", "surrogateescape").partition(" ")
                    self._disk.heard(call, path)
                    line.send(b"!")
                number -= 1
                yield


class _Exit:
    """Readable once a process has ended."""

    def __init__(self, pid: int) -> None:
        self._handle = os.pidfd_open(pid)

    def fileno(self) -> int:
        return self._handle

    def close(self) -> None:
        os.close(self._handle)


def _exit_of(popen: subprocess.Popen[bytes]) -> _Exit:
    return _Exit(popen.pid)


def _wrapped(tools: Path, watched: Mapping[str, str]) -> Path:
    """Make a `git` that is watched as well, though it is given an environment of its own; return its folder."""
    folder = Path(watched["CUTS_FOLDER"]).with_name("bin")
    folder.mkdir(exist_ok=True)
    settings = " ".join(f"{name}='{value}'" for name, value in watched.items())
    (folder / "git").write_text(f'#!/bin/sh\n{settings} exec {shutil.which("git")} "$@"\n')
    (folder / "git").chmod(0o755)
    return folder
