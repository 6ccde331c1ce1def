"""What a daemon has in mind is kept for its next start: for speed alone, whatever becomes of the file."""

import errno
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import structlog
from support.definitions import configmap, destination, group, selector, work
from support.passes import settle
from support.platform import Platform

from gitops.cache import Cache

NONE = {"enabled": False}


@pytest.fixture
def kept(platform: Platform, tmp_path):
    """The cache of a daemon that has seen a Work on two Destinations."""
    platform.commit({f"destinations/{name}.yaml": destination(name, env="dev") for name in ("one", "two")})
    platform.commit({"works/redis.yaml": redis("a")})
    cache = Cache(tmp_path, "main")
    daemon = platform.reconciler(cache)
    daemon.reconcile()
    daemon.keep()
    return cache


def redis(text: str):
    return work("redis", groups=[group({"x.yaml": configmap("x", text)}, selector(env="dev"))])


def file_of(tmp_path):
    (path,) = tmp_path.glob("memory-*")
    return path


def test_a_daemon_goes_on_where_the_last_one_ended(platform, kept):
    world = kept.load()

    assert set(world.works) == {("Work", "default", "redis")}
    assert world.index.on("two") == set(world.works)
    tip = platform.tip()
    platform.reconciler(kept).reconcile()
    assert platform.tip() == tip


def test_what_changed_meanwhile_is_done(platform, kept):
    platform.commit({"works/redis.yaml": redis("b")})
    platform.reconciler(kept).reconcile()

    documents = platform.files("state/one/dependencies/redis")
    assert [b"text: b" in raw for raw in documents.values()] == [True]
    settle(platform)


def test_documents_that_stand_nowhere_as_they_are_come_from_their_definition(platform, tmp_path):
    """Of two groups one is in an aggregate, and the other in folders, where it need not be read again."""

    def whole(name):
        return {f"destinations/{name}.yaml": destination(name, mode="aggregatedYAML", initWorkloads=NONE, kind="whole")}

    documents = {kind: {f"{name}.yaml": configmap(f"{kind}-{name}") for name in "ab"} for kind in ("nested", "whole")}
    groups = [group(own, selector(kind=kind), directory=kind) for kind, own in documents.items()]
    nested = {"destinations/n.yaml": destination("n", kind="nested")}
    platform.commit({**nested, **whole("w"), "works/r.yaml": work("r", groups=groups)})
    cache = Cache(tmp_path, "main")
    daemon = platform.reconciler(cache)
    daemon.reconcile()
    daemon.keep()

    platform.commit(whole("v"))
    platform.reconciler(cache).reconcile()
    stand = platform.files("state/")
    assert stand["state/v/aggregated.yaml"] == stand["state/w/aggregated.yaml"]
    settle(platform)


def test_another_repository_in_the_same_place_is_seen_as_it_is(platform, kept):
    platform.move(platform.commit({"works/redis.yaml": redis("c")}, branch="other"))
    platform.reconciler(kept).reconcile()

    settle(platform)
    ready = platform.status("works/default/redis/work.yaml")["status"]["conditions"][1]
    assert ready["reason"] == "UnscheduledWorkloadGroups"  # the Destinations are not there


@pytest.mark.parametrize("place", [0, 40, 200, -1])
def test_a_damaged_file_is_no_memory(platform, kept, tmp_path, place):
    path = file_of(tmp_path)
    raw = bytearray(path.read_bytes())
    raw[place] ^= 1
    path.write_bytes(raw)

    with structlog.testing.capture_logs() as logs:
        assert kept.load().blank
    assert "is of no use" in logs[0]["event"]


@pytest.mark.parametrize("size", [0, 10, 32, 63, 64, 500])
def test_neither_is_a_file_that_was_cut_off(kept, tmp_path, size):
    os.truncate(file_of(tmp_path), size)
    assert kept.load().blank


def test_neither_is_one_that_others_may_write(kept, tmp_path):
    file_of(tmp_path).chmod(0o666)
    assert kept.load().blank


class Trap:
    def __reduce__(self):
        return os.mkdir, ("trap",)


def test_nothing_in_the_file_is_ever_run(kept, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("gitops.core.world.World.without_works", lambda self: Trap())
    kept.save(kept.load())

    assert kept.load().blank
    assert not (tmp_path / "trap").exists()
    pickle.loads(pickle.dumps(Trap()))  # which a plain reader would have sprung
    assert (tmp_path / "trap").exists()


def test_a_folder_that_cannot_be_written_is_no_reason_to_stop(kept, tmp_path):
    world = kept.load()
    with structlog.testing.capture_logs() as logs:
        Cache(tmp_path / "missing", "main").save(world)
    assert "could not be kept" in logs[0]["event"]


def test_neither_is_one_in_which_nothing_can_be_removed(kept, tmp_path, monkeypatch):
    def refuse(path, *_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    world = kept.load()
    for name in ("rename", "unlink"):
        monkeypatch.setattr(Path, name, refuse)
    with structlog.testing.capture_logs() as logs:
        Cache(tmp_path, "main").save(world)
    assert "Read-only file system" in logs[0]["cause"]


KILLED = """
import os, signal, sys
from pathlib import Path
from gitops.cache import Cache

NONE = {"enabled": False}
from gitops.core.world import World

os.rename = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
Cache(Path(sys.argv[1]), "main").save(World())
"""


def test_what_a_kill_left_half_written_is_written_over(kept, tmp_path):
    world = kept.load()
    subprocess.run([sys.executable, "-c", KILLED, tmp_path], check=False)
    assert kept.load().works == world.works
    kept.save(world)
    assert kept.load().works == world.works
    assert file_of(tmp_path)
