"""What people do to a platform between two passes: a few changes in one commit, by chance."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

import pygit2
from support.definitions import configmap, destination, group, selector, work
from support.platform import ADA, BOB, Content, Person, Platform

Files = dict[str, Content]
Change = Callable[[random.Random, Mapping[str, bytes]], Files]
"""Returns the files that change, of those that are there."""

_ATTEMPTS = 200
_PLACES = ("dev", "prod", "edge", "far")


def base(store: Content = None) -> Files:
    """Return a platform with a Destination of each mode, and one in *store*, if there is any."""
    files: Files = {
        "destinations/dev.yaml": destination("dev", env="dev"),
        "destinations/prod.yaml": destination("prod", mode="none", env="prod", cleanup="all"),
        "destinations/edge.yaml": destination("edge", mode="aggregatedYAML", env="edge"),
        "works/f/work.yaml": work("f", promise="f", groups=[group(None, selector(env="dev"))]),
        "works/f/x.yaml": configmap("f"),
    }
    for number, env in enumerate(_PLACES):
        files[f"works/{number}.yaml"] = work(f"w{number}", promise=f"p{number}", env=env)
    files["works/8.yaml"] = work("w8", promise="p8", request="r8", env="dev")
    if store:
        files["statestores/fleet.yaml"] = store
        files["destinations/far.yaml"] = destination("far", store="fleet", env="far", cleanup="all")
    return files


def make(platform: Platform, chance: random.Random, *, store: bool, many: bool = False) -> None:
    """Let people commit something, or *many* things at once."""
    chosen = chance.sample(_CHANGES, len(_CHANGES) // 2 if many else chance.randint(1, 3))
    if store and (many or chance.random() < 0.7):
        chosen.append(_far)
    there = platform.files()
    found: Files = {}
    for change in chosen:
        found |= change(chance, there)
    files = {path: content for path, content in found.items() if content is not None or path in there}
    platform.commit(files or {"README.md": f"{chance.random()}\n"}, "Change", chance.choice([ADA, BOB]))


class Contributor(Platform):
    """Somebody who commits beside daemons, and never on a tip that has moved."""

    def change(self, chance: random.Random, *, store: bool) -> None:
        """Commit something, as soon as nobody is in between."""
        seed = chance.random()
        for _ in range(_ATTEMPTS):
            with suppress(pygit2.GitError, OSError, ValueError):
                make(self, random.Random(seed), store=store)
                return
            time.sleep(0.02)
        raise AssertionError("people cannot commit")

    def _record(self, branch: str, tree: pygit2.Oid, parents: Sequence[str], message: str, by: Person) -> str:
        who = pygit2.Signature(*by, int(self.clock.now.timestamp()), 0)
        return str(self.repo.create_commit(f"refs/heads/{branch}", who, who, message, tree, list(parents)))


def _work(chance: random.Random, name: str, env: str) -> Content:
    text = f"{chance.random()}"
    documents = {f"{name}-{part}.yaml": configmap(f"{name}-{part}", text) for part in "xy"[: chance.randint(1, 2)]}
    request = f"r-{name}" if chance.random() < 0.4 else ""
    return work(name, documents, promise=f"p-{name}", request=request, env=env)


def _add(chance: random.Random, there: Mapping[str, bytes]) -> Files:
    names = [f"n{chance.randrange(20)}" for _ in range(chance.choice([1, 1, 3]))]
    return {f"works/{name}.yaml": _work(chance, name, chance.choice(_PLACES)) for name in names}


def _edit(chance: random.Random, there: Mapping[str, bytes]) -> Files:
    number = chance.randrange(4)
    documents = {"x.yaml": configmap(f"w{number}", f"{chance.random()}")}
    return {f"works/{number}.yaml": work(f"w{number}", documents, promise=f"p{number}", env=_PLACES[number])}


def _far(chance: random.Random, there: Mapping[str, bytes]) -> Files:
    return {f"works/{name}.yaml": _work(chance, name, "far") for name in ("far1", "far2")[: chance.randint(1, 2)]}


def _remove(chance: random.Random, there: Mapping[str, bytes]) -> Files:
    return {f"works/{chance.randrange(4)}.yaml": None}


def _edit_folder(chance: random.Random, there: Mapping[str, bytes]) -> Files:
    return {"works/f/y/z.yaml": configmap("z", f"{chance.random()}"), "works/f/x.yaml": configmap("f", "new")}


def _relabel(chance: random.Random, there: Mapping[str, bytes]) -> Files:
    return {"destinations/dev.yaml": destination("dev", env=chance.choice(["dev", "other"]), tier="a")}


def _move(chance: random.Random, there: Mapping[str, bytes]) -> Files:
    made = destination("prod", mode="none", env="prod", path=chance.choice(["elsewhere", "a/b"]), cleanup="all")
    return {"destinations/prod.yaml": made}


def _move_store(chance: random.Random, there: Mapping[str, bytes]) -> Files:
    if "statestores/fleet.yaml" not in there:
        return {}
    name = chance.choice(["dev", "prod"])
    return {f"destinations/{name}.yaml": destination(name, store="fleet", env=name, cleanup="all")}


def _remove_destination(chance: random.Random, there: Mapping[str, bytes]) -> Files:
    return {f"destinations/{chance.choice(['prod', 'edge'])}.yaml": None}


def _break(chance: random.Random, there: Mapping[str, bytes]) -> Files:
    wrong: Content = {**work("broken"), "spec": 1}
    return {f"works/{chance.randrange(4)}.yaml": wrong if chance.random() < 0.5 else "a: ["}


def _meddle(chance: random.Random, there: Mapping[str, bytes]) -> Files:
    documents = sorted(path for path in there if path.startswith("state/"))
    return {chance.choice(documents): chance.choice(["meddled: true\n", None])}


def _lose_status(chance: random.Random, there: Mapping[str, bytes]) -> Files:
    return dict.fromkeys(path for path in there if path.startswith("status/works"))


_CHANGES: list[Change] = [
    _add, _add, _edit, _edit, _remove, _edit_folder, _relabel, _move, _move_store, _remove_destination, _break,
    _meddle, _lose_status,
]  # fmt: skip
