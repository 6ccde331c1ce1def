"""The laws, over random histories: whatever people do, in whatever order, and wherever a pass is cut off."""

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from unittest import mock

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from support import model, oracle, vocabulary
from support.definitions import destination, store
from support.platform import ADA, BOB, Platform
from support.vocabulary import DESTINATIONS, FILES, FOLDERS, STORE

from gitops.cache import Cache
from gitops.git import refs
from gitops.reconciler import Planned
from gitops.views.plan import files


def chosen(some):
    """Let Hypothesis choose where `vocabulary` asks for it."""
    return st.composite(lambda draw, **how: some(lambda options: draw(st.sampled_from(options)), **how))


DOCUMENTS = chosen(vocabulary.documents)()
works, destinations = chosen(vocabulary.some_work), chosen(vocabulary.some_destination)


class History(RuleBasedStateMachine):
    """People change definitions and meddle with what the daemon writes; two daemons, and a new one, answer."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="gitops-laws-"))
        self.platform = Platform(self.folder / "platform.git")
        self.caches = [Cache(self.folder, name) for name in "ab"]
        self.daemons = [self.platform.reconciler(cache) for cache in self.caches]
        self.home = "main"

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    @initialize(
        output=st.sampled_from(["", "", "out"]),
        granularity=st.sampled_from(["auto", "pass"]),
        found=st.dictionaries(st.sampled_from(FILES), works(), max_size=2),
        places=st.lists(destinations(), max_size=2),
    )
    def begin(self, output, granularity, found, places):
        self.home = output or "main"
        ready = [destination(name, env=name) for name in DESTINATIONS[:2]]
        files = {f"destinations/{d['metadata']['name']}.yaml": d for d in [*ready, *places]} | found
        chosen = {"output": {"branch": output}, "commit": {"granularity": granularity}}
        self.platform.commit({"gitops.yaml": chosen, **files}, "Begin")

    # people change definitions

    @rule(file=st.sampled_from(FILES), found=st.lists(works(), min_size=1, max_size=2), who=st.sampled_from([ADA, BOB]))
    def define_works(self, file, found, who):
        self.platform.commit({file: found}, f"Define {file}", who)

    @rule(folder=st.sampled_from(FOLDERS), found=works(folder=True), files=DOCUMENTS, more=DOCUMENTS)
    def define_folder_work(self, folder, found, files, more):
        inside = {f"{folder}/{path}": text for path, text in files.items()}
        inside |= {f"{folder}/x/{path}": text for path, text in more.items()}
        self.platform.commit({f"{folder}/work.yaml": found, **inside}, f"Define {folder}")

    @rule(found=destinations(), file=st.sampled_from(["", "destinations/more.yaml"]))
    def define_destination(self, found, file):
        file = file or f"destinations/{found['metadata']['name']}.yaml"
        self.platform.commit({file: found}, f"Define {file}")

    @rule(branch=st.sampled_from(["documents", "main"]), path=st.sampled_from(["", "stored"]))
    def define_store(self, branch, path):
        self.platform.commit({f"statestores/{STORE}.yaml": store(STORE, branch, path)}, "Define the store")

    @precondition(lambda self: self._definitions())
    @rule(data=st.data(), how=st.sampled_from(vocabulary.BREAKAGES))
    def break_definition(self, data, how):
        file = self._choose(data, self._definitions())
        self.platform.commit({file: vocabulary.broken(self.platform.files()[file].decode(), how)}, f"Break {file}")

    @precondition(lambda self: self._definitions())
    @rule(data=st.data(), whole=st.booleans())
    def remove_definition(self, data, whole):
        file = self._choose(data, self._definitions())
        self.platform.remove(file.rpartition("/")[0] if whole and file.endswith("/work.yaml") else file)

    @precondition(lambda self: self._definitions())
    @rule(data=st.data(), name=st.sampled_from(["renamed.yaml", "moved/a.yaml", "b.yaml"]))
    def rename_definition(self, data, name):
        file = self._choose(data, self._definitions())
        if file != f"{file.split('/')[0]}/{name}":
            self.platform.rename(file, f"{file.split('/')[0]}/{name}")

    def _definitions(self) -> list[str]:
        return sorted(p for p in self.platform.blobs() if p.split("/")[0] in ("works", "destinations", "statestores"))

    @staticmethod
    def _choose(data, found):
        return data.draw(st.sampled_from(found))

    # people meddle with what the daemon writes, and with the branch

    def _written(self) -> list[tuple[str, str]]:
        found = [(branch, path) for branch in self._branches() for path in self.platform.blobs(at=branch)]
        own = ("works/", "destinations/", "statestores/", "gitops.yaml")
        return sorted((branch, path) for branch, path in found if not path.startswith(own))

    def _branches(self) -> list[str]:
        return [branch for branch in ("main", "out", "documents") if self.platform.tip(branch)]

    @precondition(lambda self: self._written())
    @rule(data=st.data(), how=st.sampled_from(["edit", "remove", "beside", "below"]))
    def meddle(self, data, how):
        branch, path = self._choose(data, self._written())
        beside = f"{path.rpartition('/')[0]}/foreign.yaml".lstrip("/")
        changes = {
            "edit": {path: "meddled: true\n"},
            "remove": {path: None},
            "beside": {beside: "foreign: true\n"},
            "below": {path: None, f"{path}/foreign": "x"},
        }
        self.platform.commit(changes[how], f"Meddle with {path}", BOB, branch)

    @rule(folder=st.sampled_from(["status", "state", "stored", "status/works", "status/destinations"]))
    def remove_output(self, folder):
        for branch in self._branches():
            if self.platform.blobs(f"{folder}/", at=branch):
                self.platform.remove(folder, by=BOB, branch=branch)

    @rule(commits=st.integers(1, 5), which=st.sampled_from(["main", "home"]))
    def rewind(self, commits, which):
        branch = self.home if which == "home" else "main"
        if self.platform.tip(branch):
            commit = self.platform.repo[self.platform.tip(branch)]
            for _ in range(commits):
                commit = commit.parents[0] if commit.parents else commit
            self.platform.move(str(commit.id), branch)

    @rule()
    def cut_side_branch(self):
        self.platform.move(self.platform.tip(), "side")

    @precondition(lambda self: self.platform.tip("side"))
    @rule(file=st.sampled_from(FILES), found=works())
    def work_on_side_branch(self, file, found):
        self.platform.commit({file: found}, f"Define {file} beside", BOB, "side")

    @precondition(lambda self: self.platform.tip("side"))
    @rule()
    def merge_side_branch(self):
        self.platform.merge("side")

    # passes

    @rule(number=st.sampled_from([0, 0, 1]), seconds=st.sampled_from([0, 1, 3600, -7200]))
    def reconcile(self, number, seconds):
        self.platform.clock.advance(seconds)
        self._pass(self.daemons[number].reconcile)

    @rule()
    def reconcile_a_minute_later(self):
        self.reconcile(0, 60)

    @rule(number=st.sampled_from([0, 1]))
    def restart_and_reconcile(self, number):
        self.daemons[number] = self.platform.reconciler()
        self.reconcile(number, 60)

    @rule(number=st.sampled_from([0, 1]))
    def keep(self, number):
        """A daemon keeps what it has in mind; when it comes back to it, much may have happened."""
        self.daemons[number].keep()

    @rule(number=st.sampled_from([0, 1]), whose=st.sampled_from([0, 1]))
    def restart_with_what_was_kept(self, number, whose):
        self.daemons[number] = self.platform.reconciler(self.caches[whose])
        self.reconcile(number, 60)

    @rule(number=st.sampled_from([0, 1]), moves=st.integers(0, 2), done=st.booleans())
    def cut_off(self, number, moves, done):
        """The daemon dies at a move of a ref: before it, or just after it."""
        real, left = refs.move, [moves]

        def move(*arguments):
            left[0] -= 1
            if left[0] < 0:
                if done:
                    real(*arguments)
                raise KeyboardInterrupt
            real(*arguments)

        self._disturbed(number, move)

    @rule(number=st.sampled_from([0, 1]), file=st.sampled_from(FILES), found=works())
    def race(self, number, file, found):
        """A person commits at the moment at which a ref is to be moved."""
        real, done = refs.move, []

        def move(*arguments):
            if not done:
                done.append(self.platform.commit({file: found}, f"Race with {file}", BOB))
            real(*arguments)

        before = oracle.look(self.platform, self.home)
        self._disturbed(number, move)
        if done:
            oracle.judge(self.platform, before)

    def _disturbed(self, number: int, move: Callable[..., None]) -> None:
        with mock.patch.object(refs, "move", move):
            try:
                self.daemons[number].reconcile()
            except KeyboardInterrupt:
                self.daemons[number] = self.platform.reconciler()

    def _pass(self, reconcile) -> None:
        before = oracle.look(self.platform, self.home)
        planned = self.platform.reconciler().plan()
        reconcile()
        after = oracle.judge(self.platform, before, f"{self.platform.clock():%Y-%m-%dT%H:%M:%SZ}")
        model.judge(self.platform, after)
        self._is_planned(planned, before, after)
        self._again(before, after)
        self._nothing_more(after)

    def _is_planned(self, planned: Planned | None, before: oracle.Scene, after: oracle.Scene) -> None:
        """The plan named the documents that differ now, and told whether there would be any commit."""
        told = {(file.branch, file.path) for file in files(planned.plan, planned.objects)} if planned else set()
        changed = self._documents(before.tips).items() ^ self._documents(after.tips).items()
        assert told == {place for place, _ in changed}
        assert bool(planned and planned.writes) == (before.tips != after.tips)

    def _documents(self, tips: Mapping[str, str]) -> dict[tuple[str, str], str]:
        found = {(branch, path): blob for branch in tips for path, blob in self.platform.blobs(at=tips[branch]).items()}
        return {place: blob for place, blob in found.items() if not place[1].startswith("status/")}

    def _again(self, before: oracle.Scene, after: oracle.Scene) -> None:
        """A daemon that has seen nothing makes the very same commits."""
        for branch in after.tips:
            self.platform.move(before.tips.get(branch), branch)
        self.platform.reconciler().reconcile()
        assert self._tips() == after.tips, self._difference(after)
        for branch, tip in after.tips.items():
            self.platform.move(tip, branch)

    def _tips(self):
        return oracle.look(self.platform, self.home).tips

    def _difference(self, after) -> str:
        now = oracle.look(self.platform, self.home)
        branch = next(b for b in sorted(after.tips) if after.tips[b] != now.tips.get(b))
        said = self.platform.git("log", "-4", "--format=%s%n%b", after.tips[branch])
        diff = self.platform.git("diff", after.tips[branch], now.tips[branch]) if branch in now.tips else "no branch"
        return f"{branch} differs:\n{diff}\n{said}\n{self.platform.git('log', '-4', '--format=%s%n%b', branch)}"

    def _nothing_more(self, after: oracle.Scene) -> None:
        """The next pass writes nothing, whoever makes it and whatever the clock says."""
        now = self.platform.clock.now
        for daemon, seconds in (
            (self.daemons[0], 1),
            (self.daemons[1], 86_400),
            (self.platform.reconciler(), -86_400 * 2),
        ):
            self.platform.clock.advance(seconds)
            daemon.reconcile()
            assert self._tips() == after.tips, self._difference(after)
        self.platform.clock.now = now

    @rule()
    def the_repository_is_sound(self):
        assert self.platform.git("fsck", "--strict", "--no-dangling") == ""


MANY = os.environ.get("GITOPS_HISTORIES")  # how many histories to try, for long runs; each run then tries others
History.TestCase.settings = settings(
    max_examples=int(MANY or 40),
    stateful_step_count=30 if MANY else 15,
    derandomize=not MANY,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
test_any_history = History.TestCase
