"""Works of which status alone still tells: nobody can read the definition, and no history has a good one any more."""

import pytest
from support.definitions import configmap, destination, group, selector, store, work
from support.passes import settle

W = "works/team-a/a/work.yaml"
BROKEN = "a: ["
POLICIES = {"dev": "none", "prod": "all"}
FILES = {name: f"state/{name}/dependencies/redis/instance-configure/5058f/a.yaml" for name in POLICIES}
STATED = {f"destinations/{name}.yaml": destination(name, cleanup=policy, on="yes") for name, policy in POLICIES.items()}


def of(name, group="5058f"):
    return f"works/team-a/a/a.{name}-{group}.yaml"


def placements(platform):
    return [file for file, s in platform.statuses().items() if s["kind"] == "WorkPlacement"]


def orphaned(platform, definition, stated=STATED):
    """Have *definition* delivered, and leave only status of it, which stays as it is but for the Work's condition."""
    platform.commit({**stated, "works/a.yaml": definition})
    settle(platform)
    files, before = platform.files(), platform.statuses()
    platform.move(None)
    platform.commit({**files, "works/a.yaml": BROKEN}, "Begin anew")
    settle(platform)
    assert platform.status(W)["metadata"] == before[W]["metadata"]
    assert all(platform.status(file) == before[file] for file in placements(platform))
    return platform


@pytest.fixture
def orphan(platform):
    """A Work on two Destinations: one leaves its documents behind when it goes, the other does not."""
    return orphaned(platform, work("a", namespace="team-a", labels={"team": "red"}, on="yes"))


def test_what_it_has_stays_and_nothing_comes(orphan):
    before, documents, labels = orphan.statuses(), orphan.blobs("state/"), orphan.status(W)["metadata"]["labels"]
    orphan.commit({"destinations/other.yaml": destination("other", on="yes")})
    settle(orphan)

    assert placements(orphan) == [of("dev"), of("prod")]
    assert all(orphan.status(of(name)) == before[of(name)] for name in POLICIES)
    assert documents.items() <= orphan.blobs("state/").items()
    assert labels == {"kratix.io/pipeline-name": "instance-configure", "team": "red"}
    assert orphan.condition(W)[1] == "InvalidDefinition"
    assert orphan.status(W)["status"]["source"] == "works/a.yaml"


def test_what_it_has_stays_also_when_only_its_placements_are_told_of(orphan):
    files, documents = orphan.files(), orphan.blobs("state/")
    del files[f"status/{W}"]
    invalid = {"works/a.yaml": {**work("a", namespace="team-a"), "spec": {"groups": []}}}
    orphan.move(None)
    orphan.commit({**files, **invalid}, "Begin anew, without its status")
    orphan.reconciler().reconcile()
    settle(orphan)
    assert placements(orphan) == [of("dev"), of("prod")]
    assert orphan.blobs("state/") == documents


def test_an_object_of_its_part_in_an_aggregate_is_nobody_elses(platform):
    stated = {"destinations/dev.yaml": destination("dev", mode="aggregatedYAML", on="yes")}
    orphaned(platform, work("a", namespace="team-a", on="yes"), stated)
    platform.commit({"works/b.yaml": work("b", {"b.yaml": configmap("a")}, on="yes")})
    settle(platform)
    lost = "ConfigMap/default/a is already delivered by team-a/a.dev-5058f"
    assert platform.condition("works/default/b/b.dev-5058f.yaml", "WriteSucceeded")[2] == lost


def test_a_definition_that_comes_back_elsewhere_goes_on_with_it(orphan):
    orphan.commit({"works/a.yaml": None, "works/again.yaml": work("a", namespace="team-a", on="yes")})
    settle(orphan)

    assert orphan.status(W)["status"]["source"] == "works/again.yaml"
    assert orphan.condition(W)[0] == "True"
    begin = str(orphan.log()[-1].id)  # the version of before is gone with the history
    assert {orphan.status(of(name))["status"]["versionID"] for name in POLICIES} == {begin}


def test_it_goes_when_what_could_be_its_definition_goes(orphan):
    orphan.commit({"works/a.yaml": None})
    settle(orphan)
    assert not placements(orphan)
    assert not [file for file in FILES.values() if file in orphan.files()]


def test_what_becomes_of_its_documents_is_for_each_destination_to_say(orphan):
    orphan.commit({f"destinations/{name}.yaml": None for name in POLICIES})
    settle(orphan)
    assert placements(orphan) == [of("dev")]
    assert orphan.condition(of("dev"), "ScheduleSucceeded")[1] == "DestinationSelectorMismatch"
    assert [FILES[name] in orphan.files() for name in POLICIES] == [True, False]


def test_a_state_store_that_is_wrong_now_is_named(platform):
    platform.commit({"statestores/s.yaml": store("s", "documents"), "works/b.yaml": work("b")})
    stated = {"destinations/dev.yaml": destination("dev", store="s", on="yes")}
    orphaned(platform, work("a", namespace="team-a", on="yes"), stated)
    platform.commit({"statestores/s.yaml": None})
    settle(platform)
    told = "GitStateStore/s: not found"
    assert platform.condition(of("dev"), "WriteSucceeded") == ("False", "WorkloadsFailedWrite", told)


@pytest.mark.parametrize("resource", ["", "r"])
def test_its_groups_keep_their_placements(platform, resource):
    groups = [group({f"{d}/x.yaml": configmap(d)}, selector(on="yes"), directory=d) for d in ("one", "two")]
    orphaned(platform, work("a", namespace="team-a", request=resource, groups=groups))
    before = platform.statuses()
    platform.commit({"works/b.yaml": work("b")})
    settle(platform)
    assert before.items() <= platform.statuses().items()
