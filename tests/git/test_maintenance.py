"""Packs stay few, whoever's the repository is; nothing that was written is lost, however git's maintenance ends."""

import errno
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
import structlog

from gitops.core.tree import BLOB
from gitops.git.clones import open_clone
from gitops.git.maintenance import Maintenance
from gitops.git.stored import REOPENED
from gitops.git.tracking import Tracking

HOUR = 3600


@pytest.fixture
def clone(tmp_path):
    return open_clone("https://git.example.org/team/x.git", tmp_path / "cache")


def write_packs(repo, number, each=lambda: None):
    """Write packs as passes do, with what is told *each* time after it; return the contents by their ids."""
    written = {}
    for turn in range(number):
        content = f"{number} {turn}".encode()
        written[repo.objects.add(BLOB, content)] = content
        repo.objects.flush()
        repo.objects.settle()
        each()
    return written


def commit_packs(change, repo, number):
    for turn in range(number):
        change(repo, {"a": str(turn)})


def packs(repo):
    return len(list(repo.common_dir.glob("objects/pack/*.pack")))


def finish(maintenance):
    maintenance.wait()
    maintenance.look()
    maintenance.wait()


def test_hundreds_of_passes_leave_few_packs_in_a_clone_and_a_daemon_reads_on(clone, git):
    maintenance = Maintenance(clone)
    most = []

    def look():
        maintenance.look()
        most.append(packs(clone))
        if len(most) % 50 == 0:
            maintenance.wait()

    written = write_packs(clone, 300, look)
    finish(maintenance)

    assert max(most) < 100
    assert packs(clone) < 50
    assert {oid: clone.objects.blob(oid) for oid in written} == written
    assert git(clone.common_dir, "fsck", "--strict", "--no-dangling") == ""


def held(repo):
    """The packs that this process holds open although they are gone."""
    links = [str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return [link for link in links if link.startswith(str(repo.common_dir)) and link.endswith(" (deleted)")]


def test_a_daemon_lets_go_of_the_packs_that_git_has_put_together(clone):
    """Each pass opens one, also where there is nothing to write: a thousand were all that it could hold."""
    maintenance, tracking, most = Maintenance(clone), Tracking(clone, "a"), []
    for turn in range(150):
        clone.objects.refresh()
        blob = clone.objects.add(BLOB, b"%d" % turn)
        clone.objects.flush()
        clone.objects.settle()
        maintenance.look()
        tracking.record(tracking.ref(f"b{turn}"), blob)
        assert tracking.read(tracking.ref(f"b{turn}")) == blob
        assert clone.objects.blob(blob)
        maintenance.wait()
        most.append(len(held(clone)))
    assert 0 < max(most) < 2 * REOPENED


def test_it_waits_until_many_packs_came(clone):
    maintenance = Maintenance(clone)
    write_packs(clone, 19)
    finish(maintenance)
    assert packs(clone) == 19


def test_what_was_flushed_and_no_ref_leads_to_stays(clone):
    write_packs(clone, 30)
    flushed = clone.objects.add(BLOB, b"about to be used")
    clone.objects.flush()
    finish(Maintenance(clone))

    assert packs(clone) < 30
    assert clone.objects.stored(flushed)


def test_in_a_repository_of_the_user_git_does_what_it_does_after_a_commit(repo, root, git, change):
    git(root, "config", "gc.autoPackLimit", "5")
    git(root, "config", "gc.autoDetach", "false")
    commit_packs(change, repo, 30)
    finish(Maintenance(repo))

    assert packs(repo) < 5
    assert git(root, "fsck", "--strict") == ""


@pytest.mark.parametrize("setting", ["maintenance.auto=false", "gc.auto=0", "gc.autoPackLimit=100"])
def test_the_user_decides_about_his_repository(repo, root, git, change, setting):
    git(root, "config", "gc.autoPackLimit", "5")
    git(root, "config", "gc.autoDetach", "false")
    git(root, "config", *setting.split("="))
    commit_packs(change, repo, 30)
    finish(Maintenance(repo))

    assert packs(repo) == 30


def test_a_killed_git_costs_nothing_and_the_next_one_goes_on(clone):
    written = write_packs(clone, 100)
    maintenance = Maintenance(clone)
    maintenance.look()
    os.killpg(maintenance._process.pid, signal.SIGKILL)
    maintenance.wait()
    assert {oid: clone.objects.blob(oid) for oid in written} == written

    written |= write_packs(clone, 20)
    finish(maintenance)
    assert packs(clone) < 50
    assert {oid: clone.objects.blob(oid) for oid in written} == written


def test_what_a_killed_git_left_goes_with_the_next_start_unless_somebody_may_be_at_it(clone):
    folder = clone.common_dir / "objects" / "pack"
    folder.mkdir(exist_ok=True)
    for name in ("tmp_pack_old", ".tmp-1-pack-old", "tmp_pack_new"):
        (folder / name).touch()
    for path in (*folder.glob("*old"), *folder.glob(".*old")):
        os.utime(path, times=(path.stat().st_mtime - 2 * HOUR,) * 2)
    Maintenance(clone)

    assert {path.name for path in folder.iterdir()} == {"tmp_pack_new"}


def test_a_pack_that_a_killed_fetch_held_on_to_is_let_go_and_one_that_the_user_keeps_is_not(repo):
    folder = repo.common_dir / "objects" / "pack"
    folder.mkdir(exist_ok=True)
    for name, said in (("pack-1.keep", "fetch-pack 12 on host\n"), ("pack-2.keep", ""), ("pack-3.keep", "mine\n")):
        (folder / name).write_text(said)
        os.utime(folder / name, times=(0, 0))
    (folder / "pack-4.keep").write_text("fetch-pack 13 on host\n")
    Maintenance(repo)

    assert {path.name for path in folder.iterdir()} == {"pack-2.keep", "pack-3.keep", "pack-4.keep"}


def test_what_is_under_way_ends_when_the_daemon_does(clone):
    write_packs(clone, 50)
    maintenance = Maintenance(clone)
    maintenance.look()
    process = maintenance._process
    maintenance.close()

    assert process.returncode is not None
    maintenance.close()  # twice is no error


def test_a_git_that_cannot_be_started_is_told_and_tried_again(clone, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    write_packs(clone, 50)
    maintenance = Maintenance(clone)
    with monkeypatch.context() as patch, structlog.testing.capture_logs() as log:
        patch.setattr(subprocess, "Popen", refuse)
        maintenance.look()
    assert "Too many open files" in log[0]["cause"]
    maintenance.look()
    maintenance.wait()
    assert len(list((clone.common_dir / "objects" / "pack").glob("*.pack"))) < 50


@pytest.mark.parametrize(("hours", "told"), [(0, False), (3, True)])
def test_a_lock_that_a_killed_git_left_in_a_repository_of_the_user_is_told(repo, root, git, change, hours, told):
    """Git skips maintenance for its sake without a word, and packs grow for ever; whether it is left over he knows."""
    git(root, "config", "gc.autoPackLimit", "5")
    git(root, "config", "gc.autoDetach", "false")
    lock = repo.common_dir / "objects" / "maintenance.lock"
    lock.touch()
    os.utime(lock, (time.time() - hours * HOUR,) * 2)
    commit_packs(change, repo, 30)
    with structlog.testing.capture_logs() as log:
        finish(Maintenance(repo))

    assert packs(repo) == 30
    assert [line["lock"] for line in log] == [str(lock)] * told


def test_a_failure_after_which_git_leaves_packs_alone_is_told(repo, root, git, change):
    """Such as a file that another process wrote for a moment: git waits for a day, or until the log is removed."""
    git(root, "config", "gc.autoPackLimit", "5")
    failure = repo.common_dir / "gc.log"
    failure.write_text("error: Could not stat 'tmp_obj_x'\n")
    commit_packs(change, repo, 30)
    with structlog.testing.capture_logs() as log:
        finish(Maintenance(repo))

    assert packs(repo) == 30
    assert [(line["log"], line["cause"]) for line in log] == [(str(failure), "error: Could not stat 'tmp_obj_x'")]
