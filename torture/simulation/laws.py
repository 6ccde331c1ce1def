"""What must hold of a history: the laws of the oracle, and that people's commits stay where people left them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from support import model, oracle

from gitops.core import urls
from torture.simulation.platforms import MemoryPlatform


class Laws:
    """Judges all repositories together, again and again; `human` are people's commits by branch."""

    def __init__(self, everything: MemoryPlatform, home: str) -> None:
        self._all, self.home = everything, home
        self.human: dict[str, set[str]] = {}
        self._removed: dict[str, set[str]] = {}
        self._forgotten: frozenset[str] = frozenset()
        self._strange: frozenset[str] = frozenset()
        self.begin()

    def begin(self) -> None:
        """Judge from here on.

        KNOWN: what stands in a repository that no definition leads to, not even the last good one of a store that is
        broken now, goes only if a daemon runs that knows the way by a definition of old. It is left out until something
        is Ready there: a store that has vanished while a file cannot be read is still written to.
        """
        self._all.hidden = set()
        self._before = self._look()
        statuses = self._before.statuses
        definitions = [*self._all.files("statestores/").values(), *self._last_good(statuses)]
        told = b"".join(definitions).decode("utf-8", "replace")
        self._strange = frozenset(address for address in self._all.hosts if address not in told)
        self._before = replace(self._before, strange=self._strange)
        self._all.hidden = set(self._strange) - self._written(statuses)

    def committed(self, branch: str, commit: str) -> None:
        """People made a *commit* on *branch*."""
        self.human.setdefault(branch, set()).add(commit)
        if self._before.standing:  # what stands in place of a recorded status is theirs to change
            self.single_commits()

    def single_commits(self) -> None:
        """Judge every commit since the beginning."""
        oracle.judge_log(self._all, self._before)
        self._people()
        self.begin()

    def undisturbed(self) -> None:
        """Judge what passes since the beginning made of the definitions, with nobody and nothing in their way."""
        self._all.hidden -= self._written(self._look().statuses)
        after = oracle.judge(self._all, self._before)
        model.judge(self._all, after)
        self._people()
        self.begin()

    def upheaval(self, act: Callable[[], object]) -> None:
        """Let people rewind, merge, remove or recreate branches: what they remove may never come back."""
        self.single_commits()
        before = self._commits()
        act()
        after = self._commits()
        self._forgotten |= {commit for branch, log in before.items() for commit in log - after.get(branch, set())}
        for branch, log in before.items():
            address = urls.split_branch(branch)[0]
            self._removed.setdefault(address, set()).update(log & self.human.get(branch, set()))
        for branch, log in after.items():
            self._removed.get(urls.split_branch(branch)[0], set()).difference_update(log)
        self.human = {branch: self.human.get(branch, set()) & log for branch, log in after.items()}
        self.begin()

    @property
    def seen(self) -> list[str]:
        """The addresses of the repositories that daemons know the way to."""
        return [address for address in self._all.hosts if address not in self._strange]

    @property
    def abandons(self) -> bool:
        """Whether documents of a Destination are recorded where only a definition of old leads.

        Of one that is removed then the log says that they went or that they stay, as the daemon knew the way or not.
        """
        places = [s["status"].get("branch", "") for s in self._before.statuses.values() if s["kind"] == "Destination"]
        return any(urls.split_branch(place)[0] in self._strange for place in places)

    def _last_good(self, statuses: oracle.Statuses) -> Iterator[bytes]:
        """List the definitions that status was made from, of the state stores in files that still stand."""
        log, files = {str(commit.id) for commit in self._all.log()}, self._all.blobs("statestores/")
        for status in statuses.values():
            commit, source = (status["status"].get(key, "") for key in ("observedCommit", "source"))
            if commit in log and source in files:
                yield from self._all.files(source, at=commit).values()

    def _written(self, statuses: oracle.Statuses) -> set[str]:
        """Name the repositories in which something is Ready."""
        ready = " ".join(status["status"].get("branch", "") for status in statuses.values() if _ready(status))
        return {address for address in self._all.hosts if address in ready}

    def _look(self) -> oracle.Scene:
        return replace(oracle.look(self._all, self.home), forgotten=self._forgotten, strange=self._strange)

    def _commits(self) -> Mapping[str, set[str]]:
        return {branch: {str(commit.id) for commit in self._all.log(branch)} for branch in self._all.tips()}

    def _people(self) -> None:
        found = self._commits()
        for branch, commits in self.human.items():
            lost = commits - found[branch] if branch in found else set()
            assert urls.split_branch(branch)[0] in self._all.hidden or branch in found, f"{branch} is gone"
            assert not lost, f"{branch} lost commits of people: {sorted(lost)}"
        for branch, log in found.items():
            back = self._removed.get(urls.split_branch(branch)[0], set()) & log
            assert not back, f"{branch} has what people removed: {sorted(back)}"


def _ready(status: oracle.Status) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in status["status"]["conditions"])
