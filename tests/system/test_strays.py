"""Documents in a state store that no status tells of: the home branch went another way after they were pushed there."""

from itertools import count
from unittest import mock

import pytest
from support.definitions import configmap, destination, store, work
from support.platform import BOB, Platform

from gitops.branches import Branches
from gitops.core.render import render
from gitops.git import history, refs
from gitops.git.repository import Repository
from gitops.reconciler import Reconciler
from gitops.secrets import Secrets
from gitops.stores import Stores

MODES = ["nestedByMetadata", "none", "aggregatedYAML"]
PATHS = {
    "nestedByMetadata": "docs/dev/resources/default/redis/d/instance-configure/5058f/d.yaml",
    "none": "docs/dev/d.yaml",
    "aggregatedYAML": "docs/dev/aggregated.yaml",
}


class Fleet:
    """A platform with a state store on a branch of its own, here or in another repository."""

    def __init__(self, platform, folder, where="here"):
        self.platform, self.there = platform, platform
        self.seconds = count(0.0, 10_000.0)  # each look at the clock is long after the last: nothing waits
        made = store("s", "deploy", "docs")
        if where == "elsewhere":
            self.there = Platform(folder / "store.git", platform.clock)
            made["spec"]["url"] = f"file://{self.there.path}"
        self.definition = {"statestores/s.yaml": made}
        self.daemon = self.another()

    def another(self):
        repo = Repository.open(self.platform.path)
        stores = Stores(repo, Secrets(None, {}), now=lambda: next(self.seconds))
        return Reconciler(repo, "main", self.platform.clock, render, branches=Branches(repo, stores))

    def begin(self, mode="none", **fields):
        placed = destination("dev", mode=mode, store="s", env="dev", **fields)
        self.platform.commit({**self.definition, "destinations/dev.yaml": placed})
        self.reconcile()

    def reconcile(self):
        """A pass; what it leaves is what a daemon that has seen nothing leaves, and nothing is left to do."""
        self.platform.clock.advance()
        here, there = self.platform.tips(), self.there.tips()
        self.daemon.reconcile()
        done = self._tips()
        for platform, before in ((self.platform, here), (self.there, there)):
            for branch in platform.tips():
                platform.move(before.get(branch), branch)
        self.another().reconcile()
        assert self._tips() == done
        for daemon in (self.daemon, self.another()):
            self.platform.clock.advance()
            daemon.reconcile()
            assert self._tips() == done

    def _tips(self):
        return self.platform.tips(), self.there.tips()

    def lose(self, meanwhile, *, dies=False):
        """A pass that has moved the store when *meanwhile* happens to the home branch; perhaps it dies then."""
        real, done = refs.move, []

        def move(repo, branch, *arguments):
            if branch == "main" and not done:
                done.append(meanwhile())
                if dies:
                    raise KeyboardInterrupt
            real(repo, branch, *arguments)

        with mock.patch.object(refs, "move", move):
            try:
                self.daemon.reconcile()
            except KeyboardInterrupt:
                self.daemon = self.another()
        assert done
        self.reconcile()

    def files(self):
        """What stands in the store, without canary documents."""
        return {path for path in self.there.files(at="deploy") if "canary" not in path}

    def said(self):
        return self.there.subjects("deploy")[0]


def one(name="d", **fields):
    return {f"works/{name}.yaml": work(name, request=name, **{"env": "dev", **fields})}


@pytest.fixture(params=["here", "elsewhere"])
def fleet(request, platform, tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "file")  # so that definitions may name paths
    return Fleet(platform, tmp_path, request.param)


@pytest.fixture
def beside(platform, tmp_path):
    return Fleet(platform, tmp_path)


@pytest.mark.parametrize("others", [False, True], ids=["alone", "with others"])
@pytest.mark.parametrize("mode", MODES)
def test_a_work_removed_before_any_status_told_of_it_leaves_the_store(beside, mode, others):
    if others:
        beside.platform.commit(one("a"))
    beside.begin(mode)
    before = beside.there.files(at="deploy")
    beside.platform.commit(one())
    beside.lose(lambda: beside.platform.remove("works/d.yaml"))

    assert any(said.startswith(("place(default/d)", "update(default/d)")) for said in beside.there.subjects("deploy"))
    assert beside.there.files(at="deploy") == before


def test_a_work_removed_while_no_daemon_was_left_to_tell_of_it_leaves_the_store(fleet):
    fleet.begin()
    fleet.platform.commit(one())
    fleet.lose(lambda: fleet.platform.remove("works/d.yaml"), dies=True)

    assert "place(default/d): dev (+1 ~0 -0)" in fleet.there.subjects("deploy")
    assert fleet.files() == set()


def test_the_commit_says_whose_documents_were_withdrawn_and_from_where(beside):
    beside.begin()
    beside.platform.commit(one())
    beside.lose(lambda: beside.platform.remove("works/d.yaml"))

    assert beside.said() == "withdraw(default/d): dev (+0 ~0 -1)"
    told = beside.there.log("deploy")[0].message.splitlines()
    assert {"Gitops-Work: default/d", "Gitops-Destination: dev", "Gitops-Path: docs/dev"} <= set(told)


def test_a_work_taken_away_by_force_leaves_the_store(fleet):
    fleet.begin()
    before = fleet.platform.tip()
    fleet.platform.commit(one())
    fleet.reconcile()
    assert fleet.files() == {PATHS["none"]}
    fleet.platform.move(before)
    fleet.reconcile()

    assert fleet.files() == set()


def test_a_work_that_went_elsewhere_before_any_status_told_of_it_is_only_there(beside):
    beside.platform.commit({"destinations/prod.yaml": destination("prod", mode="none", store="s", env="prod")})
    beside.begin()
    beside.platform.commit(one())
    beside.lose(lambda: beside.platform.commit(one(env="prod")))

    assert beside.files() == {"docs/prod/d.yaml"}


@pytest.mark.parametrize("mode", MODES)
def test_a_rewound_store_does_not_show_a_removed_work_again(beside, mode):
    beside.platform.commit(one())
    beside.begin(mode)
    before = beside.there.tip("deploy")
    beside.platform.remove("works/d.yaml")
    beside.reconcile()
    beside.there.move(before, "deploy")
    beside.reconcile()

    assert beside.files() == set()


def test_many_works_of_one_commit_leave_the_store_too(beside):
    beside.platform.commit({"gitops.yaml": {"commit": {"granularity": "pass"}}})
    beside.begin()
    beside.platform.commit(one("d") | one("e"))
    beside.lose(lambda: beside.platform.remove("works/d.yaml", "works/e.yaml"))

    assert beside.files() == set()
    assert beside.said() == "destination(dev): default/d, default/e (+0 ~0 -2)"


def test_what_people_put_into_a_destination_stays(beside):
    beside.begin()
    before = beside.platform.tip()
    beside.platform.commit(one())
    beside.reconcile()
    beside.there.commit({"docs/dev/theirs.yaml": "theirs"}, by=BOB, branch="deploy")
    beside.platform.move(before)
    beside.reconcile()

    assert beside.files() == {"docs/dev/theirs.yaml"}


def test_what_people_made_of_a_document_stays(beside):
    beside.begin()
    beside.platform.commit(one())

    def meanwhile():
        beside.there.commit({PATHS["none"]: configmap("d", "mine")}, by=BOB, branch="deploy")
        beside.platform.remove("works/d.yaml")

    beside.lose(meanwhile)
    assert beside.files() == {PATHS["none"]}


def test_what_another_platform_wrote_stays(beside, tmp_path):
    """Its commits are as ours, and its Destination has the same name: only its source commit is not known here."""
    other = Fleet(Platform(tmp_path / "other.git"), tmp_path)
    other.platform.commit(one(), "Another platform")
    other.begin()
    beside.begin(initWorkloads={"enabled": False})
    beside.platform.git("fetch", "--quiet", str(other.platform.path), "deploy:deploy", "--force")
    beside.reconcile()

    assert beside.files() == {PATHS["none"]}


def test_what_only_some_clones_can_tell_to_be_ours_stays(beside, tmp_path):
    """Written before the repository had an address, for a commit that people have taken from its history since."""
    beside.begin()
    before = beside.platform.tip()
    beside.platform.commit(one())
    beside.reconcile()
    beside.platform.move(before)
    beside.platform.git("clone", "-q", "--mirror", f"file://{beside.platform.path}", str(tmp_path / "clone"))
    clone = Platform(tmp_path / "clone", beside.platform.clock)
    beside.platform.git("remote", "add", "origin", "https://git.example.org/platform.git")
    clone.git("remote", "set-url", "origin", "https://git.example.org/platform.git")
    for platform in (beside.platform, clone):
        platform.reconciler().reconcile()

    assert clone.tips() == beside.platform.tips()
    assert beside.files() == {PATHS["none"]}


def test_what_another_destination_left_there_stays(beside):
    """A commit of ours that does not speak of this Destination."""
    beside.platform.commit(one())
    beside.begin()
    beside.platform.move(str(beside.platform.log()[-1].id))
    beside.platform.remove("works/d.yaml")
    beside.platform.commit({**beside.definition, "destinations/x.yaml": destination(
        "x", mode="none", store="s", path="dev", env="dev")})  # fmt: skip
    beside.reconcile()

    assert beside.files() == {PATHS["none"]}


def test_canary_documents_that_were_left_behind_stay_when_the_destination_comes_again(beside):
    beside.platform.commit({"gitops.yaml": {"commit": {"granularity": "pass"}}, **one()})
    beside.begin("nestedByMetadata", cleanup="none")
    left = {path for path in beside.there.files(at="deploy") if "canary" in path}
    beside.platform.remove("destinations/dev.yaml", "works/d.yaml")
    beside.reconcile()
    beside.begin("none", cleanup="none")

    assert left < beside.there.files(at="deploy").keys()
    assert beside.files() == set()


def test_nothing_leaves_while_a_definition_that_nobody_can_read_may_be_its_own(beside):
    beside.begin()
    beside.platform.commit(one())
    beside.lose(lambda: beside.platform.commit({"works/d.yaml": "kind: [\n"}))
    assert beside.files() == {PATHS["none"]}

    beside.platform.remove("works/d.yaml")
    beside.reconcile()
    assert beside.files() == set()


def test_the_log_is_asked_only_when_something_is_nobodys(beside):
    beside.platform.commit(one())
    beside.begin()
    beside.there.commit({"docs/dev/theirs.yaml": "theirs"}, by=BOB, branch="deploy")
    beside.reconcile()
    beside.platform.commit(one("e"))
    beside.there.commit({"elsewhere.yaml": "theirs"}, by=BOB, branch="deploy")
    with mock.patch.object(history, "last_changed", side_effect=history.last_changed) as asked:
        beside.daemon.reconcile()

    assert not [call for call in asked.call_args_list if "docs/dev/theirs.yaml" in call.args[2]]
