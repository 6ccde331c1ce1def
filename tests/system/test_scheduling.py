"""What a user sees of scheduling: each situation of Kratix, its conditions, events and documents."""

import pytest
from support.definitions import configmap, destination, group, selector, work
from support.passes import settle
from support.platform import BOB

DOT = "5058f1af8388633f609cadb75a75dc9d"
W, P = "works/default/r/work.yaml", "works/default/r/r.dev-5058f.yaml"
MISMATCH = "Target destination no longer matches destinationSelectors"
NO_MATCH = f"No matching destination found for workloadGroups: [{DOT}]"


def conditions(platform, file):
    return {c["type"]: (c["status"], c["reason"], c["message"]) for c in platform.status(file)["status"]["conditions"]}


def events(platform, file):
    """As `kubectl describe` shows them, with the count."""
    return [
        (e["type"], e["reason"], e["from"], e["message"], e["count"]) for e in platform.status(file).get("events", [])
    ]


def placements(platform, name="r", namespace="default"):
    return [f.split("/")[-1] for f in platform.statuses() if f.startswith(f"works/{namespace}/{name}/{name}.")]


@pytest.fixture
def placed(platform):
    """A resource request on the Destination `dev`."""
    platform.commit(
        {"destinations/dev.yaml": destination("dev", env="dev"), "works/r.yaml": work("r", request="small", env="dev")}
    )
    settle(platform)
    return platform


def relabel(platform, env, **fields):
    platform.commit({"destinations/dev.yaml": destination("dev", env=env, **fields)}, f"Relabel to {env}", BOB)
    settle(platform)


# placed


def test_a_work_that_is_placed_and_written(placed):
    version = placed.status(P)["status"]["versionID"]

    assert conditions(placed, W) == {
        "ScheduleSucceeded": ("True", "AllWorkplacementsScheduled", "All workplacements scheduled successfully"),
        "Ready": ("True", "AllWorkplacementsScheduled", "Ready"),
    }
    assert conditions(placed, P) == {
        "ScheduleSucceeded": ("True", "ScheduledToDestination", "Scheduled to correct Destination"),
        "Ready": ("True", "WorkloadsWrittenToTargetDestination", "Ready"),
        "WriteSucceeded": ("True", "WorkloadsWrittenToStateStore", ""),
    }
    assert events(placed, W) == [
        (
            "Normal",
            "WorkplacementReconciled",
            "Scheduler",
            "workplacement reconciled: r.dev-5058f, operation: created",
            1,
        ),
        ("Normal", "AllWorkplacementsScheduled", "Scheduler", "All workplacements scheduled successfully", 1),
    ]
    assert events(placed, P) == [
        (
            "Normal",
            "WorkloadsWrittenToStateStore",
            "WorkPlacementController",
            f"successfully written to Destination: dev with versionID: {version}",
            1,
        ),
    ]


def test_the_status_file_of_a_placement_has_what_kratix_shows(placed):
    found = placed.status(P)

    assert list(found) == ["apiVersion", "kind", "metadata", "spec", "status", "events"]
    assert found["metadata"] == {
        "name": "r.dev-5058f",
        "namespace": "default",
        "labels": {
            "kratix.io/work": "r",
            "kratix.io/workload-group-id": DOT,
            "kratix.io/targetDestinationName": "dev",
            "kratix.io/pipeline-name": "instance-configure",
        },
        "generation": 1,
    }
    assert found["spec"] == {
        "targetDestinationName": "dev",
        "id": DOT,
        "promiseName": "redis",
        "resourceName": "small",
        "generation": 1,
    }
    assert [c["type"] for c in found["status"]["conditions"]] == ["ScheduleSucceeded", "Ready", "WriteSucceeded"]


def test_the_status_file_of_a_work_has_what_kratix_shows_and_where_it_comes_from(placed):
    found = placed.status(W)
    source = next(str(c.id) for c in placed.log() if c.message == "Edit")

    assert list(found) == ["apiVersion", "kind", "metadata", "status", "events"]
    assert found["metadata"] == {
        "name": "r",
        "namespace": "default",
        "labels": {"kratix.io/pipeline-name": "instance-configure"},
        "generation": 1,
    }
    assert {k: v for k, v in found["status"].items() if k != "conditions"} == {
        "observedGeneration": 1,
        "observedCommit": source,
        "source": "works/r.yaml",
        "workPlacements": 1,
        "workPlacementsCreated": 1,
    }


def test_the_status_file_of_a_placement_lists_its_files(placed):
    found = placed.status(P)["status"]["inventory"]
    below = "state/dev/resources/default/redis/small/instance-configure/5058f/"

    assert found == placed.blobs(below) == {f"{below}r.yaml": placed.blobs(below)[f"{below}r.yaml"]}


def test_a_dependency_goes_everywhere_and_a_request_to_one(platform):
    places = {f"destinations/{n}.yaml": destination(n, env="dev") for n in ("a", "b", "c")}
    platform.commit({**places, "works/d.yaml": work("d", env="dev"), "works/r.yaml": work("r", request="r", env="dev")})
    settle(platform)

    assert placements(platform, "d") == ["d.a-5058f.yaml", "d.b-5058f.yaml", "d.c-5058f.yaml"]
    assert len(placements(platform, "r")) == 1


def test_a_work_without_groups_is_all_scheduled(platform):
    platform.commit({"works/r.yaml": work("r", groups=[])})
    settle(platform)

    assert platform.condition(W) == ("True", "AllWorkplacementsScheduled", "Ready")
    assert "workPlacements" not in platform.status(W)["status"]


# pending


def test_a_work_that_matches_nothing_is_pending_and_says_so_once(platform):
    platform.commit(
        {"destinations/dev.yaml": destination("dev", env="dev"), "works/r.yaml": work("r", request="small", env="qa")}
    )
    settle(platform)

    assert conditions(platform, W) == {
        "ScheduleSucceeded": ("False", "UnscheduledWorkloadGroups", NO_MATCH),
        "Ready": ("False", "UnscheduledWorkloadGroups", "Pending"),
    }
    assert events(platform, W) == [
        (
            "Warning",
            "NoMatchingDestination",
            "Scheduler",
            f"waiting for a destination with labels for workloadGroup: {DOT}",
            1,
        ),
    ]
    assert "workPlacementsCreated" not in platform.status(W)["status"]
    assert platform.status(W)["status"]["workPlacements"] == 1


def test_a_pending_work_is_placed_as_soon_as_a_destination_matches(platform):
    platform.commit(
        {"destinations/dev.yaml": destination("dev", env="no"), "works/r.yaml": work("r", request="small", env="dev")}
    )
    settle(platform)
    relabel(platform, "dev")

    assert platform.condition(W) == ("True", "AllWorkplacementsScheduled", "Ready")
    assert [e[1] for e in events(platform, W)] == [
        "NoMatchingDestination",
        "WorkplacementReconciled",
        "AllWorkplacementsScheduled",
    ]


def test_one_group_waits_and_the_others_go_on(platform):
    groups = [
        group({"a.yaml": configmap("a")}, selector(env="dev"), directory="a"),
        group({"b.yaml": configmap("b")}, selector(env="qa"), directory="b"),
    ]
    platform.commit(
        {
            "destinations/dev.yaml": destination("dev", env="dev"),
            "works/r.yaml": work("r", request="small", groups=groups),
        }
    )
    settle(platform)

    b = "92eb5ffee6ae2fec3ad71c777531578f"
    assert platform.condition(W, "ScheduleSucceeded")[2] == f"No matching destination found for workloadGroups: [{b}]"
    assert placements(platform) == ["r.dev-0cc17.yaml"]
    assert platform.status(W)["status"]["workPlacements"] == 2
    assert platform.status(W)["status"]["workPlacementsCreated"] == 1


def test_ids_are_listed_in_the_order_of_the_work_without_spaces(platform):
    groups = [group({}, selector(env="qa"), id=own) for own in ("zz", "aa", "mm")]
    platform.commit({"works/r.yaml": work("r", groups=groups)})
    settle(platform)

    assert (
        platform.condition(W, "ScheduleSucceeded")[2] == "No matching destination found for workloadGroups: [zz,aa,mm]"
    )
    assert [e[3].rpartition(" ")[2] for e in events(platform, W)] == ["zz", "aa", "mm"]


def test_each_group_that_begins_to_wait_is_an_event(platform):
    """Also one whose id is a part of another's."""
    groups = [group({}, selector(env="qa"), id="bad"), group({}, selector(env="qa"), id="a", directory="a")]
    platform.commit({"works/r.yaml": work("r", groups=groups[:1])})
    settle(platform)
    platform.commit({"works/r.yaml": work("r", groups=groups)})
    settle(platform)

    assert [(e[3].rpartition(" ")[2], e[4]) for e in events(platform, W)] == [("bad", 1), ("a", 1)]


def test_a_placement_is_labelled_also_when_the_pipeline_has_no_name(platform):
    platform.commit({"destinations/dev.yaml": destination("dev", env="dev"), "works/r.yaml": work("r", pipeline="")})
    settle(platform)

    assert platform.status(P)["metadata"]["labels"]["kratix.io/pipeline-name"] == ""


# misplaced


def test_a_resource_request_that_matches_no_more_is_misplaced(placed):
    documents = placed.blobs("state/")
    relabel(placed, "qa")

    assert conditions(placed, W) == {
        "ScheduleSucceeded": ("False", "DestinationSelectorMismatch", f"{MISMATCH} for workloadGroups: [{DOT}]"),
        "Ready": ("False", "Misplaced", "Misplaced"),
    }
    assert conditions(placed, P) == {
        "ScheduleSucceeded": ("False", "DestinationSelectorMismatch", MISMATCH),
        "Ready": ("False", "Misplaced", "Misplaced"),
        "WriteSucceeded": ("True", "WorkloadsWrittenToStateStore", ""),
    }
    assert events(placed, W)[-1] == (
        "Warning",
        "DestinationSelectorMismatch",
        "Scheduler",
        f"{MISMATCH} for workloadGroups: [{DOT}]",
        1,
    )
    assert events(placed, P)[-1] == (
        "Warning",
        "DestinationSelectorMismatch",
        "Scheduler",
        "labels for destination: dev no longer match the expected labels, marking this workplacement as misplaced",
        1,
    )
    assert placed.status(P)["metadata"]["labels"]["kratix.io/misplaced"] == "true"
    assert placed.blobs("state/") == documents


def test_a_misplaced_request_stays_though_another_destination_matches(placed):
    placed.commit({"destinations/other.yaml": destination("other", env="dev")})
    relabel(placed, "qa")

    assert placements(placed) == ["r.dev-5058f.yaml"]


def test_misplaced_documents_go_on_being_updated(placed):
    relabel(placed, "qa")
    placed.commit({"works/r.yaml": work("r", {"r.yaml": configmap("r", "new")}, request="small", env="dev")})
    settle(placed)

    assert b"text: new" in placed.files()["state/dev/resources/default/redis/small/instance-configure/5058f/r.yaml"]
    assert placed.condition(P) == ("False", "Misplaced", "Misplaced")


def test_k2_what_matches_again_has_no_trace_of_the_misplacement_after_one_pass(placed):
    relabel(placed, "qa")
    told = [event for event in placed.events(W) if event.startswith("DestinationSelectorMismatch")]
    placed.commit({"destinations/dev.yaml": destination("dev", env="dev")})
    placed.reconcile()

    assert [event for event in placed.events(W) if event.startswith("DestinationSelectorMismatch")] == told
    assert placed.condition(W) == ("True", "AllWorkplacementsScheduled", "Ready")
    assert conditions(placed, P)["ScheduleSucceeded"] == (
        "True",
        "ScheduledToDestination",
        "Scheduled to correct Destination",
    )
    assert conditions(placed, P)["Ready"] == ("True", "WorkloadsWrittenToTargetDestination", "Ready")
    assert "kratix.io/misplaced" not in placed.status(P)["metadata"]["labels"]


def test_what_comes_back_is_counted(placed):
    for env in ("qa", "dev", "qa"):
        relabel(placed, env)

    assert [(e[1], e[4]) for e in events(placed, P)] == [
        ("WorkloadsWrittenToStateStore", 1),
        ("DestinationSelectorMismatch", 2),
    ]
    assert ("AllWorkplacementsScheduled", 2) in [(e[1], e[4]) for e in events(placed, W)]


@pytest.mark.parametrize("cleanup", ["none", "all"])
def test_a_dependency_keeps_what_fell_out_and_adds_what_came(platform, cleanup):
    platform.commit({"works/r.yaml": work("r", env="dev")})
    relabel(platform, "dev", cleanup=cleanup)
    platform.commit({"destinations/new.yaml": destination("new", env="dev")})
    relabel(platform, "qa", cleanup=cleanup)

    assert placements(platform) == ["r.dev-5058f.yaml", "r.new-5058f.yaml"]
    assert platform.condition(P)[1] == "Misplaced"
    assert platform.condition("works/default/r/r.new-5058f.yaml")[0] == "True"
    assert platform.condition(W) == ("False", "Misplaced", "Misplaced")


def test_a_changed_selector_misplaces_as_a_changed_label_does(placed):
    placed.commit({"works/r.yaml": work("r", request="small", env="prod")})
    settle(placed)

    assert placed.condition(P)[1] == "Misplaced"


def test_times_move_only_with_the_status_of_a_condition(placed):
    def times():
        return {c["type"]: c["lastTransitionTime"] for c in placed.status(P)["status"]["conditions"]}

    first = times()
    relabel(placed, "qa")
    second = times()
    placed.commit({"works/r.yaml": work("r", {"r.yaml": configmap("r", "new")}, request="small", env="dev")})
    settle(placed)

    assert first["WriteSucceeded"] == second["WriteSucceeded"]
    assert first["Ready"] < second["Ready"]
    assert times() == second


# groups and Works that go


def test_a_group_that_is_no_more_goes_with_its_documents(platform):
    a, b = (group({f"{d}.yaml": configmap(d)}, selector(env="dev"), directory=d) for d in "ab")
    platform.commit(
        {"destinations/dev.yaml": destination("dev", env="dev"), "works/r.yaml": work("r", request="r", groups=[a, b])}
    )
    settle(platform)
    platform.commit({"works/r.yaml": work("r", request="r", groups=[a])})
    settle(platform)

    assert placements(platform) == ["r.dev-0cc17.yaml"]
    assert list(platform.files("state/dev/resources/default")) == [
        "state/dev/resources/default/redis/r/instance-configure/0cc17/a.yaml"
    ]
    assert "WorkplacementReconciled: workplacement reconciled: r.dev-92eb5, operation: deleted" in platform.events(W)


def test_a_removed_work_takes_everything_with_it_in_one_pass_and_the_log_says_who_removed_it(placed):
    placed.remove("works/r.yaml", by=BOB)
    commit = placed.tip()
    placed.reconcile()

    assert not placed.files("status/works/")
    assert not placed.files("state/dev/resources/default")
    status, documents = placed.log()[:2]
    assert documents.message.startswith("withdraw(default/r): dev (+0 ~0 -1)")
    assert f"removed in {commit[:7]} by Bob Babbage" in documents.message
    assert status.message.count(f"operation: deleted (definition removed in {commit[:7]} by Bob Babbage)") == 1
    assert "Gitops-Event: Normal WorkplacementReconciled Work/default/r" in status.message.splitlines()
    settle(placed)


@pytest.mark.parametrize("way", ["pushed", "merged", "broken"])
def test_who_removed_a_work_is_told_although_others_changed_its_file_since(platform, way):
    r, other = (work(name, request=name, env="dev") for name in ("r", "other"))
    platform.commit({"destinations/dev.yaml": destination("dev", env="dev"), "works/all.yaml": [r, other]})
    settle(platform)
    began, branch = platform.tip(), "side" if way == "merged" else "main"
    if way == "broken":  # the Work stands in the file as long as that is not certain
        platform.commit({"works/all.yaml": [{**r, "spec": {"promisName": "redis"}}, other]})
    removed = platform.commit({"works/all.yaml": [other]}, by=BOB, branch=branch, onto=began)
    platform.commit({"works/all.yaml": [other, work("new", request="new", env="dev")]}, branch=branch)
    if way == "merged":
        platform.commit({"note": "meanwhile"})
        platform.merge("side")
    settle(platform)

    message = f"operation: deleted (definition removed in {removed[:7]} by Bob Babbage)"
    assert [c.message.count(message) for c in platform.log() if message in c.message] == [1]


def test_k5_a_work_of_the_same_name_in_another_namespace_is_another_work(platform):
    platform.commit({"destinations/dev.yaml": destination("dev", env="dev")})
    documents = {ns: {"a.yaml": configmap("a", namespace=ns)} for ns in ("ns1", "ns2")}
    platform.commit(
        {f"works/{ns}.yaml": work("a", documents[ns], request="a", namespace=ns, env="dev") for ns in documents}
    )
    settle(platform)
    other = platform.blobs("status/works/ns2") | platform.blobs("state/dev/resources/ns2")
    platform.remove("works/ns1.yaml")
    settle(platform)

    assert len(other) == 3
    assert platform.blobs("status/works/ns2") | platform.blobs("state/dev/resources/ns2") == other
    assert not platform.files("state/dev/resources/ns1")
    assert not platform.files("status/works/ns1")


# readiness


@pytest.mark.parametrize(("bad", "good"), [("a", "b"), ("b", "a")])
def test_k13_a_destination_that_is_not_ready_is_passed_over_while_another_is(platform, bad, good):
    platform.commit(
        {f"destinations/{n}.yaml": destination(n, env="dev", store="nowhere" if n == bad else "") for n in "ab"}
    )
    settle(platform)
    platform.commit({f"works/{n}.yaml": work(f"r{n}", request=str(n), env="dev") for n in range(6)})
    settle(platform)

    assert {
        s["spec"]["targetDestinationName"] for s in platform.statuses().values() if s["kind"] == "WorkPlacement"
    } == {good}


def test_k10_groups_whose_ids_begin_alike_keep_two_placements(platform):
    groups = [group({f"{own}.yaml": configmap(own)}, selector(env="dev"), id=own) for own in ("abcde1", "abcde2", "x")]
    platform.commit(
        {"destinations/dev.yaml": destination("dev", env="dev"), "works/r.yaml": work("r", request="r", groups=groups)}
    )
    settle(platform)

    assert placements(platform) == ["r.dev-abcde1.yaml", "r.dev-abcde2.yaml", "r.dev-x.yaml"]
    assert len(platform.files("state/dev/resources/default")) == 3


def test_a_second_group_that_begins_alike_makes_the_name_of_the_first_longer(platform):
    first, second = (
        group({f"{own}.yaml": configmap(own)}, selector(env="dev"), id=own) for own in ("abcde1", "abcde2")
    )
    platform.commit(
        {"destinations/dev.yaml": destination("dev", env="dev"), "works/r.yaml": work("r", request="r", groups=[first])}
    )
    settle(platform)
    platform.commit({"works/r.yaml": work("r", request="r", groups=[first, second])})
    settle(platform)

    assert placements(platform) == ["r.dev-abcde1.yaml", "r.dev-abcde2.yaml"]
    assert list(platform.files("state/dev/resources/default")) == [
        f"state/dev/resources/default/redis/r/instance-configure/{own}/{own}.yaml" for own in ("abcde1", "abcde2")
    ]


def test_a_dry_run_work_goes_to_dry_run_destinations_only(platform):
    platform.commit(
        {
            "destinations/dev.yaml": destination("dev", env="dev"),
            "destinations/dry.yaml": destination("dry", **{"kratix.io/dry-run": "true"}),
            "works/r.yaml": work("r", env="dev", labels={"kratix.io/dry-run": "true"}),
            "works/s.yaml": work("s"),
        }
    )
    settle(platform)

    assert (placements(platform), placements(platform, "s")) == (["r.dry-5058f.yaml"], ["s.dev-5058f.yaml"])


def test_a_selectorless_work_passes_by_strict_destinations(platform):
    platform.commit(
        {
            "destinations/lax.yaml": destination("lax", env="dev"),
            "destinations/strict.yaml": destination("strict", env="dev", strictMatchLabels=True),
            "works/r.yaml": work("r"),
            "works/s.yaml": work("s", env="dev"),
        }
    )
    settle(platform)

    assert placements(platform) == ["r.lax-5058f.yaml"]
    assert placements(platform, "s") == ["s.lax-5058f.yaml", "s.strict-5058f.yaml"]
