"""File systems of our own, seen by one process and its children alone: they go with it, however it ends."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

_NEW_MOUNTS, _RECURSIVE_PRIVATE = 0x20000, 0x44000  # CLONE_NEWNS; MS_REC | MS_PRIVATE


@cache
def possible() -> bool:
    """Whether this user of this machine may mount, loop devices too."""
    tools = all(map(shutil.which, ("mkfs.ext4", "mount", "umount", "unshare")))
    return os.geteuid() == 0 and tools and Path("/dev/loop-control").exists() and _may_unshare()


def _may_unshare() -> bool:
    return subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode == 0


def be_private() -> None:
    """Let this process see mounts of its own from now on; they end with it."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW_MOUNTS) or libc.mount(b"none", b"/", None, _RECURSIVE_PRIVATE, None):
        raise OSError(ctypes.get_errno(), "a process cannot have mounts of its own here")


def make_ext4(image: Path, megabytes: int) -> None:
    """Make a file that holds an empty file system."""
    with image.open("wb") as file:
        file.truncate(megabytes << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", str(image)], check=True)


def mount_image(image: Path, folder: Path, options: str = "") -> None:
    """Mount a file by a loop device, which goes with the mount."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-o", ",".join(filter(None, ("loop", options))), str(image), str(folder)], check=True)


def mount_memory(folder: Path, kilobytes: int) -> None:
    """Mount a file system of this size, in memory."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "none", str(folder)], check=True)


def unmount(folder: Path) -> None:
    """Take a file system away, whoever uses it still."""
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
