"""The laws with state stores elsewhere: some refuse, go away or lose their history, and people meddle there."""

import os
import shutil
import tempfile
from itertools import count
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from support.definitions import configmap, destination, store, work
from support.platform import BOB, Platform
from support.servers import hook

from gitops.branches import Branches
from gitops.core.render import render
from gitops.git.remote import Remote
from gitops.git.repository import Repository
from gitops.reconciler import Reconciler
from gitops.secrets import Secrets
from gitops.stores import Stores
from gitops.views.plan import files

NAMES, PLACES, MODES = ["s", "t"], ["dev", "prod"], ["nestedByMetadata", "none", "aggregatedYAML"]


@pytest.fixture(autouse=True)
def allowed():
    """Let definitions name paths."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_ALLOW_PROTOCOL", "file")
        yield


class Remotes(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="gitops-laws-"))
        self.platform = Platform(self.folder / "platform.git")
        self.stores = {name: Platform(self.folder / f"{name}.git") for name in NAMES}
        self.seconds = count(0.0, 10_000.0)  # each look at the clock is long after the last: nothing waits
        self.daemons = [self.daemon(), self.daemon()]
        self.refusing: set[str] = set()

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    def daemon(self) -> Reconciler:
        repo = Repository.open(self.platform.path)
        stores = Stores(repo, Secrets(None, {}), now=lambda: next(self.seconds))
        return Reconciler(repo, "main", self.platform.clock, render, branches=Branches(repo, stores))

    @initialize(where=st.sampled_from([("s", "s"), ("s", "t"), ("", "s")]))
    def begin(self, where):
        made = {f"statestores/{name}.yaml": self._store(name, name) for name in NAMES}
        made |= {
            f"destinations/{name}.yaml": destination(name, store=at, env=name, cleanup="all")
            for name, at in zip(PLACES, where, strict=True)
        }
        self.platform.commit({**made, "works/all.yaml": work("all", {"all.yaml": configmap("all")})})

    def _store(self, name, repository):
        made = store(name, "main", "docs")
        made["spec"]["url"] = f"file://{self.folder}/{repository}.git"
        return made

    @rule(name=st.sampled_from("ab"), env=st.sampled_from([*PLACES, "none"]), text=st.sampled_from(["x", "y"]))
    def define_work(self, name, env, text):
        documents = {f"{name}.yaml": configmap(name, text)}
        self.platform.commit({f"works/{name}.yaml": work(name, documents, request=name, env=env)})

    @rule(name=st.sampled_from("ab"))
    def remove_work(self, name):
        self.platform.remove(f"works/{name}.yaml")

    @rule(name=st.sampled_from(PLACES), at=st.sampled_from(["", *NAMES]), mode=st.sampled_from(MODES))
    def move_destination(self, name, at, mode):
        made = destination(name, store=at, env=name, cleanup="all", mode=mode)
        self.platform.commit({f"destinations/{name}.yaml": made})

    @rule(name=st.sampled_from(NAMES), text=st.sampled_from(["mine", None]))
    def meddle(self, name, text):
        files = sorted(self.stores[name].files("docs/")) if self._is_there(name) else []
        if files:
            self.stores[name].commit({files[0]: text, "docs/theirs.txt": "theirs"}, by=BOB)

    @rule(name=st.sampled_from(NAMES), commits=st.integers(1, 3))
    def rewind(self, name, commits):
        if self._is_there(name) and self.stores[name].tip():
            self.stores[name].rewind(commits)

    @rule(name=st.sampled_from(NAMES))
    def go_away_or_come_back(self, name):
        here, away = self.folder / f"{name}.git", self.folder / f"{name}.away"
        here.rename(away) if here.exists() else away.rename(here)

    @rule(name=st.sampled_from(NAMES), code=st.sampled_from([0, 1]))
    def refuse_or_not(self, name, code):
        if self._is_there(name):
            hook(self.folder / f"{name}.git", "pre-receive", f"exit {code}")
            (self.refusing.add if code else self.refusing.discard)(name)

    def _is_there(self, name):
        return (self.folder / f"{name}.git").exists()

    @rule()
    def reconcile_by_the_first(self):
        self.reconcile(0)

    @rule()
    def reconcile_by_the_second(self):
        self.reconcile(1)

    @rule(name=st.sampled_from("ab"), text=st.sampled_from(["x", "y"]))
    def answer(self, name, text):
        self.define_work(name, "dev", text)
        self.reconcile(0)

    def reconcile(self, number):
        before, documents, planned = self._tips(), self._documents(), self.daemon().plan()
        self.platform.clock.advance()
        self.daemons[number].reconcile()
        after = self._tips()
        self._judge()
        if not self.refusing:  # a plan asks nobody whether he would take it
            assert planned.writes == (before != after)
            assert self._told(planned) == {place for place, _ in documents.items() ^ self._documents().items()}
        self._put_back(before)
        self.daemon().reconcile()
        assert self._tips() == after, self._difference(after)
        for daemon in (*self.daemons, self.daemon()):
            self.platform.clock.advance()
            daemon.reconcile()
            assert self._tips() == after, self._difference(after)

    def _told(self, planned):
        """Return the files that a plan says are changed, by the name of the store and their paths."""
        changed = files(planned.plan, planned.objects)
        return {(file.branch.partition(".git#")[0].rpartition("/")[2], file.path) for file in changed}

    def _documents(self):
        there = {"main": self.platform, **{n: s for n, s in self.stores.items() if self._is_there(n) and s.tip()}}
        found = {(name, path): blob for name, at in there.items() for path, blob in at.blobs().items()}
        return {place: blob for place, blob in found.items() if not place[1].startswith("status/")}

    def _tips(self):
        return {"": self.platform.tip(), **{n: self.stores[n].tip() for n in NAMES if self._is_there(n)}}

    def _put_back(self, tips):
        self.platform.move(tips[""])
        for name in tips.keys() - {""}:
            if self.stores[name].tip() != tips[name]:
                self.stores[name].move(tips[name])

    def _difference(self, after):
        now = self.platform.tip()
        return self.platform.git("log", "-3", "-p", now) + "\nINSTEAD OF\n" + self.platform.git("log", "-3", after[""])

    def _judge(self):
        """What is Ready stands on the tip of the branch that its status names, and what does not is not Ready."""
        for file, status in self.platform.statuses().items():
            found = status["status"]
            ready = next(c for c in found["conditions"] if c["type"] == "Ready")["status"] == "True"
            branch, inventory = found.get("branch", ""), found.get("inventory", {})
            name = branch.partition(".git#")[0].rpartition("/")[2]
            if ready and inventory:
                assert not name or self._is_there(name), file
                there = self.stores[name].blobs() if name else self.platform.blobs()
                assert inventory.items() <= there.items(), file


def test_a_store_that_refuses_is_told_of_in_one_commit_whoever_was_there_before():
    """A daemon that was there wrote a second commit, for what it had not looked at in the first."""
    history = Remotes()
    history.begin(("s", "s"))
    history.reconcile(0)
    history.refuse_or_not("s", 1)
    history.answer("a", "y")
    history.teardown()


@pytest.mark.parametrize("known", [False, True], ids=["a newcomer", "one that knew another store"])
def test_a_version_that_people_removed_does_not_come_back_by_whoever_pushed_it(known):
    """Held up after its push, it took the store for what it had left there, and a later status for wrong."""
    history = Remotes()
    history.begin(("s", "s") if not known else ("", ""))
    platform, there = history.platform, history.stores["s"]

    class HeldUp(Stores):
        def push(self, moves):
            failures = super().push(moves)
            there.move(None)
            platform.clock.advance()
            history.daemons[0].reconcile()
            return failures

    platform.git("init", "-q", "--bare", str(history.folder / "clone.git"))
    clone = Repository.open(history.folder / "clone.git")
    stores, origin = HeldUp(clone, Secrets(None, {}), now=lambda: 0.0), Remote(clone, f"file://{platform.path}")
    late = Reconciler(clone, "main", platform.clock, render, branches=Branches(clone, stores, origin))
    if known:
        late.reconcile()
        history.move_destination("dev", "s", "none")
    late.reconcile()

    log = {str(commit.id) for commit in there.log()}
    placed = [s["status"] for s in platform.statuses().values() if s["kind"] == "WorkPlacement"]
    versions = {status["versionID"] for status in placed if "branch" in status}
    assert versions
    assert versions <= log
    history.teardown()


Remotes.TestCase.settings = settings(
    max_examples=int(os.environ.get("GITOPS_HISTORIES") or 8),
    stateful_step_count=10,
    derandomize=not os.environ.get("GITOPS_HISTORIES"),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
    phases=[Phase.generate],  # a counterexample as it was found: shrinking takes minutes
)
test_any_history_of_remotes = Remotes.TestCase
