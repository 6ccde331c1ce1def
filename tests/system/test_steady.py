"""A Work that is looked at again because of one Destination costs no look at its other placements or its definition."""

import pytest
from support.definitions import configmap, destination, group, selector, work
from support.passes import settle
from support.platform import Platform

from gitops.core import catalog, statusfile


@pytest.fixture
def reconciled(platform: Platform):
    names = ["one", "two", "three"]
    platform.commit({f"destinations/{name}.yaml": destination(name, env="dev") for name in names})
    platform.commit({"destinations/late.yaml": destination("late", env="prod")})
    platform.commit(
        {"works/redis.yaml": work("redis", groups=[group({"x.yaml": configmap("x")}, selector(env="dev"))])}
    )
    platform.reconcile()
    return platform


def read(platform, monkeypatch):
    """Run a pass, and return of which objects it read the status."""
    found = []
    real = statusfile.load

    def load(raw):
        status = real(raw)
        found.append(status.name)
        return status

    monkeypatch.setattr(statusfile, "load", load)
    platform.reconcile()
    return [name for name in found if name.startswith("redis")]


def test_a_new_placement_costs_no_look_at_the_others(reconciled, monkeypatch):
    before = reconciled.blobs("status/works/")
    reconciled.commit({"destinations/late.yaml": destination("late", env="dev")})

    assert read(reconciled, monkeypatch) == ["redis"]
    after = reconciled.blobs("status/works/")
    assert len(after) == len(before) + 1
    assert [path for path in before if before[path] != after[path]] == ["status/works/default/redis/work.yaml"]
    assert len(reconciled.files("state/late/dependencies/redis")) == 1
    settle(reconciled)


@pytest.fixture
def opened(monkeypatch):
    """The units whose definitions have been read since."""
    found = []
    real = catalog.read

    def read(objects, path, entry):
        found.append(path)
        return real(objects, path, entry)

    monkeypatch.setattr(catalog, "read", read)
    return found


def test_a_definition_that_is_as_it_was_is_not_read_again(reconciled, opened):
    reconciled.commit({"destinations/late.yaml": destination("late", env="dev")})
    reconciled.reconcile()

    assert "works/redis.yaml" not in opened
    assert reconciled.files("state/late/dependencies/redis")


def test_a_definition_with_templates_is_read_for_what_they_may_say(reconciled, opened):
    group_ = group({"x.yaml.j2": configmap("{{ values.name }}")}, selector(env="prod"))
    reconciled.commit({"works/made.yaml": work("made", groups=[group_], values={"name": "said"})})
    reconciled.reconcile()
    opened.clear()
    reconciled.commit({"destinations/next.yaml": destination("next", env="prod")})
    reconciled.reconcile()

    assert "works/made.yaml" in opened
    assert b"name: said" in b"".join(reconciled.files("state/next/dependencies/redis").values())


def test_a_second_definition_and_one_that_goes_wrong_are_read(reconciled, opened):
    (text,) = reconciled.files("works/redis.yaml").values()
    reconciled.commit({"works/again.yaml": text, "destinations/late.yaml": destination("late", env="dev")})
    reconciled.reconcile()
    assert "works/redis.yaml" in opened

    reconciled.remove("works/redis.yaml")
    reconciled.reconcile()
    assert reconciled.status("works/default/redis/work.yaml")["status"]["source"] == "works/again.yaml"
    settle(reconciled)


def test_neither_does_a_misplaced_one(reconciled, monkeypatch):
    reconciled.commit({"destinations/two.yaml": destination("two", env="prod")})

    assert [name.partition("-")[0] for name in read(reconciled, monkeypatch)] == ["redis", "redis.two"]
    settle(reconciled)


def test_drift_beside_is_corrected_all_the_same(reconciled):
    (path,) = reconciled.blobs("state/one/dependencies/redis")
    reconciled.commit({"destinations/late.yaml": destination("late", env="dev"), path: "meddled"})
    reconciled.reconcile()

    assert reconciled.files(path)[path] != b"meddled"
    settle(reconciled)


def test_status_that_others_wrote_meanwhile_is_read(reconciled):
    other = reconciled.reconciler()
    reconciled.commit({"destinations/late.yaml": destination("late", env="dev")})
    other.reconcile()
    reconciled.commit({"destinations/late.yaml": destination("late", env="none")})
    reconciled.reconcile()

    ready = reconciled.status("works/default/redis/work.yaml")["status"]["conditions"][1]
    assert ready["reason"] == "Misplaced"
    settle(reconciled)
