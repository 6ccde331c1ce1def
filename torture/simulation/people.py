"""What people do in a simulation: they change definitions, break them, and meddle with what the daemon writes.

Each returns what an engineer reads in the trace; "" when there was nothing to do it with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from support.definitions import Manifest, destination, store
from support.platform import ADA, BOB, Content, Person
from support.vocabulary import (
    BREAKAGES,
    FILES,
    FOLDERS,
    STORE,
    Choose,
    broken,
    documents,
    some_destination,
    some_work,
)

from torture.simulation.laws import Laws
from torture.simulation.platforms import MemoryPlatform

_OWN = ("works/", "destinations/", "statestores/", "gitops.yaml")
_FOLDERS = ["status", "state", "stored", "docs", "status/works", "status/destinations"]


class People:
    """People and their choices, in the home repository and in those of state stores, by their addresses."""

    def __init__(self, platforms: Mapping[str, MemoryPlatform], laws: Laws) -> None:
        self._platforms, self._laws = platforms, laws
        self._home = platforms[""]
        self._elsewhere = [address for address in platforms if address]

    def begin(self, choose: Choose, output: str) -> None:
        """Make the first commit."""
        made: dict[str, Content] = {
            f"destinations/{name}.yaml": destination(name, env=name) for name in ("dev", "prod")
        }
        for number in range(choose([0, 1, 2])):
            found = some_destination(choose, self._stores())
            made[f"destinations/{found['metadata']['name']}.yaml"] = found
            made[FILES[number]] = some_work(choose)
        for address in self._elsewhere:
            made[f"statestores/{_name(address)}.yaml"] = self._store(choose, _name(address), address, "main", "docs")
        settings = {"output": {"branch": output}, "commit": {"granularity": choose(["auto", "pass"])}}
        self._commit({"gitops.yaml": settings, **made}, "Begin", ADA)

    # definitions

    def define_works(self, choose: Choose) -> str:
        file = choose(FILES)
        found = [some_work(choose) for _ in range(choose([1, 1, 2]))]
        return self._commit({file: found}, f"Define {file}", choose([ADA, BOB]))

    def define_folder_work(self, choose: Choose) -> str:
        folder = choose(FOLDERS)
        inside: dict[str, Content] = {f"{folder}/work.yaml": some_work(choose, folder=True)}
        inside |= {f"{folder}/{path}": text for path, text in documents(choose).items()}
        inside |= {f"{folder}/x/{path}": text for path, text in documents(choose).items()}
        return self._commit(inside, f"Define {folder}", ADA)

    def define_destination(self, choose: Choose) -> str:
        found = some_destination(choose, self._stores())
        file = choose(["", "", "destinations/more.yaml"]) or f"destinations/{found['metadata']['name']}.yaml"
        return self._commit({file: found}, f"Define {file}", ADA)

    def define_store(self, choose: Choose) -> str:
        name = choose([STORE, *map(_name, self._elsewhere)])
        made = self._store(
            choose, name, choose(["", *self._elsewhere]), choose(["documents", "main"]), choose(["", "stored", "docs"])
        )
        return self._commit({f"statestores/{name}.yaml": made}, f"Define the store {name}", BOB)

    def break_definition(self, choose: Choose) -> str:
        if not (file := self._some_definition(choose)):
            return ""
        text = broken(self._home.files()[file].decode(), choose(BREAKAGES))
        return self._commit({file: text}, f"Break {file}", BOB)

    def remove_definition(self, choose: Choose) -> str:
        if not (file := self._some_definition(choose)):
            return ""
        whole = file.endswith("/work.yaml") and choose([True, False])
        return self._remove("", "", file.rpartition("/")[0] if whole else file)

    def rename_definition(self, choose: Choose) -> str:
        file, name = self._some_definition(choose), choose(["renamed.yaml", "moved/a.yaml", "b.yaml"])
        new = f"{file.split('/')[0]}/{name}"
        if not file or new == file:
            return ""
        return self._commit({new: self._home.files()[file], file: None}, f"Rename {file} to {new}", ADA)

    # what the daemon writes

    def meddle(self, choose: Choose) -> str:
        address, branch = self._some_branch(choose)
        found = sorted(p for p in self._platforms[address].blobs(at=branch) if address or not p.startswith(_OWN))
        if not found:
            return ""
        path = choose(found)
        beside = f"{path.rpartition('/')[0]}/foreign.yaml".lstrip("/")
        ways: list[Mapping[str, Content]] = [
            {path: "meddled: true\n"},
            {path: None},
            {beside: "foreign: true\n"},
            {path: None, f"{path}/foreign": "x"},
        ]
        return self._commit(choose(ways), f"Meddle with {path}", BOB, branch, address)

    def remove_output(self, choose: Choose) -> str:
        (address, branch), folder = self._some_branch(choose), choose(_FOLDERS)
        return self._remove(address, branch, folder)

    # branches

    def rewind(self, choose: Choose) -> str:
        address, branch = self._some_branch(choose)
        platform, commits = self._platforms[address], choose([1, 1, 2, 3, 5])
        commit = platform.repo[platform.tip(branch)]
        for _ in range(commits):
            commit = commit.parents[0] if commit.parents else commit
        self._laws.upheaval(lambda: platform.move(str(commit.id), branch))
        return f"force {_shown(address, branch)} back to {str(commit.id)[:7]}"

    def recreate(self, choose: Choose) -> str:
        """Push the same files without their history, or without all that the daemon wrote."""
        address, branch = self._some_branch(choose)
        platform = self._platforms[address]
        files = platform.files(at=branch)
        if choose([True, False]):
            files = {path: raw for path, raw in files.items() if path.startswith(_OWN)}

        def act() -> None:
            platform.move(None, branch)
            platform.commit(files, "Begin anew", BOB, branch)

        self._laws.upheaval(act)
        self._laws.committed(f"{address}#{branch}" if address else branch, made := platform.tip(branch) or "")
        return f"Bob: recreate {_shown(address, branch)} with {len(files)} files: {made[:7]}"

    def remove_branch(self, choose: Choose) -> str:
        address, branch = self._some_branch(choose)
        if not address and branch == "main":
            return ""
        self._laws.upheaval(lambda: self._platforms[address].move(None, branch))
        return f"remove {_shown(address, branch)}"

    def work_beside(self, choose: Choose) -> str:
        """Work on a branch of one's own."""
        if not self._home.tip("side") or choose([False, False, True]):
            self._laws.upheaval(lambda: self._home.move(self._home.tip(), "side"))
        return self._commit({choose(FILES): some_work(choose)}, "Work beside", BOB, "side")

    def merge(self, choose: Choose) -> str:
        if not self._home.tip("side"):
            return ""
        by = choose([ADA, BOB])
        self._laws.upheaval(lambda: self._home.merge("side", by))
        self._laws.committed("main", made := self._home.tip() or "")
        return f"{by.name.split()[0]}: merge side into main: main to {made[:7]}"

    # their ways

    def _commit(
        self, files: Mapping[str, Content], message: str, by: Person, branch: str = "main", address: str = ""
    ) -> str:
        platform = self._platforms[address]
        made = platform.commit(files, message, by, branch)
        self._laws.committed(f"{address}#{branch}" if address else branch, made)
        return f"{by.name.split()[0]}: {message}: {_shown(address, branch)} to {made[:7]}"

    def _remove(self, address: str, branch: str, path: str) -> str:
        platform, branch = self._platforms[address], branch or "main"
        below = [file for file in platform.blobs(at=branch) if file == path or file.startswith(f"{path}/")]
        return self._commit(dict.fromkeys(below), f"Remove {path}", BOB, branch, address) if below else ""

    def _store(self, choose: Choose, name: str, address: str, branch: str, path: str) -> Manifest:
        made = store(name, branch, path)
        if address:
            made["spec"]["url"] = address + choose(["", ".git", "/"])
        return made

    def _stores(self) -> list[str]:
        return ["", "", STORE, *map(_name, self._elsewhere)]

    def _some_definition(self, choose: Choose) -> str:
        found = [path for path in self._home.blobs() if path.startswith(_OWN[:3])]
        return choose(sorted(found)) if found else ""

    def _some_branch(self, choose: Choose) -> tuple[str, str]:
        found = [(a, branch) for a, p in self._platforms.items() for branch in p.tips() if branch != "side"]
        return choose(found)


def _name(address: str) -> str:
    return address.rpartition("/")[2]


def _shown(address: str, branch: str) -> str:
    return f"{_name(address)}'s {branch}" if address else branch


Act = Callable[[Choose], str]


def acts(people: People) -> Sequence[tuple[Act, int]]:
    """All that people do, and how often."""
    return [
        (people.define_works, 8),
        (people.define_folder_work, 2),
        (people.define_destination, 4),
        (people.define_store, 2),
        (people.break_definition, 2),
        (people.remove_definition, 3),
        (people.rename_definition, 1),
        (people.meddle, 3),
        (people.remove_output, 1),
        (people.rewind, 2),
        (people.recreate, 1),
        (people.remove_branch, 1),
        (people.work_beside, 2),
        (people.merge, 1),
    ]
