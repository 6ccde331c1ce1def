"""New placements that differ in their Destination alone are filled in from one text: the same as written one by one."""

import pytest
from support.definitions import configmap, destination, group, selector, work
from support.platform import Platform

from gitops.core.stencil import Stencil

PLAIN = [f"worker-{n}" for n in range(5)]
ODD = ["on", "123", "e", "null", "stand-in-for-the-destination", "1e5", "worker-9"]


def reconciled(folder, definitions):
    platform = Platform(folder)
    platform.commit(definitions)
    platform.reconcile()
    return platform


def definitions(names, works=("redis",), **fields):
    documents = {"x.yaml": configmap("x"), "sub/a: b.txt": "odd"}
    found = {f"destinations/{n}.yaml": destination(n, env="dev", **fields) for n in names}
    for name in works:
        text = work(name, groups=[group(documents, selector(env="dev")), group({"y.txt": name}, directory="more")])
        found[f"works/{name}.yaml"] = text
    return found


@pytest.mark.parametrize(
    "given",
    [
        definitions(PLAIN, ["redis", "other"]),
        definitions(ODD, ["redis", "1", "stand-in-for-the-place"]),
        definitions(PLAIN, mode="none"),
        definitions(PLAIN, mode="aggregatedYAML"),
        definitions([f"{'d' * 200}-{n}" for n in range(3)], ["w" * 200]),
    ],
    ids=["plain", "odd", "flat", "aggregated", "long"],
)
def test_a_status_is_the_same_filled_in_or_not(tmp_path, monkeypatch, given):
    filled = reconciled(tmp_path / "filled", given)
    monkeypatch.setattr(Stencil, "record", lambda self, made: None)
    whole = reconciled(tmp_path / "whole", given)

    assert filled.files() == whole.files()
    assert filled.log()[0].message == whole.log()[0].message
    assert len(filled.files("status/works")) > 1


def test_it_is_used(tmp_path, monkeypatch):
    found = []
    real = Stencil._fill_in
    monkeypatch.setattr(Stencil, "_fill_in", lambda self, cut, made: (found.append(made.name), real(self, cut, made)))
    reconciled(tmp_path / "platform", definitions(PLAIN))

    assert len(found) == 2 * (len(PLAIN) - 1)
