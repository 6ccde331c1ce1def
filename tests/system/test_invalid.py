"""A bad definition, document or template stops itself only, says where it is wrong, and leaves what was good."""

import pygit2
import pytest
from pygit2.enums import FileMode, ObjectType
from support.definitions import configmap, destination, group, selector, store, work
from support.passes import settle
from support.platform import BOB

from gitops.cli.main import main

W, P = "works/default/r/work.yaml", "works/default/r/r.dev-5058f.yaml"
PLACE = "state/dev/resources/default/redis/r/instance-configure/5058f"


def request(documents=None, **fields):
    return work("r", documents, request="r", env="dev", **fields)


@pytest.fixture
def placed(platform):
    """A resource request `r` and a dependency `s` on the Destination `dev`."""
    platform.commit(
        {
            "destinations/dev.yaml": destination("dev", env="dev"),
            "works/r.yaml": request(),
            "works/s.yaml": work("s", env="dev"),
        }
    )
    settle(platform)
    return platform


def last_event(platform, file):
    event = platform.status(file)["events"][-1]
    return event["type"], event["reason"], event["from"], event["message"], event["count"]


def problems(platform):
    raw = platform.status("repository.yaml")
    return [(p["file"], p["line"], p["message"]) for p in raw["status"]["problems"]] if raw else []


# definitions


BROKEN = "apiVersion: platform.kratix.io/v1alpha1\nkind: Work\nmetadata:\n  name: r\nspec:\n  promisName: redis\n"
COMPLAINT = 'works/r.yaml:6: unknown field "spec.promisName" (did you mean "promiseName"?)'


def test_an_invalid_work_says_where_it_is_wrong_and_keeps_what_was_good(placed):
    documents, before = placed.blobs("state/"), placed.condition(P)
    placed.commit({"works/r.yaml": BROKEN})
    settle(placed)

    assert placed.condition(W) == ("False", "InvalidDefinition", COMPLAINT)
    assert placed.condition(W, "ScheduleSucceeded") == (
        "True",
        "AllWorkplacementsScheduled",
        "All workplacements scheduled successfully",
    )
    assert last_event(placed, W) == ("Warning", "InvalidDefinition", "WorkController", COMPLAINT, 1)
    assert (placed.blobs("state/"), placed.condition(P)) == (documents, before)
    assert problems(placed) == [], "what is told of the object is not told of the repository as well"
    assert placed.subjects()[0] == "status: 2 Works, 1 Ready, 1 Invalid (1 event)"


def test_an_invalid_work_that_never_was_good_has_no_placements(platform):
    platform.commit({"destinations/dev.yaml": destination("dev", env="dev"), "works/r.yaml": BROKEN})
    settle(platform)

    assert platform.condition(W) == ("False", "InvalidDefinition", COMPLAINT)
    assert platform.condition(W, "ScheduleSucceeded") == ("False", "InvalidDefinition", COMPLAINT)
    assert not platform.files("state/dev/resources/default")


def test_a_work_that_is_good_again_is_ready_again(placed):
    placed.commit({"works/r.yaml": BROKEN})
    settle(placed)
    placed.commit({"works/r.yaml": request({"r.yaml": configmap("r", "new")})})
    settle(placed)

    assert placed.condition(W) == ("True", "AllWorkplacementsScheduled", "Ready")
    assert b"new" in placed.files()[f"{PLACE}/r.yaml"]


@pytest.mark.parametrize(
    "raw", ["kind: [", "\xff", "a: 1\na: 2\n", "&a [*a]", "apiVersion: v1\nkind: Work\nmetadata: {name: UPPER}\n"]
)
def test_a_file_that_cannot_be_read_keeps_the_last_good_of_all_that_stood_in_it(placed, raw):
    documents = placed.blobs("state/")
    placed.commit({"works/r.yaml": raw.encode("latin-1")})
    settle(placed)

    assert placed.blobs("state/") == documents
    status, reason, message = placed.condition(W)
    assert (status, reason) == ("False", "InvalidDefinition")
    assert message.startswith("works/r.yaml:")
    assert {file for file, _, _ in problems(placed)} == {"works/r.yaml"}
    assert placed.condition("works/default/s/work.yaml")[0] == "True"


def test_a_file_that_names_nobody_is_a_problem_of_the_repository(placed):
    placed.commit({"works/x.yaml": "kind: ["})
    settle(placed)

    assert [file for file, _, _ in problems(placed)] == ["works/x.yaml"]
    assert placed.condition(W)[0] == "True"
    placed.remove("works/x.yaml")
    settle(placed)

    assert problems(placed) == []
    assert "status/repository.yaml" not in placed.files()


def test_a_wrong_file_is_told_of_where_nothing_was_ever_defined(platform):
    platform.commit({"works/x.yaml": "kind: ["})
    settle(platform)

    assert [file for file, _, _ in problems(platform)] == ["works/x.yaml"]


def test_a_link_among_the_definitions_is_a_problem_and_not_followed(placed):
    placed.link("works/x.yaml", "r.yaml")
    settle(placed)

    assert [(file, message) for file, _, message in problems(placed)] == [
        ("works/x.yaml", "is a symbolic link; definitions are ordinary files")
    ]


def test_a_work_that_becomes_a_link_keeps_its_documents(placed):
    documents = placed.blobs("state/")
    placed.link("works/r.yaml", "/etc/passwd")
    settle(placed)

    assert placed.blobs("state/") == documents
    assert placed.condition(W)[1] == "InvalidDefinition"


@pytest.mark.parametrize("bad", ["kind: [", {**request(), "sepc": {}}], ids=["unreadable", "invalid"])
@pytest.mark.parametrize("together", [True, False])
def test_a_good_definition_of_what_is_wrong_where_it_was_first_is_a_problem_while_it_is_ignored(placed, bad, together):
    good = {"works/a.yaml": request({"other.yaml": configmap("other")})}
    for push in [{"works/r.yaml": bad, **good}] if together else [good, {"works/r.yaml": bad}]:
        placed.commit(push)
        settle(placed)
    text = "Work/default/r is already defined in works/r.yaml, which is wrong now; this one is ignored"
    told = ("works/a.yaml", 1, text)
    assert told in problems(placed)
    assert list(placed.files(f"{PLACE}/")) == [f"{PLACE}/r.yaml"]

    placed.commit({"works/s.yaml": work("s", {"new.yaml": configmap("new")}, env="dev")})
    settle(placed)
    assert told in problems(placed), "also when nobody looked at the Work"
    placed.remove("works/r.yaml")
    settle(placed)
    assert problems(placed) == []
    assert list(placed.files(f"{PLACE}/")) == [f"{PLACE}/other.yaml"]


def test_a_good_destination_beside_a_bad_one_that_was_first_is_a_problem(placed):
    placed.commit({"destinations/new.yaml": destination("dev"), "destinations/dev.yaml": "kind: ["})
    settle(placed)

    told = "Destination/dev is already defined in destinations/dev.yaml, which is wrong now; this one is ignored"
    assert ("destinations/new.yaml", 1, told) in problems(placed)


def test_of_two_definitions_of_one_object_the_first_keeps_its_place(placed):
    placed.commit({"works/a.yaml": request({"other.yaml": configmap("other")})})
    settle(placed)

    assert placed.status(W)["status"]["source"] == "works/r.yaml"
    assert problems(placed) == [
        ("works/a.yaml", 1, "Work/default/r is already defined in works/r.yaml:1; this one is ignored")
    ]
    assert list(placed.files(f"{PLACE}/")) == [f"{PLACE}/r.yaml"]

    before = problems(placed)
    placed.commit({"works/s.yaml": work("s", {"new.yaml": configmap("new")}, env="dev")})
    settle(placed)
    assert problems(placed) == before

    placed.remove("works/r.yaml")
    settle(placed)

    assert placed.status(W)["status"]["source"] == "works/a.yaml"
    assert list(placed.files(f"{PLACE}/")) == [f"{PLACE}/other.yaml"]
    assert problems(placed) == []


def test_a_wrong_definition_beside_the_good_one_of_the_object_is_a_problem_and_changes_nothing(placed):
    documents = placed.blobs("state/")
    placed.commit({"works/x.yaml": BROKEN})
    settle(placed)

    assert problems(placed) == [("works/x.yaml", 6, COMPLAINT.partition(": ")[2])]
    assert placed.condition(W) == ("True", "AllWorkplacementsScheduled", "Ready")
    assert placed.blobs("state/") == documents


def test_one_bad_document_of_a_file_stops_only_itself(platform):
    good = work("s", env="dev")
    bad = {**work("r"), "spec": {"promisName": "x"}}
    platform.commit({"destinations/dev.yaml": destination("dev", env="dev"), "works/all.yaml": [bad, good]})
    settle(platform)

    assert platform.condition("works/default/s/work.yaml")[0] == "True"
    assert platform.condition(W)[1] == "InvalidDefinition"


def test_a_destination_that_becomes_invalid_keeps_its_place_and_its_documents(placed):
    documents = placed.blobs("state/")
    placed.commit({"destinations/dev.yaml": destination("dev", env="qa", path="../x")})
    settle(placed)

    assert placed.condition("destinations/dev.yaml")[:2] == ("False", "InvalidDefinition")
    assert placed.condition("destinations/dev.yaml")[2].startswith("destinations/dev.yaml:")
    assert placed.blobs("state/") == documents
    assert placed.condition(P) == ("True", "WorkloadsWrittenToTargetDestination", "Ready")
    assert [e.partition(":")[0] for e in placed.events("destinations/dev.yaml")] == [
        "DestinationReady",
        "DestinationNotReady",
    ]


def test_a_destination_that_cannot_be_read_is_not_removed(placed):
    documents = placed.blobs("state/")
    placed.commit({"destinations/dev.yaml": "kind: ["})
    settle(placed)

    assert placed.condition("destinations/dev.yaml")[1] == "InvalidDefinition"
    assert placed.blobs("state/") == documents


def test_a_store_that_becomes_invalid_goes_on_as_it_was(platform):
    platform.commit(
        {
            "statestores/s.yaml": store("s", "deploy"),
            "destinations/dev.yaml": destination("dev", env="dev", store="s"),
            "works/r.yaml": request(),
        }
    )
    settle(platform)
    before = platform.blobs(at="deploy")
    platform.commit({"statestores/s.yaml": store("s", "a..b")})
    settle(platform)

    assert platform.condition("statestores/GitStateStore/s.yaml")[:2] == ("False", "InvalidDefinition")
    assert platform.blobs(at="deploy") == before
    assert platform.condition(P)[0] == "True"


def test_wrong_settings_are_a_problem_and_the_last_good_ones_stay(platform):
    platform.commit({"gitops.yaml": "commit: {author: Robot <robot@example.org>}\n"})
    platform.commit({"gitops.yaml": "commit: {autor: x}\n", "destinations/dev.yaml": destination("dev")})
    settle(platform)

    assert problems(platform)[0][:2] == ("gitops.yaml", 1)
    assert platform.log()[0].author.name == "Robot"


# documents


BAD_DOCUMENTS = [
    ({"../x.yaml": configmap("x")}, "InvalidDocument", "../x.yaml"),
    ({"/x.yaml": configmap("x")}, "InvalidDocument", "/x.yaml"),
    ({".git/config": "x"}, "InvalidDocument", ".git/config"),
    ({"x.yaml": "kind: Nothing\n"}, "InvalidDocument", "x.yaml: "),
    ({"x.yaml": "- 1\n"}, "InvalidDocument", "x.yaml: "),
    ({"x.yaml": "a: [\n"}, "InvalidDocument", "x.yaml: "),
    ({"a.yaml": configmap("x"), "b.yaml": configmap("x")}, "InvalidDocument", "ConfigMap/default/x comes twice"),
    ({"x.yaml": "H4sIAAAAbroken"}, "InvalidDocument", "x.yaml: the content begins like base64 of gzip"),
    ({"x.txt.j2": "{{ values.nothing }}"}, "TemplateError", "x.txt.j2: "),
    ({"x.txt.j2": "{% if %}"}, "TemplateError", "x.txt.j2: line 1: "),
]


@pytest.mark.parametrize(("documents", "reason", "named"), BAD_DOCUMENTS)
def test_k3_documents_that_cannot_be_delivered_hold_their_work_back_and_nobody_else(placed, documents, reason, named):
    before = placed.blobs("state/")
    placed.commit({"works/r.yaml": request(documents), "works/t.yaml": work("t", request="t", env="dev")})
    settle(placed)

    status, found, message = placed.condition(P, "WriteSucceeded")
    assert (status, found) == ("False", reason)
    assert named in message
    assert placed.condition(P) == ("False", reason, "Failing")
    assert placed.condition(P, "ScheduleSucceeded")[0] == "True"
    assert placed.condition(W) == ("False", "WorkplacementsFailing", "Workplacements failed to write: [r.dev-5058f]")
    assert placed.condition(W, "ScheduleSucceeded") == (
        "True",
        "AllWorkplacementsScheduled",
        "All workplacements scheduled successfully",
    )
    assert last_event(placed, P) == (
        "Warning",
        "FailedWriteToDestination",
        "WorkPlacementController",
        f"failed writing to Destination: dev with error: {message}",
        1,
    )
    assert last_event(placed, W) == (
        "Warning",
        "WorkplacementsFailing",
        "WorkController",
        "Workplacements failed to write: [r.dev-5058f]",
        1,
    )
    after = placed.blobs("state/")
    assert {p: after.get(p) for p in before} == before
    assert set(after) - set(before) == {"state/dev/resources/default/redis/t/instance-configure/5058f/t.yaml"}


@pytest.mark.parametrize(("documents", "reason", "named"), BAD_DOCUMENTS[:3])
def test_k3_nothing_is_written_anywhere_for_a_path_that_leaves_its_place(platform, documents, reason, named):
    platform.commit({"destinations/dev.yaml": destination("dev", env="dev"), "works/r.yaml": request(documents)})
    settle(platform)

    assert sorted(platform.files()) == sorted(
        [
            "destinations/dev.yaml",
            "works/r.yaml",
            "status/README.md",
            "status/destinations/dev.yaml",
            f"status/{W}",
            f"status/{P}",
            "state/dev/dependencies/kratix-canary-namespace.yaml",
            "state/dev/resources/kratix-canary-configmap.yaml",
        ]
    )
    assert "versionID" not in platform.status(P)["status"]


def test_documents_that_are_good_again_are_delivered(placed):
    placed.commit({"works/r.yaml": request({"x.yaml": "kind: Nothing\n"})})
    settle(placed)
    placed.commit({"works/r.yaml": request({"y.yaml": configmap("y")})})
    settle(placed)

    assert placed.condition(P) == ("True", "WorkloadsWrittenToTargetDestination", "Ready")
    assert list(placed.files(f"{PLACE}/")) == [f"{PLACE}/y.yaml"]


def test_another_fault_is_another_event_and_the_same_one_is_none(placed):
    for documents in ({"x.yaml": "kind: A\n"}, {"x.yaml": "kind: A\n", "a.txt": "x"}, {"y.yaml": "kind: A\n"}):
        placed.commit({"works/r.yaml": request(documents)})
        settle(placed)

    assert [e.partition("error: ")[2].partition(":")[0] for e in placed.events(P) if e.startswith("FailedWrite")] == [
        "x.yaml",
        "y.yaml",
    ]


def test_without_an_agent_any_file_is_delivered(platform):
    platform.commit(
        {
            "destinations/dev.yaml": destination("dev", env="dev", agent="none"),
            "works/r.yaml": request({"x.yaml": "- no object\n", "y.yaml": configmap("y"), "z.yaml": configmap("y")}),
        }
    )
    settle(platform)

    assert platform.condition(P)[0] == "True"
    assert len(platform.files(f"{PLACE}/")) == 3


def test_an_object_in_two_works_stays_with_the_first_recorded_owner(placed):
    placed.commit({"works/a.yaml": work("a", {"x.yaml": configmap("r")}, request="a", env="dev")})
    settle(placed)

    assert placed.condition(P)[0] == "True"
    assert placed.condition("works/default/a/a.dev-5058f.yaml", "WriteSucceeded") == (
        "False",
        "InvalidDocument",
        "ConfigMap/default/r is already delivered by default/r.dev-5058f",
    )

    placed.remove("works/r.yaml")
    settle(placed)

    assert placed.condition("works/default/a/a.dev-5058f.yaml")[0] == "True"


def test_an_object_that_two_delivered_before_there_was_an_agent_holds_both_back(platform):
    """Neither came first, and to remove one of them would be to lose documents: a person decides."""
    works = {f"works/{n}.yaml": work(n, {"x.yaml": configmap("same")}, request=n, env="dev") for n in "ab"}
    platform.commit({"destinations/dev.yaml": destination("dev", env="dev", agent="none"), **works})
    settle(platform)
    before = platform.blobs("state/")
    platform.commit({"destinations/dev.yaml": destination("dev", env="dev", agent="flux")})
    settle(platform)

    assert {platform.condition(f"works/default/{n}/{n}.dev-5058f.yaml")[1] for n in "ab"} == {"InvalidDocument"}
    assert platform.blobs("state/") == before
    platform.remove("works/b.yaml")
    settle(platform)
    assert platform.condition("works/default/a/a.dev-5058f.yaml")[0] == "True"


def test_what_recovers_without_a_write_is_told_of_like_what_is_written(platform):
    works = {f"works/{n}.yaml": work(n, {"x.yaml": configmap("same")}, request=n, env="dev") for n in "ab"}
    platform.commit({"destinations/dev.yaml": destination("dev", env="dev", agent="none"), **works})
    settle(platform)
    platform.commit({"destinations/dev.yaml": destination("dev", env="dev", agent="flux")})
    settle(platform)
    platform.remove("works/b.yaml")
    settle(platform)

    placement = platform.status("works/default/a/a.dev-5058f.yaml")
    written = f"successfully written to Destination: dev with versionID: {placement['status']['versionID']}"
    told = {event["message"]: event["count"] for event in placement["events"]}
    assert (list(told)[-1], told[written]) == (written, 2)


def test_the_same_object_on_different_destinations_is_no_conflict(platform):
    for name in "ab":
        platform.commit(
            {
                f"destinations/{name}.yaml": destination(name, env=name),
                f"works/{name}.yaml": work(name, {"x.yaml": configmap("same")}, env=name),
            }
        )
    settle(platform)

    assert platform.subjects()[0].startswith("status: 2 Works, 2 Ready")


# several at once: the worst is shown, nothing is hidden


GOOD, BAD = {"g.yaml": configmap("g")}, {"b.yaml": "kind: Nothing\n"}


def grouped(**groups):
    """A request with a group for each name: (documents, environment)."""
    return work(
        "r", request="r", groups=[group(d, selector(env=env), directory=name) for name, (d, env) in groups.items()]
    )


@pytest.fixture
def two_places(platform):
    platform.commit({f"destinations/{n}.yaml": destination(n, env=n) for n in ("dev", "prod")})
    settle(platform)
    return platform


def test_k14_unscheduled_is_worse_than_failing_and_both_are_seen(two_places):
    two_places.commit({"works/r.yaml": grouped(a=(BAD, "dev"), b=(GOOD, "nowhere"))})
    settle(two_places)

    assert two_places.condition(W) == ("False", "UnscheduledWorkloadGroups", "Pending")
    assert two_places.condition("works/default/r/r.dev-0cc17.yaml")[1] == "InvalidDocument"
    reasons = [e.partition(":")[0] for e in two_places.events(W)]
    assert "WorkplacementsFailing" in reasons
    assert "NoMatchingDestination" in reasons


def test_failing_is_worse_than_misplaced(two_places):
    two_places.commit({"works/r.yaml": grouped(a=(GOOD, "dev"), b=(GOOD | {"x.txt": "x"}, "prod"))})
    settle(two_places)
    two_places.commit({"works/r.yaml": grouped(a=(BAD, "dev"), b=({"x.txt": "x"}, "nowhere"))})
    settle(two_places)

    assert two_places.condition(W)[1] == "WorkplacementsFailing"
    assert two_places.condition(W, "ScheduleSucceeded")[1] == "DestinationSelectorMismatch"
    assert two_places.condition("works/default/r/r.prod-92eb5.yaml") == ("False", "Misplaced", "Misplaced")


def test_a_placement_that_is_misplaced_and_failing_says_both(placed):
    placed.commit({"destinations/dev.yaml": destination("dev", env="qa"), "works/r.yaml": request(BAD)})
    settle(placed)

    assert placed.condition(P) == ("False", "InvalidDocument", "Failing")
    assert placed.condition(P, "ScheduleSucceeded")[1] == "DestinationSelectorMismatch"
    assert placed.condition(P, "WriteSucceeded")[1] == "InvalidDocument"


def test_invalid_is_worse_than_all_and_placements_go_on_being_reported(placed):
    placed.commit({"works/r.yaml": BROKEN, "destinations/dev.yaml": destination("dev", env="qa")})
    settle(placed)

    assert placed.condition(W)[1] == "InvalidDefinition"
    assert placed.condition(P) == ("False", "Misplaced", "Misplaced")


def test_k1_a_lasting_fault_is_one_event_however_many_passes_look_at_it(placed):
    placed.commit({"works/r.yaml": request(BAD)})
    settle(placed)
    tip = placed.tip()
    for _ in range(50):
        placed.clock.advance(3600)
        placed.reconcile()

    assert placed.tip() == tip
    assert [e["count"] for e in placed.status(W)["events"] if e["reason"] == "WorkplacementsFailing"] == [1]


def test_an_object_stays_with_its_owner_also_while_that_is_held_back_for_another_one(placed):
    """The newcomer was in nobody's way as long as the owner was not held back."""
    placed.commit({"works/z.yaml": work("z", {"z.yaml": configmap("z")}, request="z", env="dev")})
    settle(placed)
    newcomer = work("a", {"x.yaml": configmap("r")}, request="a", env="dev")
    placed.commit({"works/a.yaml": newcomer, "works/r.yaml": request({"r.yaml": configmap("z")})})
    settle(placed)

    assert [raw for raw in placed.files("state/").values() if raw == configmap("r").encode()] == [
        configmap("r").encode()
    ]
    lost = "ConfigMap/default/r is already delivered by default/r.dev-5058f"
    assert placed.condition("works/default/a/a.dev-5058f.yaml", "WriteSucceeded") == ("False", "InvalidDocument", lost)


def test_an_object_in_two_groups_of_one_work_is_delivered_once(two_places):
    two_places.commit({"works/r.yaml": grouped(a=(GOOD, "dev"), b=(GOOD, "dev"))})
    settle(two_places)

    assert two_places.condition("works/default/r/r.dev-0cc17.yaml")[0] == "True"
    assert two_places.condition("works/default/r/r.dev-92eb5.yaml", "WriteSucceeded") == (
        "False",
        "InvalidDocument",
        "ConfigMap/default/g is already delivered by default/r.dev-0cc17",
    )


def test_commands_read_where_the_daemon_writes_while_gitops_yaml_is_invalid(platform, capsys):
    platform.commit({"gitops.yaml": "output: {branch: deploy}\n", "works/w.yaml": work("w", env="none")})
    settle(platform)
    platform.commit({"gitops.yaml": "output: {brunch: deploy}\n"})
    settle(platform)

    assert main(["--repo", str(platform.path), "get", "works"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split() == ["w", "Pending"]


# folders that no tool of good will writes


def graft_works(platform, row):
    """Put one more row, byte for byte, into the tree `works/`."""
    commit = platform.repo[platform.tip()]
    made = platform.repo.write(ObjectType.TREE, platform.repo[commit.tree["works"].id].read_raw() + row)
    builder = platform.repo.TreeBuilder(commit.tree)
    builder.insert("works", made, FileMode.TREE)
    who = pygit2.Signature(*BOB, 0, 0)
    platform.move(str(platform.repo.create_commit(None, who, who, "Graft", builder.write(), [commit.id])))


@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
def test_a_folder_that_cannot_be_read_holds_back_what_stood_in_it_and_takes_nothing_away(placed, warm):
    documents, good = placed.blobs("state/"), placed.tip()
    graft_works(placed, b"100644 ../x.yaml\0" + bytes(range(20)))
    placed.reconcile() if warm else placed.reconciler().reconcile()

    complaint = "works:1: the folder holds entries that Git does not allow"
    assert placed.condition(W) == ("False", "InvalidDefinition", complaint)
    assert placed.blobs("state/") == documents

    placed.commit({"docs/x": "x"}, onto=good, branch="good")
    placed.move(placed.tip("good"))
    settle(placed)
    assert placed.condition(W)[0] == "True"


def test_a_work_that_is_defined_twice_in_one_file_goes_to_new_destinations_too(platform):
    first = work("a", {"a.yaml.j2": "{kind: A, apiVersion: v1, metadata: {name: {{ destination.metadata.name }} }}\n"})
    platform.commit({"destinations/one.yaml": destination("one"), "works/a.yaml": [first, work("a")]})
    settle(platform)
    platform.commit({"destinations/two.yaml": destination("two")})
    settle(platform)

    written = [raw for path, raw in platform.files("state/").items() if path.endswith("/a.yaml")]
    assert [b"name: one" in written[0], b"name: two" in written[1]] == [True, True]
