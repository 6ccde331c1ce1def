"""Definitions as random people write them: good, odd and wrong. Chance comes in as `choose`: one of several, whichever.

Hypothesis chooses so that a counterexample can be made short, a simulation as its seed tells.
"""

from collections.abc import Callable, Sequence
from typing import Any

from support.definitions import Manifest, configmap, destination, group, selector, work

Choose = Callable[[Sequence[Any]], Any]

FILES = ["works/a.yaml", "works/b.yaml", "works/team/c.yaml", "works/all.yml"]
FOLDERS = ["works/f", "works/team/g"]
DESTINATIONS = ["dev", "prod", "edge"]
STORE = "side"
ENVIRONMENTS = ["dev", "prod", "none"]
BREAKAGES = ["a: [", "kind: Wrok\n", "", "spec: 1", "extra"]

_PATHS = ["x.yaml", "y.txt", "sub", "sub/x.yaml", "t.yaml.j2"]
_BAD_DOCUMENTS = [
    {"../x.yaml": configmap("one")},
    {".git/config": "x"},
    {"x.yaml": "kind: Nothing\n"},
    {"x.yaml": "a: [\n"},
    {"x.yaml": configmap("one"), "z.yaml": configmap("one")},
    {"t.yaml.j2": "{{ values.nothing }}\n"},
    {"x.yaml": "H4sIAAAAbroken"},
]
_FIELDS: dict[str, list[Any]] = {
    "path": ["shared", "deep/er", "deep"],
    "agent": ["flux", "argocd", "none"],
    "filename": ["all.yaml", "other.yaml"],
    "strictMatchLabels": [True],
    "initWorkloads": [{"enabled": False}],
    "values": [{"size": 9}],
}


def documents(choose: Choose) -> dict[str, str]:
    """Up to two documents, by their paths."""
    return {path: _text(choose, path) for path in (choose(_PATHS) for _ in range(choose([0, 1, 2])))}


def _text(choose: Choose, path: str) -> str:
    text = configmap(choose(["one", "two", "three"]), choose(["a", "b"]))
    template = "text: '{{ destination.metadata.name }} {{ values.size }}'"
    return text.replace("text: b", template) if path.endswith(".j2") else text


def some_work(choose: Choose, *, folder: bool = False) -> Manifest:
    """A Work of one or two groups, sometimes with documents that cannot be delivered; those of a *folder* are files."""
    directories = choose([["."], ["."], [".", "x"]])
    return work(
        choose(["a", "b", "c"]),
        namespace=choose(["default", "team"]),
        promise=choose(["redis", ""]),
        request=choose(["", "small"]),
        pipeline=choose(["configure", ""]),
        groups=[_some_group(choose, directory, folder=folder) for directory in directories],
        values={"size": choose([1, 2])},
    )


def _some_group(choose: Choose, directory: str, *, folder: bool) -> Manifest:
    bad = not folder and choose([False, False, False, True])
    found = None if folder else choose(_BAD_DOCUMENTS) if bad else documents(choose)
    wanted = [selector(env=choose(ENVIRONMENTS)) for _ in range(choose([0, 1]))]
    return group(found, *wanted, directory=directory)


def some_destination(choose: Choose, stores: Sequence[str] = ("", "", STORE)) -> Manifest:
    """A Destination of any mode; some overlap, some want one of *stores* that may not be there."""
    fields: Manifest = {
        "env": choose(ENVIRONMENTS),
        "mode": choose(["nestedByMetadata", "none", "aggregatedYAML"]),
        "cleanup": choose(["none", "all"]),
        "store": choose(stores),
    }
    chosen = {choose(sorted(_FIELDS)) for _ in range(choose([0, 1, 2]))}
    more = {name: choose(_FIELDS[name]) for name in sorted(chosen)}
    return destination(choose(DESTINATIONS), **fields, **more)


def broken(text: str, how: str) -> str:
    """What a definition becomes when somebody breaks it in one of the ways of BREAKAGES."""
    changed = {"spec": text.replace("spec:", "sepc:", 1), "extra": f"{text}---\nkind: Unknown\n"}
    return changed.get(how.partition(":")[0], how)
