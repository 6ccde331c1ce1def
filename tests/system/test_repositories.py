"""Repositories as users have them: bare, with a work tree, linked, packed, empty."""

import subprocess

import pytest
from support.definitions import destination, work
from support.platform import ADA, Clock, Platform

from gitops.core.render import render
from gitops.deciding import Decider
from gitops.git.repository import Repository
from gitops.reconciler import Reconciler

DEFINITIONS = {
    "destinations/dev.yaml": destination("dev", env="dev"),
    "works/r.yaml": work("r", request="r", env="dev"),
}
DOCUMENT = "state/dev/resources/default/redis/r/instance-configure/5058f/r.yaml"


def git(folder, *arguments):
    command = ["git", "-C", folder, "-c", f"user.name={ADA.name}", "-c", f"user.email={ADA.email}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def checked_out(platform, tmp_path):
    """A repository with a work tree, with definitions on `main`."""
    platform.commit(DEFINITIONS)
    folder = tmp_path / "checkout"
    subprocess.run(["git", "clone", "--quiet", platform.path, folder], check=True, capture_output=True)
    return folder


def reconcile(folder):
    return Reconciler(Repository.open(folder), "main", Clock(), render).reconcile()


def test_k7_an_empty_repository_has_nothing_to_do(platform):
    assert platform.reconcile()[0].commits == ()
    platform.commit(DEFINITIONS)
    platform.reconcile()
    assert DOCUMENT in platform.files()


def test_a_checked_out_branch_moves_together_with_its_files_and_index(checked_out):
    reconcile(checked_out)

    assert (checked_out / DOCUMENT).exists()
    assert git(checked_out, "status", "--porcelain") == ""
    (checked_out / "note").write_text("mine")
    git(checked_out, "add", "note")
    git(checked_out, "commit", "--quiet", "-m", "Note")
    assert git(checked_out, "show", "--format=", "--name-only").split() == ["note"]


def test_what_is_edited_and_not_committed_is_never_touched(checked_out):
    (checked_out / "works/r.yaml").write_text("edited")
    (checked_out / "works/new.yaml").write_text("new")
    reconcile(checked_out)

    assert git(checked_out, "status", "--porcelain").splitlines() == [" M works/r.yaml", "?? works/new.yaml"]
    assert (checked_out / "works/r.yaml").read_text() == "edited"


def test_a_linked_work_tree_follows_too(checked_out, tmp_path):
    git(checked_out, "checkout", "--quiet", "-b", "elsewhere")
    linked = tmp_path / "linked"
    git(checked_out, "worktree", "add", "--quiet", str(linked), "main")
    reconcile(linked)

    assert (linked / DOCUMENT).exists()
    assert not (checked_out / DOCUMENT).exists()
    assert git(linked, "status", "--porcelain") == git(checked_out, "status", "--porcelain") == ""


def test_packed_refs_and_objects_are_as_good_as_loose_ones(platform):
    platform.commit(DEFINITIONS)
    platform.reconcile()
    before = platform.files()
    platform.git("gc", "--quiet", "--prune=now")
    tip = platform.tip()

    assert platform.reconcile()[0].commits == ()
    assert platform.reconciler().reconcile()[0].commits == ()
    assert (platform.tip(), platform.files()) == (tip, before)
    platform.commit({"works/r.yaml": None})
    platform.reconcile()
    assert DOCUMENT not in platform.files()


def test_another_source_branch_is_as_good_as_main(tmp_path):
    platform = Platform(tmp_path / "trunk.git", branch="trunk")
    platform.commit(DEFINITIONS)
    platform.reconcile()

    assert DOCUMENT in platform.files()


def test_two_daemons_come_to_one_result_and_each_event_once(platform):
    platform.commit(DEFINITIONS)
    one, other = platform.reconciler(), platform.reconciler()
    one.reconcile()
    tip = platform.tip()
    other.reconcile()
    assert platform.tip() == tip

    platform.commit({"destinations/dev.yaml": destination("dev", env="qa")})
    other.reconcile()
    tip = platform.tip()
    one.reconcile()
    assert platform.tip() == tip
    assert {e["count"] for s in platform.statuses().values() for e in s["events"]} == {1}


def test_a_persons_commit_in_the_middle_of_a_pass_is_never_lost(platform, monkeypatch):
    """The branch moves between deciding and writing: the pass begins again from there."""
    platform.commit(DEFINITIONS)
    daemon = platform.reconciler()
    decide, intruders = (
        Decider.decide,
        [{"note": "mine"}, {"works/s.yaml": work("s", {"s.txt": "s"}, request="s", env="dev")}],
    )

    def interrupted(self, **how):
        plan = decide(self, **how)
        if intruders:
            platform.commit(intruders.pop(0))
        return plan

    monkeypatch.setattr(Decider, "decide", interrupted)
    daemon.reconcile()

    assert platform.files()["note"] == b"mine"
    assert DOCUMENT in platform.files()
    assert "works/default/s/s.dev-5058f.yaml" in platform.statuses()
    assert all(len(c.parents) < 2 for c in platform.log())
