"""A changed path, mode, filename or store moves the documents; a removed Destination leaves them or takes them."""

import pytest
from support.definitions import configmap, destination, group, selector, store, work
from support.passes import settle
from support.platform import BOB

NESTED, FLAT, AGGREGATED = "nestedByMetadata", "none", "aggregatedYAML"
P, WORK_S = "works/default/r/r.dev-5058f.yaml", "works/default/s/work.yaml"


def dev(**fields):
    return {"destinations/dev.yaml": destination("dev", env="dev", **fields)}


def documents(platform, *branches):
    """All files that are not definitions or status, by branch and path."""
    own = ("works/", "destinations/", "statestores/", "status/", "notes/")
    return {
        (b, p) for b in branches or ["main"] for p in platform.files(at=b) if platform.tip(b) and not p.startswith(own)
    }


def owners(platform):
    """The files of all inventories, each as often as it is listed."""
    statuses = platform.statuses().values()
    return [(s["status"].get("branch", "main"), path) for s in statuses for path in s["status"].get("inventory", {})]


def owned(platform):
    """All files that some status lists as its own."""
    return set(owners(platform))


@pytest.fixture
def placed(platform):
    platform.commit(
        {
            **dev(),
            "statestores/s.yaml": store("s", "deploy", "clusters"),
            "works/r.yaml": work("r", {"x.yaml": configmap("x"), "d/y.txt": "y"}, request="r", env="dev"),
            "works/s.yaml": work("s", env="dev"),
        }
    )
    settle(platform)
    return platform


MOVES = {
    "path": {"path": "elsewhere/dev"},
    "path below": {"path": "dev/below"},
    "root": {"path": "/"},
    "mode none": {"mode": FLAT},
    "mode aggregated": {"mode": AGGREGATED, "agent": "none"},
    "store": {"store": "s"},
    "store, path and mode": {"store": "s", "path": "x", "mode": FLAT},
}


@pytest.mark.parametrize("there", MOVES.values(), ids=MOVES)
@pytest.mark.parametrize("back", [False, True], ids=["there", "and back"])
def test_k11_a_move_leaves_nothing_unowned_and_misses_nothing(placed, there, back):
    before = documents(placed)
    placed.commit(dev(**there))
    settle(placed)
    assert documents(placed, "main", "deploy") == owned(placed)
    assert len(documents(placed, "main", "deploy")) == len(before) - (2 if there.get("mode") == AGGREGATED else 0)
    assert placed.subjects()[-1]
    assert placed.condition(P)[0] == "True"

    if back:
        placed.commit(dev())
        settle(placed)
        assert documents(placed, "main", "deploy") == before == owned(placed)


@pytest.mark.parametrize("there", [{"path": "moved"}, {"mode": FLAT}, {"mode": AGGREGATED, "agent": "none"}], ids=str)
def test_k11_within_a_branch_documents_are_added_and_removed_in_one_commit(placed, there):
    placed.commit(dev(**there))
    tip = placed.tip()
    settle(placed)

    moves = [c for c in placed.log(until=tip) if c.message.startswith("move(dev)")]
    assert len(moves) == 1
    assert placed.blobs("state/", at=str(moves[0].id)) == placed.blobs("state/")


def test_across_branches_the_new_place_is_written_before_the_old_is_removed(placed):
    """At every commit of either branch, in the order in which they were made, the documents stand somewhere."""
    placed.commit(dev(store="s"))
    tip = placed.tip()
    placed.reconcile()

    assert placed.files(at="deploy")["clusters/dev/resources/default/redis/r/instance-configure/5058f/x.yaml"]
    removed = next(c for c in reversed(placed.log(until=tip)) if not placed.files("state/dev", at=str(c.id)))
    status_before = placed.statuses(at=str(removed.parents[0].id))
    assert any(s["status"].get("branch") == "deploy" for s in status_before.values())


def test_the_version_after_a_move_is_the_commit_that_moved(placed):
    placed.commit(dev(path="moved"))
    settle(placed)
    version = placed.status(P)["status"]["versionID"]

    assert placed.repo[version].message.startswith("move(dev)")
    assert (
        f"WorkloadsWrittenToStateStore: successfully written to Destination: dev with versionID: {version}"
        in placed.events(P)
    )


def test_what_others_put_beside_the_documents_stays_where_it_is(placed):
    placed.commit({"state/dev/README.md": "mine"}, by=BOB)
    placed.commit(dev(path="moved"))
    settle(placed)

    assert placed.files("state/dev/") == {"state/dev/README.md": b"mine"}


def test_a_destination_that_moves_into_anothers_place_waits_and_keeps_its_documents(placed):
    placed.commit({"destinations/other.yaml": destination("other", env="no")})
    settle(placed)
    before = placed.blobs("state/")
    placed.commit(dev(path="other/sub"))
    settle(placed)

    assert placed.condition("destinations/dev.yaml") == (
        "False",
        "PathOverlap",
        "path state/other/sub overlaps Destination other",
    )
    assert placed.condition("destinations/other.yaml")[0] == "True"
    assert placed.condition(P, "WriteSucceeded") == (
        "False",
        "WorkloadsFailedWrite",
        "path state/other/sub overlaps Destination other",
    )
    assert placed.blobs("state/") == before
    [document] = [path for _, path in owned(placed) if path.endswith("/s.yaml")]
    placed.commit({document: "a: 1"}, by=BOB)
    settle(placed)
    assert placed.files()[document] == b"a: 1"  # nothing is written for it while it waits
    placed.commit(dev(path="free"))
    settle(placed)
    assert documents(placed) == owned(placed)


@pytest.mark.parametrize("waits", ["for a place", "for a store"])
@pytest.mark.parametrize("late", [False, True], ids=["in one push", "later"])
def test_the_place_of_a_destination_that_waits_to_move_is_not_free(placed, waits, late):
    """Else two of them would list the same files."""
    other = {"destinations/other.yaml": destination("other", env="no")}
    moved = dev(**({"path": "other/sub"} if waits == "for a place" else {"store": "nowhere"}))
    taker = {"destinations/a.yaml": destination("a", path="dev", env="dev")}
    for files in [other, moved, taker] if late else [other, moved | taker]:
        placed.commit(files)
        settle(placed)

    assert placed.condition("destinations/a.yaml")[1:] == ("PathOverlap", "path state/dev overlaps Destination dev")
    assert sorted(owners(placed)) == sorted(documents(placed))
    placed.commit(dev(path="free"))
    settle(placed)
    assert placed.condition("destinations/a.yaml")[0] == "True"
    assert sorted(owners(placed)) == sorted(documents(placed))


def test_two_destinations_that_swap_their_paths(platform):
    def places(a, b):
        return {f"destinations/{n}.yaml": destination(n, path=p, env=n) for n, p in (("a", a), ("b", b))}

    platform.commit({**places("one", "two"), **{f"works/{n}.yaml": work(n, {"x.txt": n}, env=n) for n in "ab"}})
    settle(platform)
    platform.commit(places("two", "one"))
    settle(platform)

    if platform.condition("destinations/a.yaml")[0] == "True":
        assert (
            platform.files("state/two/dependencies/redis")[
                "state/two/dependencies/redis/instance-configure/5058f/x.txt"
            ]
            == b"a"
        )
    assert documents(platform) == owned(platform)


@pytest.mark.parametrize("canary", [True, False], ids=["canaries", "no canaries"])
@pytest.mark.parametrize("mode", [NESTED, FLAT, AGGREGATED])
def test_a_store_may_go_in_the_commit_that_moves_the_documents_out_of_it(platform, mode, canary):
    fields = {"mode": mode, "initWorkloads": {"enabled": canary}}
    platform.commit({"statestores/s.yaml": store("s", "deploy"), **dev(store="s", **fields)})
    platform.commit({"works/r.yaml": work("r", request="r", env="dev")})
    settle(platform)
    platform.commit({"statestores/s.yaml": None, **dev(**fields)})
    settle(platform)

    assert documents(platform, "deploy") == set()
    assert documents(platform) == owned(platform)
    assert platform.condition(P)[0] == "True"


def test_what_is_held_back_stays_where_it_was_until_it_is_good_again(platform):
    platform.commit({"statestores/s.yaml": store("s", "deploy"), **dev(store="s")})
    platform.commit({"works/r.yaml": work("r", request="r", env="dev")})
    settle(platform)
    before = {path for path in documents(platform, "deploy") if "/default/" in path[1]}
    platform.commit(
        {"statestores/s.yaml": None, **dev(), "works/r.yaml": work("r", {"x.yaml": "no"}, request="r", env="dev")}
    )
    settle(platform)
    assert documents(platform, "deploy") == before
    assert platform.condition(P)[1] == "InvalidDocument"

    platform.commit({"works/r.yaml": work("r", request="r", env="dev")})
    settle(platform)
    assert documents(platform, "deploy") == set()
    assert documents(platform) == owned(platform)


@pytest.mark.parametrize(
    "change",
    [
        {"request": "", "promise": "x"},
        {"request": "other"},
        {"promise": "other"},
        {"pipeline": "other"},
        {"pipeline": ""},
    ],
    ids=str,
)
def test_what_makes_the_path_of_a_work_moves_its_documents(placed, change):
    documents_of = {"x.yaml": configmap("x"), "d/y.txt": "y"}
    placed.commit({"works/r.yaml": work("r", documents_of, **{"request": "r", **change}, env="dev")})
    settle(placed)

    assert documents(placed) == owned(placed)
    assert placed.subjects()[1] == "move(default/r): dev (+2 ~0 -2)"
    assert placed.condition(P)[0] == "True"


def test_the_commit_that_takes_documents_from_the_store_that_they_left_is_one_of_a_move(placed):
    """They go when they stand at the new place: in a commit that told of an update, and of the new place."""
    placed.commit(dev(store="s"))
    settle(placed)
    removal = next(c.message for c in placed.log() if "(default/s): " in c.message)
    assert removal.startswith("move(default/s): dev (+0 ~0 -1)\n\nThe place of its documents changed; ")
    assert "Gitops-Path: state/dev/dependencies/redis/instance-configure/5058f\n" in removal


@pytest.mark.parametrize("mode", [NESTED, FLAT, AGGREGATED])
@pytest.mark.parametrize("there", [{"path": "moved"}, {"store": "s"}], ids=["path", "store"])
def test_what_is_removed_when_its_destination_moves_is_withdrawn_and_does_not_move(platform, mode, there):
    fields = {"mode": mode, "initWorkloads": {"enabled": False}}
    platform.commit({**dev(**fields), "statestores/s.yaml": store("s", "deploy"), "works/s.yaml": work("s", env="dev")})
    settle(platform)
    tip = platform.tip()
    platform.commit({**dev(**fields, **there), "works/s.yaml": None})
    settle(platform)

    told = [subject for subject in platform.subjects(until=tip) if not subject.startswith("status: ")]
    assert told == ["withdraw(default/s): dev (+0 ~0 -1)", "Edit"]
    assert documents(platform) == set()


# a Destination that goes


@pytest.mark.parametrize("mode", [NESTED, FLAT, AGGREGATED])
def test_cleanup_all_removes_all_that_was_written_and_the_works_wait_again(platform, mode):
    platform.commit(
        {
            **dev(mode=mode, cleanup="all"),
            "works/r.yaml": work("r", request="r", env="dev"),
            "state/dev/README.md": "mine",
        }
    )
    settle(platform)
    platform.remove("destinations/dev.yaml")
    settle(platform)

    assert platform.files("state/") == {"state/dev/README.md": b"mine"}
    assert "destinations/dev.yaml" not in platform.statuses()
    assert P not in platform.statuses()
    assert platform.condition("works/default/r/work.yaml") == ("False", "UnscheduledWorkloadGroups", "Pending")


def test_cleanup_all_places_a_request_anew_where_it_matches(platform):
    platform.commit({**dev(cleanup="all"), "works/r.yaml": work("r", request="r", env="dev")})
    settle(platform)
    platform.commit({"destinations/dev.yaml": None, "destinations/new.yaml": destination("new", env="dev")})
    settle(platform)

    assert "works/default/r/r.new-5058f.yaml" in platform.statuses()
    assert not platform.files("state/dev")
    assert platform.condition("works/default/r/work.yaml")[0] == "True"


@pytest.mark.parametrize("mode", [NESTED, FLAT, AGGREGATED])
def test_cleanup_none_leaves_documents_behind_and_says_so(platform, mode):
    platform.commit({**dev(mode=mode), "works/r.yaml": work("r", request="r", env="dev")})
    settle(platform)
    before = platform.blobs("state/")
    platform.commit({"destinations/dev.yaml": None}, by=BOB)
    commit = platform.tip()
    settle(platform)

    assert platform.blobs("state/") == before
    assert platform.condition(P) == ("False", "Misplaced", "Misplaced")
    assert platform.condition("works/default/r/work.yaml")[1] == "Misplaced"
    status, reason, message = platform.condition("destinations/dev.yaml")
    assert (status, reason) == ("False", "DestinationNotReady")
    assert f"removed in {commit[:7]} by Bob Babbage" in message

    platform.commit({"works/r.yaml": work("r", request="r", env="dev", labels={"team": "a"})})
    settle(platform)
    assert platform.blobs("state/") == before


def test_a_work_with_several_groups_leaves_the_documents_of_all_behind(platform):
    groups = [group({f"{own}.yaml": configmap(own)}, selector(env="dev"), id=own) for own in ("one", "two")]
    platform.commit({**dev(), "works/r.yaml": work("r", groups=groups)})
    settle(platform)
    before = platform.blobs("state/")
    platform.remove("destinations/dev.yaml")
    settle(platform)

    assert platform.blobs("state/") == before
    for own in ("one", "two"):
        assert platform.condition(f"works/default/r/r.dev-{own}.yaml") == ("False", "Misplaced", "Misplaced")


def test_what_was_left_behind_stays_there_when_its_work_goes_elsewhere_too(platform):
    platform.commit({"destinations/dev.yaml": destination("dev", env="dev", cleanup="none")})
    platform.commit({"works/r.yaml": work("r", env="dev")})
    settle(platform)
    platform.remove("destinations/dev.yaml")
    settle(platform)
    left = platform.files("state/dev/")
    platform.commit({"destinations/other.yaml": destination("other", env="dev")})
    settle(platform)

    assert left
    assert platform.files("state/dev/") == left
    assert any(path.endswith("/r.yaml") for path in platform.files("state/other/"))


def test_a_work_goes_elsewhere_while_a_store_of_it_is_gone(platform):
    far = {
        "statestores/far.yaml": store("far", "far"),
        "destinations/far.yaml": destination("far", store="far", env="dev"),
    }
    platform.commit({**far, "works/r.yaml": work("r", env="dev")})
    settle(platform)
    left = platform.files(at="far")
    platform.remove("statestores/far.yaml")
    settle(platform)
    platform.commit({"destinations/other.yaml": destination("other", env="dev")})
    settle(platform)

    assert left
    assert platform.files(at="far") == left
    assert any(path.endswith("/r.yaml") for path in platform.files("state/other/"))


def test_a_removed_destination_that_comes_back_takes_up_its_documents(platform):
    platform.commit({**dev(), "works/r.yaml": work("r", request="r", env="dev")})
    settle(platform)
    before, version = platform.blobs("state/"), platform.status(P)["status"]["versionID"]
    platform.remove("destinations/dev.yaml")
    settle(platform)
    platform.commit(dev())
    settle(platform)

    assert platform.blobs("state/") == before
    assert platform.condition(P) == ("True", "WorkloadsWrittenToTargetDestination", "Ready")
    assert platform.status(P)["status"]["versionID"] == version


def test_a_work_that_goes_after_its_destination_takes_its_documents_along(platform):
    platform.commit({**dev(), "works/r.yaml": work("r", request="r", env="dev")})
    settle(platform)
    platform.remove("destinations/dev.yaml")
    settle(platform)
    platform.remove("works/r.yaml")
    settle(platform)

    assert not platform.files("state/dev/resources/default")
    assert not platform.files("status/works")


def test_the_policy_of_a_removed_destination_is_the_one_it_last_had(platform):
    platform.commit({**dev(), "works/r.yaml": work("r", request="r", env="dev")})
    settle(platform)
    platform.commit(dev(cleanup="all"))
    settle(platform)
    assert platform.status("destinations/dev.yaml")["status"]["cleanup"] == "all"
    platform.remove("destinations/dev.yaml")
    settle(platform)

    assert not platform.files("state/")


@pytest.mark.parametrize("cleanup", ["all", "none"])
@pytest.mark.parametrize("way", ["pushed", "merged", "squashed"])
def test_a_policy_that_no_pass_saw_counts_all_the_same(platform, way, cleanup):
    other = {"all": "none", "none": "all"}[cleanup]
    platform.commit({**dev(cleanup=other), "works/r.yaml": work("r", request="r", env="dev")})
    settle(platform)
    branch, began = ("main" if way == "pushed" else "side"), platform.tip()
    platform.commit(dev(cleanup=cleanup), branch=branch, onto=began)
    platform.remove("destinations/dev.yaml", branch=branch)
    platform.commit({"note": "meanwhile"}, branch=branch)
    if way == "merged":
        platform.commit({"other": "meanwhile"})
        platform.merge("side")
    if way == "squashed":
        platform.remove("destinations/dev.yaml", message="nobody can see the policy any more")
    settle(platform)

    kept = (other if way == "squashed" else cleanup) == "none"
    assert bool(platform.files("state/")) == kept
    assert platform.status("destinations/dev.yaml").get("status", {}).get("cleanup") == ("none" if kept else None)
    platform.remove("works/r.yaml")
    settle(platform)
    assert not platform.files("state/dev/resources/default")


def test_a_policy_that_no_pass_saw_counts_although_the_file_changed_since(platform):
    dev_, prod = destination("dev", env="dev"), destination("prod", env="prod")
    platform.commit({"destinations/all.yaml": [dev_, prod], "works/r.yaml": work("r", request="r", env="dev")})
    settle(platform)
    platform.commit({"destinations/all.yaml": [destination("dev", env="dev", cleanup="all"), prod]})
    platform.commit({"destinations/all.yaml": [prod]})
    platform.commit({"destinations/all.yaml": [destination("prod", env="prod", tier="gold")]})
    settle(platform)

    assert not platform.files("state/dev")
    assert not platform.status("destinations/dev.yaml")


def test_an_invalid_definition_has_no_say_in_what_becomes_of_its_documents(platform):
    platform.commit({**dev(cleanup="all"), "works/r.yaml": work("r", request="r", env="dev")})
    settle(platform)
    platform.commit(dev(cleanup="sometimes"))
    platform.remove("destinations/dev.yaml")
    settle(platform)

    assert not platform.files("state/")


def test_cleanup_all_reaches_a_branch_whose_store_went_in_the_same_commit(platform):
    platform.commit({"statestores/s.yaml": store("s", "deploy"), **dev(store="s", cleanup="all")})
    platform.commit({"works/r.yaml": work("r", request="r", env="dev")})
    settle(platform)
    platform.remove("statestores", "destinations")
    settle(platform)

    assert documents(platform, "deploy") == set()


def test_a_removed_destination_is_forgotten_when_the_last_placement_has_left_it(platform):
    platform.commit({**dev(), "works/r.yaml": work("r", request="r", env="dev")})
    settle(platform)
    platform.remove("destinations/dev.yaml")
    settle(platform)
    assert "destinations/dev.yaml" in platform.statuses()

    platform.remove("works/r.yaml")
    settle(platform)
    assert "destinations/dev.yaml" not in platform.statuses()


@pytest.mark.parametrize("cleanup", ["all", "none"])
def test_a_destination_with_a_new_name_takes_over_the_documents_at_its_path(platform, cleanup):
    platform.commit({"destinations/x.yaml": destination("a", path="p", env="dev", cleanup=cleanup)})
    platform.commit({"works/s.yaml": work("s", env="dev")})
    settle(platform)
    before = platform.blobs("state/")
    platform.commit({"destinations/x.yaml": destination("b", path="p", env="dev", cleanup=cleanup)})
    settle(platform)

    assert platform.blobs("state/") == before
    assert platform.condition("works/default/s/s.b-5058f.yaml")[0] == "True"
    assert platform.statuses().keys() == {
        "destinations/b.yaml",
        "works/default/s/s.b-5058f.yaml",
        "works/default/s/work.yaml",
    }, "nobody else has a claim to them"


@pytest.mark.parametrize("mode", [NESTED, FLAT, AGGREGATED])
def test_what_was_left_behind_goes_to_the_destination_that_takes_the_place(platform, mode):
    platform.commit({**dev(mode=mode), "works/s.yaml": work("s", {"x.yaml": configmap("x")}, env="dev")})
    platform.commit({"works/r.yaml": work("r", request="r", promise="other", env="dev")})
    settle(platform)
    before = documents(platform)
    platform.remove("destinations/dev.yaml")
    settle(platform)
    platform.commit({"destinations/qa.yaml": destination("qa", mode=mode, path="dev", env="dev")})
    settle(platform)

    deleted = "WorkplacementReconciled: workplacement reconciled: s.dev-5058f, operation: deleted"
    assert any(told.startswith(f"{deleted} (Destination/dev removed in ") for told in platform.events(WORK_S))
    assert platform.condition(WORK_S) == ("True", "AllWorkplacementsScheduled", "Ready")
    assert platform.condition(P)[1] == "Misplaced", "a request stays where it is"
    platform.remove("works/r.yaml")
    settle(platform)
    assert "destinations/dev.yaml" not in platform.statuses()
    assert len(documents(platform)) == len(before) - 1 + (mode == AGGREGATED)


def test_what_is_held_back_at_the_place_leaves_the_documents_to_the_removed_destination(platform):
    platform.commit({**dev(), "works/s.yaml": work("s", env="dev")})
    settle(platform)
    before = platform.blobs("state/")
    platform.remove("destinations/dev.yaml")
    platform.commit({"works/s.yaml": work("s", {"s.yaml": "no object"}, env="dev")})
    platform.commit({"destinations/qa.yaml": destination("qa", path="dev", env="dev")})
    settle(platform)
    assert platform.blobs("state/") == before
    assert platform.condition("works/default/s/s.dev-5058f.yaml")[1] == "Misplaced"

    platform.commit({"works/s.yaml": work("s", env="dev")})
    settle(platform)
    assert platform.blobs("state/") == before
    assert platform.condition(WORK_S)[0] == "True"


def test_what_is_held_back_contends_for_no_place_that_another_destination_has_got(platform):
    platform.commit({**dev(), "works/s.yaml": work("s", env="dev")})
    settle(platform)
    taken = {"destinations/qa.yaml": destination("qa", path="dev", env="dev", agent="none")}
    bad = {"works/s.yaml": work("s", {"s.yaml": "no object"}, env="dev")}
    platform.commit({**dev(path="elsewhere"), **taken, **bad})
    settle(platform)

    assert platform.files("state/dev/dependencies/redis/instance-configure/5058f/s.yaml") == {
        "state/dev/dependencies/redis/instance-configure/5058f/s.yaml": b"no object"
    }
    platform.commit({"works/s.yaml": work("s", env="dev")})
    settle(platform)
    assert documents(platform) == owned(platform)
    assert platform.condition(WORK_S)[0] == "True"


@pytest.mark.parametrize("mode", [NESTED, FLAT])
def test_what_is_held_back_keeps_its_documents_when_its_destination_becomes_an_aggregate(platform, mode):
    platform.commit({**dev(mode=mode), "works/r.yaml": work("r", request="r", env="dev")})
    settle(platform)
    before = {path for path in documents(platform) if path[1].endswith("r.yaml")}
    bad = work("r", {"x.yaml": "no"}, request="r", env="dev")
    platform.commit({**dev(mode=AGGREGATED), "works/r.yaml": bad})
    settle(platform)
    assert before
    assert before <= documents(platform)
    assert platform.condition(P)[1] == "InvalidDocument"

    platform.commit({"works/r.yaml": work("r", request="r", env="dev")})
    settle(platform)
    assert documents(platform) == owned(platform)
    assert before.isdisjoint(documents(platform))
    assert platform.condition(P)[0] == "True"
