"""The campaign `writers`, small: two daemons and four people on one branch."""

import random
import tempfile
from pathlib import Path
from unittest.mock import Mock

import pytest
from support.platform import Platform
from support.servers import Servers, until

from torture import writers
from torture.arena import Arena


def test_daemons_and_people_on_one_branch_lose_nothing_of_each_other(tmp_path):
    arena = Arena(tmp_path)
    with tempfile.TemporaryDirectory(prefix="gitops-") as folder, Servers(Path(folder)) as servers:
        writers.crowd(arena, servers, "file", random.Random(1), pushes=3, daemons=2)
    assert arena.counts["pushes of people (file)"] == 4
    assert arena.counts["answers of daemons"] > 0


def test_what_was_forced_is_found_out(tmp_path):
    """The judge itself: a server on which a push was overwritten."""
    platform = Platform(tmp_path / "home.git")
    platform.git("config", "core.logAllRefUpdates", "always")
    first = platform.commit({"README.md": "1"})
    platform.commit({"README.md": "2"})
    platform.move(platform.commit({"README.md": "3"}, branch="other", onto=first))
    with pytest.raises(AssertionError, match="was forced"):
        writers.nothing_is_forced(platform, "main")


def test_a_protocol_without_a_server_here_is_left_out_and_said_so(tmp_path, monkeypatch):
    arena = Arena(tmp_path)
    with tempfile.TemporaryDirectory(prefix="gitops-") as folder, Servers(Path(folder)) as servers:
        missing = Mock(side_effect=pytest.skip.Exception("nginx is not installed"))
        monkeypatch.setattr(Servers, "url", missing)
        assert not list(writers.reachable(arena, servers, ["http"]))
    assert arena.notes == ["nothing was done over http: nginx is not installed"]


def test_what_goes_wrong_in_the_mischief_is_raised_in_the_end():
    daemon = Mock(**{"freeze.side_effect": OSError("no such process"), "end.side_effect": OSError("it ended")})
    with pytest.raises(OSError, match=r"no such process|it ended"), writers.mischief([daemon], random.Random(1)):
        until(lambda: daemon.method_calls, "nothing was done to the daemon")
