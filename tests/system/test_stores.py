"""Where documents go: this repository, another branch of it, and stores that cannot be written."""

import pytest
from support.definitions import configmap, destination, store, work
from support.passes import settle
from support.platform import BOB

from gitops.cli.main import main

P, W = "works/default/r/r.dev-5058f.yaml", "works/default/r/work.yaml"


def git_store(**spec):
    return {
        "apiVersion": "platform.kratix.io/v1alpha1",
        "kind": "GitStateStore",
        "metadata": {"name": "s"},
        "spec": spec,
    }


BUCKET = {
    "apiVersion": "platform.kratix.io/v1alpha1",
    "kind": "BucketStateStore",
    "metadata": {"name": "s"},
    "spec": {"bucketName": "b", "endpoint": "s3.example.org"},
}


def in_store(kind="GitStateStore", **spec):
    made = destination("dev", env="dev", **spec)
    made["spec"]["stateStoreRef"] = {"kind": kind, "name": "s"}
    return {"destinations/dev.yaml": made, "works/r.yaml": work("r", request="r", env="dev")}


# a store in this repository


def test_a_store_without_url_is_another_branch_and_path_of_this_repository(platform):
    platform.commit({"statestores/s.yaml": store("s", "deploy", "clusters"), **in_store()})
    settle(platform)

    assert list(platform.files(at="deploy")) == [
        "clusters/dev/dependencies/kratix-canary-namespace.yaml",
        "clusters/dev/resources/default/redis/r/instance-configure/5058f/r.yaml",
        "clusters/dev/resources/kratix-canary-configmap.yaml",
    ]
    assert not platform.files("state/")
    assert platform.condition("statestores/GitStateStore/s.yaml") == ("True", "StateStoreReady", "State store is ready")
    assert platform.status("statestores/GitStateStore/s.yaml")["status"]["status"] == "Ready"
    assert platform.events("statestores/GitStateStore/s.yaml") == ['Ready: GitStateStore "s" is ready']
    assert platform.status("statestores/GitStateStore/s.yaml")["events"][0]["from"] == "GitStateStoreController"


def test_k7_a_missing_branch_is_made(platform):
    platform.commit({"statestores/s.yaml": store("s", "deploy"), **in_store()})
    assert platform.tip("deploy") is None
    settle(platform)

    assert platform.condition(P)[0] == "True"
    assert [c.message.partition("\n")[0] for c in platform.log("deploy")] == [
        "place(default/r): dev (+1 ~0 -0)",
        "destination(dev): own documents (+2 ~0 -0)",
    ]
    assert platform.log("deploy")[-1].parents == []


def test_an_existing_branch_is_built_upon(platform):
    platform.commit({"README.md": "mine"}, branch="deploy", by=BOB)
    first = platform.tip("deploy")
    platform.commit({"statestores/s.yaml": store("s", "deploy"), **in_store()})
    settle(platform)

    assert platform.files(at="deploy")["README.md"] == b"mine"
    assert str(platform.log("deploy")[-1].id) == first


def test_the_version_is_the_commit_in_the_stores_own_branch(platform):
    platform.commit({"statestores/s.yaml": store("s", "deploy"), **in_store()})
    settle(platform)

    assert platform.status(P)["status"]["versionID"] == platform.tip("deploy")
    assert platform.status(P)["status"]["branch"] == "deploy"


def test_the_store_is_written_before_the_status_that_reports_it(platform):
    """Committed in that order: the status commit names a version that was there."""
    platform.commit({"statestores/s.yaml": store("s", "deploy"), **in_store()})
    settle(platform)

    assert f"Gitops-Version: default/r.dev-5058f {platform.tip('deploy')}" in platform.log()[0].message


def test_a_branch_that_was_recreated_without_the_documents_gets_them_again(platform):
    platform.commit({"statestores/s.yaml": store("s", "deploy"), **in_store()})
    settle(platform)
    before = platform.blobs(at="deploy")
    platform.move(None, "deploy")
    settle(platform)

    assert platform.blobs(at="deploy") == before
    assert platform.status(P)["status"]["versionID"] == platform.tip("deploy")


def test_two_stores_of_one_branch_write_side_by_side(platform):
    other = {**store("t", "deploy", "two"), "metadata": {"name": "t"}}
    platform.commit(
        {
            "statestores/s.yaml": store("s", "deploy", "one"),
            "statestores/t.yaml": other,
            "destinations/a.yaml": destination("a", store="s", env="dev"),
            "destinations/b.yaml": destination("b", store="t", env="dev"),
            "works/r.yaml": work("r", env="dev"),
        }
    )
    settle(platform)

    assert {path.split("/")[0] for path in platform.files(at="deploy")} == {"one", "two"}


def test_the_author_that_a_store_names_writes_its_commits_and_no_others(platform):
    """On the home branch, which has the status of all stores, the settings say who it is."""
    fleet = {"name": "Fleet", "email": "fleet@example.org"}
    here = {**git_store(branch="main", path="here", gitAuthor=fleet), "metadata": {"name": "here"}}
    platform.commit(
        {
            "statestores/here.yaml": here,
            "statestores/s.yaml": git_store(branch="deploy", gitAuthor=fleet),
            "destinations/here.yaml": destination("here", store="here", env="dev"),
            **in_store(),
        }
    )
    since = platform.tip()
    settle(platform)

    assert {(c.author.name, c.author.email) for c in platform.log("deploy")} == {("Fleet", "fleet@example.org")}
    made = platform.log(until=since)
    assert len(made) > 1
    assert {(c.author.name, c.author.email) for c in made} == {("gitops", "gitops@localhost")}


# stores that cannot be written


@pytest.mark.parametrize(
    ("definition", "kind", "reason"),
    [
        (None, "GitStateStore", "StateStoreNotFound"),
        (
            git_store(url="http://git.example.org/fleet.git", gitAuthor={"name": "Fleet", "email": "f@example.org"}),
            "GitStateStore",
            "StateStoreNotReady",
        ),
        (BUCKET, "BucketStateStore", "StateStoreNotReady"),
    ],
    ids=["missing", "an address that is not allowed", "bucket"],
)
def test_what_cannot_be_written_says_so_at_every_level(platform, definition, kind, reason):
    platform.commit({**({"statestores/s.yaml": definition} if definition else {}), **in_store(kind)})
    settle(platform)

    message = f"{kind}/s: not found" if definition is None else f"{kind}/s: not ready"
    assert platform.condition("destinations/dev.yaml") == ("False", reason, message)
    assert platform.events("destinations/dev.yaml") == [f"DestinationNotReady: {message}"]
    assert platform.condition(P, "WriteSucceeded") == ("False", "WorkloadsFailedWrite", message)
    assert platform.condition(P) == ("False", "WorkloadsFailedWrite", "Failing")
    assert platform.events(P) == [f"FailedWriteToDestination: failed writing to Destination: dev with error: {message}"]
    assert platform.condition(W) == ("False", "WorkplacementsFailing", "Workplacements failed to write: [r.dev-5058f]")
    if definition:
        status, why, text = platform.condition(f"statestores/{kind}/s.yaml")
        assert (status, why) == ("False", "ErrorInitialisingWriter")
        assert platform.status(f"statestores/{kind}/s.yaml")["status"]["status"] == "NotReady"
        assert platform.events(f"statestores/{kind}/s.yaml") == [f"NotReady: {text}"]
    assert not platform.files("state/")


def test_a_store_that_comes_back_makes_everything_ready(platform):
    platform.commit(in_store())
    settle(platform)
    platform.commit({"statestores/s.yaml": store("s", "deploy")})
    settle(platform)

    assert (
        platform.condition("destinations/dev.yaml")[0] == platform.condition(P)[0] == platform.condition(W)[0] == "True"
    )
    assert [e.partition(":")[0] for e in platform.events("destinations/dev.yaml")] == [
        "DestinationNotReady",
        "DestinationReady",
    ]


def test_a_store_that_goes_leaves_the_documents_and_the_others_go_on(platform):
    platform.commit(
        {
            "statestores/s.yaml": store("s", "deploy"),
            **in_store(),
            "destinations/prod.yaml": destination("prod", env="prod"),
        }
    )
    settle(platform)
    before = platform.blobs(at="deploy")
    platform.commit(
        {"statestores/s.yaml": None, "works/t.yaml": work("t", {"t.yaml": configmap("t")}, request="t", env="prod")}
    )
    settle(platform)

    assert platform.blobs(at="deploy") == before
    assert platform.condition(P) == ("False", "WorkloadsFailedWrite", "Failing")
    assert platform.condition("works/default/t/t.prod-5058f.yaml")[0] == "True"
    assert "statestores/GitStateStore/s.yaml" not in platform.statuses()

    platform.commit({"statestores/s.yaml": store("s", "deploy")})
    settle(platform)
    assert platform.blobs(at="deploy") == before
    assert platform.condition(P)[0] == "True"


def test_k1_a_store_that_stays_away_is_one_transition(platform):
    platform.commit(in_store())
    settle(platform)
    tip = platform.tip()
    for _ in range(50):
        platform.clock.advance(3600)
        platform.reconcile()

    assert platform.tip() == tip
    assert [e["count"] for e in platform.status(P)["events"]] == [1]


@pytest.mark.parametrize("branch", ["main/below", "deploy"])
def test_k1_a_branch_that_cannot_be_written_fails_its_placements_and_nobody_else(platform, branch):
    """`main/below` can never be made beside `main`."""
    if branch == "deploy":
        platform.commit({"x": "x"}, branch="deploy/below")
    platform.commit(
        {
            "statestores/s.yaml": store("s", branch),
            **in_store(),
            "destinations/prod.yaml": destination("prod", env="prod"),
            "works/t.yaml": work("t", {"t.yaml": configmap("t")}, request="t", env="prod"),
        }
    )
    settle(platform)
    tip = platform.tip()
    for _ in range(5):
        platform.clock.advance(3600)
        platform.reconcile()

    assert platform.tip() == tip
    assert platform.condition("works/default/t/t.prod-5058f.yaml")[0] == "True"
    assert platform.condition(P) == ("False", "WorkloadsFailedWrite", "Failing")
    assert branch in platform.condition(P, "WriteSucceeded")[2]
    assert platform.condition("destinations/dev.yaml")[:2] == ("False", "StateStoreWriteFailed")
    assert platform.condition("statestores/GitStateStore/s.yaml")[0] == "False"
    assert "versionID" not in platform.status(P)["status"]

    platform.commit({"statestores/s.yaml": store("s", "free")})
    settle(platform)
    assert platform.condition(P)[0] == "True"


def test_all_that_stands_on_a_branch_that_is_locked_says_so_until_it_is_free_again(platform):
    platform.commit({"statestores/s.yaml": store("s", "deploy"), **in_store()})
    settle(platform)
    tip = platform.tip("deploy")
    lock = platform.path / "refs/heads/deploy.lock"
    lock.touch()
    platform.commit({"works/t.yaml": work("t", request="t", env="dev")})
    platform.reconcile()

    for placement in (P, "works/default/t/t.dev-5058f.yaml"):
        told = "branch deploy cannot be written: another Git process holds it"
        assert platform.condition(placement, "WriteSucceeded") == ("False", "WorkloadsFailedWrite", told)
    assert platform.condition("destinations/dev.yaml")[:2] == ("False", "StateStoreWriteFailed")
    assert platform.status(P)["status"]["versionID"]
    assert platform.tip("deploy") == tip

    lock.unlink()
    settle(platform)
    for placement in (P, "works/default/t/t.dev-5058f.yaml", "destinations/dev.yaml"):
        assert platform.condition(placement)[0] == "True"


# overlaps


def test_k12_of_two_destinations_on_one_place_the_newcomer_is_not_ready(platform):
    platform.commit({"destinations/z.yaml": destination("z", path="p", env="z")})
    settle(platform)
    platform.commit(
        {"destinations/a.yaml": destination("a", path="p/sub", env="a"), "works/r.yaml": work("r", env="a")}
    )
    settle(platform)

    message = "path state/p/sub overlaps Destination z"
    assert platform.condition("destinations/a.yaml") == ("False", "PathOverlap", message)
    assert platform.condition("destinations/z.yaml")[0] == "True"
    assert platform.condition("works/default/r/r.a-5058f.yaml", "WriteSucceeded") == (
        "False",
        "WorkloadsFailedWrite",
        message,
    )
    assert not platform.files("state/p/sub")

    platform.commit({"destinations/z.yaml": destination("z", path="q", env="z")})
    settle(platform)
    assert platform.condition("destinations/a.yaml")[0] == "True"
    assert platform.files("state/p/sub")


# the output branch


def test_the_output_branch_takes_all_that_is_written(platform):
    platform.commit(
        {
            "gitops.yaml": "output: {branch: deploy}\n",
            "destinations/dev.yaml": destination("dev", env="dev"),
            "works/r.yaml": work("r", request="r", env="dev"),
        }
    )
    source = platform.tip()
    platform.reconcile()
    tip = platform.tip("deploy")
    platform.clock.advance()
    platform.reconcile()
    platform.reconciler().reconcile()

    assert (platform.tip(), platform.tip("deploy")) == (source, tip)
    assert {path.split("/")[0] for path in platform.files(at="deploy")} == {"state", "status"}
    assert platform.log("deploy")[0].message.startswith("status: 1 Work, 1 Ready")
    assert f"Gitops-Source-Commit: {source}" in platform.log("deploy")[0].message
    assert platform.status(P, at="deploy")["status"]["versionID"] == str(platform.log("deploy")[1].id)


def test_changes_on_the_source_branch_reach_the_output_branch(platform):
    platform.commit(
        {
            "gitops.yaml": "output: {branch: deploy}\n",
            "destinations/dev.yaml": destination("dev", env="dev"),
            "works/r.yaml": work("r", request="r", env="dev"),
        }
    )
    platform.reconcile()
    platform.commit({"works/r.yaml": work("r", {"new.yaml": configmap("new")}, request="r", env="dev")})
    platform.reconcile()
    assert list(platform.files("state/dev/resources/default", at="deploy")) == [
        "state/dev/resources/default/redis/r/instance-configure/5058f/new.yaml"
    ]

    platform.remove("works/r.yaml")
    platform.reconcile()
    assert not platform.files("state/dev/resources/default", at="deploy")
    assert not platform.files("status/works", at="deploy")


def test_an_output_branch_that_people_use_too_keeps_their_files(platform):
    platform.commit({"README.md": "mine"}, branch="deploy", by=BOB)
    platform.commit({"gitops.yaml": "output: {branch: deploy}\n", "destinations/dev.yaml": destination("dev")})
    platform.reconcile()

    assert platform.files(at="deploy")["README.md"] == b"mine"


def test_a_branch_that_was_rewound_to_an_older_commit_of_ours_gets_its_documents_again(platform):
    platform.commit({"statestores/s.yaml": store("s", "deploy"), **in_store()})
    settle(platform)
    older = platform.tip("deploy")
    platform.commit({"works/r.yaml": work("r", {"new.yaml": configmap("new")}, request="r", env="dev")})
    settle(platform)
    platform.move(older, "deploy")
    settle(platform)

    assert "resources/default/redis/r/instance-configure/5058f/new.yaml" in "".join(platform.files(at="deploy"))
    assert platform.status(P)["status"]["versionID"] == platform.tip("deploy")


def test_a_new_output_branch_begins_with_what_was_known(platform):
    """A resource request stays on its Destination, whichever a new choice would prefer."""
    platform.commit(
        {"destinations/a.yaml": destination("a", env="dev"), "works/r.yaml": work("r", request="r", env="dev")}
    )
    platform.reconcile()
    platform.commit({f"destinations/{name}.yaml": destination(name, env="dev") for name in "bcdefgh"})
    platform.commit({"gitops.yaml": "output: {branch: deploy}\n"})
    platform.reconciler().reconcile()

    assert [f for f in platform.statuses(at="deploy") if "/r." in f] == ["works/default/r/r.a-5058f.yaml"]


def test_the_state_store_of_a_destination_is_shown_as_kubectl_does(platform, capsys):
    platform.commit({"statestores/s.yaml": store("s", "deploy"), "destinations/d.yaml": destination("d", store="s")})
    platform.reconcile()

    assert main(["--repo", str(platform.path), "get", "destinations"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split() == ["d", "GitStateStore", "s", "True"]
