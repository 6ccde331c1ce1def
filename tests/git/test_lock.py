"""One daemon for each repository, whatever becomes of the one before."""

import os
import signal
import subprocess
import sys

import pytest

from gitops.errors import LockedError
from gitops.git.lock import daemon_lock

DAEMON = """
import sys, signal
from pathlib import Path
from gitops.git.lock import daemon_lock
from gitops.git.repository import Repository
with daemon_lock(Repository.open(Path(sys.argv[1]))):
    print("ready", flush=True)
    signal.pause()
"""


def test_a_second_daemon_is_refused_and_told_who_is_there_until_the_first_is_killed(repo, root):
    with subprocess.Popen([sys.executable, "-c", DAEMON, root], stdout=subprocess.PIPE) as first:
        assert first.stdout.readline() == b"ready\n"
        with pytest.raises(LockedError, match=f"pid {first.pid}"), daemon_lock(repo):
            pass
        first.send_signal(signal.SIGKILL)
    with daemon_lock(repo):
        assert (repo.common_dir / "gitops/daemon.lock").read_text() == f"{os.getpid()}\n"


def test_what_a_killed_daemon_left_unfinished_is_cleared_away(repo, change):
    change(repo, {"a": "1"})
    packs = repo.common_dir / "objects/pack"
    kept = sorted(packs.iterdir())
    (packs / "tmp_gitops_12").touch()
    (packs / "tmp_gitops_12.idx").touch()
    (repo.common_dir / "gitops/moves/12-34").touch()
    (repo.common_dir / "gitops/moves/12-56").write_text('["refs/heads/ma')  # the rest was lost in a power cut
    with daemon_lock(repo):
        assert sorted(packs.iterdir()) == kept
        assert list((repo.common_dir / "gitops/moves").iterdir()) == []
