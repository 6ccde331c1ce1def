"""Absence is deletion only when it is certain: what may be in a file that cannot be read is kept, and said."""

import subprocess

import pytest
from support.definitions import destination, work
from support.passes import settle
from support.platform import Platform

from gitops.branches import Branches

W, D = "works/default/a/work.yaml", "destinations/dev.yaml"
DOCUMENT = "state/dev/dependencies/redis/instance-configure/5058f/a.yaml"
DEV = {"destinations/dev.yaml": destination("dev", env="dev", cleanup="all")}
BROKEN = "a: [\n"


@pytest.fixture
def placed(platform):
    platform.commit({**DEV, "works/a.yaml": work("a", env="dev")})
    settle(platform)
    return platform


def is_kept(platform, file):
    assert DOCUMENT in platform.files("state/")
    assert platform.condition(W)[1:] == ("InvalidDefinition", platform.condition(W)[2])
    assert platform.condition(W)[2].startswith(f"{file}:")


@pytest.mark.parametrize("content", [BROKEN, "<<<<<<< HEAD\na: 1\n=======\n"])
def test_a_definition_that_is_renamed_and_broken_in_one_commit(placed, content):
    placed.commit({"works/a.yaml": None, "works/b.yaml": content})
    settle(placed)
    is_kept(placed, "works/b.yaml")

    placed.commit({"works/b.yaml": work("a", env="dev")})
    settle(placed)
    assert placed.condition(W)[0] == "True"
    assert placed.status(W)["status"]["source"] == "works/b.yaml"


def test_a_definition_that_is_invalid_then_renamed_then_unreadable(placed):
    invalid = work("a", env="dev") | {"spec": {"foo": 1}}
    for change in (
        {"works/a.yaml": invalid},
        {"works/a.yaml": None, "works/b.yaml": invalid},
        {"works/b.yaml": BROKEN},
    ):
        placed.commit(change)
        settle(placed)
    is_kept(placed, "works/b.yaml")


def test_an_unreadable_definition_that_is_renamed(placed):
    placed.commit({"works/a.yaml": BROKEN})
    settle(placed)
    placed.commit({"works/a.yaml": None, "works/b.yaml": BROKEN})
    settle(placed)
    is_kept(placed, "works/b.yaml")


def test_definition_folders_behind_a_symbolic_link(placed):
    placed.commit({"real/a.yaml": work("a", env="dev"), "works/a.yaml": None})
    placed.link("works", "real")
    settle(placed)
    is_kept(placed, "works")


@pytest.mark.parametrize("invalid_first", [False, True])
def test_a_destination_that_is_renamed_and_broken(placed, invalid_first):
    if invalid_first:
        placed.commit({"destinations/dev.yaml": destination("dev", env="dev") | {"spec": {"foo": 1}}})
        settle(placed)
    placed.commit({"destinations/dev.yaml": None, "destinations/b.yaml": BROKEN})
    settle(placed)

    assert DOCUMENT in placed.files("state/")
    assert placed.condition(D)[1] == "InvalidDefinition"
    assert placed.condition(W)[0] == "True"


def test_when_the_unreadable_file_goes_too_the_absence_is_certain(placed):
    placed.commit({"works/a.yaml": None, "works/b.yaml": BROKEN})
    settle(placed)
    placed.commit({"works/b.yaml": None})
    settle(placed)

    assert DOCUMENT not in placed.files("state/")
    assert placed.status(W) == {}


def test_a_file_that_was_unreadable_before_makes_nothing_uncertain(placed):
    placed.commit({"works/junk.yaml": BROKEN})
    settle(placed)
    placed.commit({"works/a.yaml": None})
    settle(placed)

    assert DOCUMENT not in placed.files("state/")


def test_a_clone_without_history_sees_nothing_new(placed, tmp_path):
    placed.commit({"README.md": "of people"})
    for depth in ("1", "2"):
        clone = tmp_path / f"clone{depth}"
        command = ["git", "clone", "-q", "--bare", "--depth", depth, f"file://{placed.path}", clone]
        subprocess.run(command, check=True)
        shallow = Platform(clone, placed.clock)
        before = shallow.tip()
        shallow.reconcile()
        assert shallow.tip() == before


def test_a_broken_destination_keeps_documents_though_nobody_knows_its_last_good_definition(platform):
    """People break it and rewrite the history in one push; the status stays on its own branch."""
    platform.commit({"gitops.yaml": {"output": {"branch": "out"}}})
    first = platform.tip()
    files = {**DEV, "works/a.yaml": work("a", env="dev")}
    platform.commit(files)
    platform.reconcile()
    before = platform.blobs("state/", at="out")

    platform.move(first)
    platform.commit({**files, "destinations/dev.yaml": "a: ["})
    platform.reconcile()
    assert platform.blobs("state/", at="out") == before != {}
    platform.remove("destinations/dev.yaml")
    platform.reconcile()
    assert platform.blobs("state/", at="out") == {}


def test_what_others_define_and_answer_between_two_looks_is_not_taken_for_removed(platform, monkeypatch):
    """The source branch was looked at before the definition came, and the output branch when its status was there."""
    platform.commit({"gitops.yaml": {"output": {"branch": "out"}}, **DEV})
    daemon, look = platform.reconciler(), Branches.tip

    def slow(self, name):
        if name == "out" and "works/a.yaml" not in platform.files():
            platform.commit({"works/a.yaml": work("a", env="dev")})
            platform.reconciler().reconcile()
        return look(self, name)

    monkeypatch.setattr(Branches, "tip", slow)
    daemon.reconcile()
    assert platform.status(W, "out")
    assert DOCUMENT in platform.files("state/", "out")
