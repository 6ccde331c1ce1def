"""Whole passes: a file of a small platform is mutated, reconciled, and put back; then all is as if nothing had been."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from random import Random
from time import process_time

import yaml
from support import oracle
from support.definitions import configmap, destination, group, selector, store, work
from support.platform import BOB, Content

from gitops.core import manifests
from torture.corpus import DEFINITIONS
from torture.hostile.proving import PEOPLES, SECONDS, Sealed
from torture.mutators import mutated

_ROUNDS = 3  # mutations of one platform
_SELF = ("works/", "destinations/", "statestores/", "gitops.yaml")

_FILES: Mapping[str, Content] = {
    "gitops.yaml": {"commit": {"author": "Robot <robot@example.org>", "granularity": "pass"}},
    "destinations/dev.yaml": destination("dev", env="dev", cleanup="all", values={"size": 1}),
    "destinations/tf.yaml": destination("tf", mode="none", env="tf", cleanup="all", path="deep/tf"),
    "destinations/edge.yaml": destination("edge", mode="aggregatedYAML", env="edge", cleanup="all"),
    "destinations/far.yaml": destination("far", env="far", cleanup="all", store="s"),
    "statestores/s.yaml": store("s", "documents", "below"),
    "works/a.yaml": work("a", env="dev"),
    "works/b.yaml": work("b", {"b.yaml": configmap("b"), "t.txt.j2": "{{ values.size }}\n"}, request="b", env="dev"),
    "works/c.yaml": [work("c", promise="c", env="tf"), work("d", promise="d", env="far")],
    "works/e.yml": work("e", promise="e", env="edge"),
    "works/g.yaml": work("g", promise="g", env="edge", namespace="team"),
    "works/f/work.yaml": work("f", promise="f", groups=[group(None, selector(env="dev"), directory=".")]),
    "works/f/x.yaml": configmap("f"),
    "works/f/y.txt.j2": "{{ destination.metadata.name }}\n",
    **PEOPLES,
}  # fmt: skip


def attempt(folder: Path, chance: Random) -> int:
    """Mutate files of one platform, one after the other. Return the number of passes."""
    folder.mkdir(parents=True)
    fuzzed = _Fuzzed(folder)
    for _ in range(_ROUNDS):
        fuzzed.disturb(chance)
    return fuzzed.passes


class _Fuzzed:
    def __init__(self, folder: Path) -> None:
        self.platform, self.passes = Sealed(folder / "platform.git"), 0
        self.platform.commit(_FILES)
        self._pass()
        self.documents, self.facts = self._documents(), self._facts()
        assert all(conditions["Ready"][0] == "True" for conditions in self.facts.values()), self.facts

    def disturb(self, chance: Random) -> None:
        """Mutate one file, reconcile, put it back, reconcile: nobody else notices, and nothing stays of it."""
        there = self.platform.files()
        path = chance.choice(sorted(p for p in there if p not in PEOPLES and not p.endswith("README.md")))
        raw = mutated(chance, (there[path], there[path], there[path], chance.choice(DEFINITIONS)))
        if path == "gitops.yaml" and _moves_output(raw):
            return
        try:
            self.platform.commit({path: raw}, f"Mutate {path}", BOB)
            self._pass()
            self._others_are_as_they_were(path)
            self.platform.commit({path: there[path]}, f"Put back {path}", BOB)
            self._pass()
            self._is_as_it_was(path)
        except BaseException as error:
            error.add_note(f"{path} was {raw!r}")
            raise

    def _pass(self) -> None:
        """A pass that keeps the laws; then none more, whoever makes it."""
        before = oracle.look(self.platform)
        self.platform.clock.advance()
        begun = process_time()
        self.platform.reconcile()
        spent = process_time() - begun
        assert spent < SECONDS, f"a pass of {spent:.1f} s"
        after = oracle.judge(self.platform, before)
        for daemon in (self.platform, self.platform.reconciler()):
            daemon.reconcile()
            assert oracle.look(self.platform).tips == after.tips, self.platform.log()[0].message
        self.passes += 3

    def _documents(self) -> dict[str, bytes]:
        far = self.platform.files(at="documents")
        return self.platform.files("state/") | {f"documents:{path}": raw for path, raw in far.items()}

    def _facts(self) -> dict[str, dict[str, tuple[str, str, str]]]:
        """The conditions of all objects."""
        return {
            file: {c["type"]: (c["status"], c["reason"], c["message"]) for c in status["status"]["conditions"]}
            for file, status in self.platform.statuses().items()
        }

    def _others_are_as_they_were(self, path: str) -> None:
        """What a Work says about itself changes nothing of what others have; and the files of people stay."""
        there = self.platform.files()
        assert all(there.get(file) == str(text).encode() for file, text in PEOPLES.items()), "a file of people changed"
        assert all(there[f] == raw for f, raw in self._definitions(there, path)), "a definition changed"
        if path.startswith("works/"):
            name = Path(path).stem if path.count("/") == 1 else "f"
            own = {"c": ("/tf/", "documents:")}.get(name, (f"/{name}/", f"/{name}.yaml", "/redis/", "/edge/"))
            now = self._documents()
            for file, raw in self.documents.items():
                assert now.get(file) == raw or any(part in file for part in own), f"{file} changed"

    def _definitions(self, there: Mapping[str, bytes], path: str) -> list[tuple[str, bytes]]:
        return [(f, _raw(c)) for f, c in _FILES.items() if f != path and f.startswith(_SELF) and f in there]

    def _is_as_it_was(self, path: str) -> None:
        now, facts = self._documents(), self._facts()
        left = set(now) - set(self.documents) if path.startswith(("destinations/", "statestores/")) else set()
        now = {file: raw for file, raw in now.items() if file not in left}  # as its policy said meanwhile
        assert now == self.documents, sorted(set(now.items()) ^ set(self.documents.items()))[:3]
        facts = {file: found for file, found in facts.items() if file in self.facts or found["Ready"][0] == "True"}
        assert facts == self.facts, sorted(
            file for file in facts.keys() | self.facts if facts.get(file) != self.facts.get(file)
        )


def _moves_output(raw: bytes) -> bool:
    settings, _ = manifests.load_settings("gitops.yaml", raw)
    return settings is not None and bool(settings.output.branch)


def _raw(content: Content) -> bytes:
    if isinstance(content, str):
        return content.encode()
    documents = [content] if isinstance(content, Mapping) else list(content or ())
    return yaml.safe_dump_all(documents, sort_keys=False).encode()
