"""Deleting or losing the status loses no decision."""

import pytest
from support.definitions import configmap, destination, group, selector, store, work
from support.passes import settle

from gitops.git import refs

MODES = ["nestedByMetadata", "none", "aggregatedYAML"]
THREE = {f"destinations/{name}.yaml": name for name in ("a", "b", "c")}


def three(mode="", **envs):
    return {path: destination(name, mode=mode, env=envs.get(name, "dev")) for path, name in THREE.items()}


def test_a_destination_that_goes_with_all_status(platform):
    all_three = {path: destination(name, env="dev", cleanup="all") for path, name in THREE.items()}
    platform.commit({**all_three, "works/r.yaml": work("r", env="dev")})
    settle(platform)
    platform.remove("status", "destinations/a.yaml")
    settle(platform)

    assert platform.condition("works/default/r/work.yaml")[0] == "True"
    assert not platform.files("state/a/dependencies/redis")
    assert "| b | Ready | env=dev | 1 |" in platform.files()["status/README.md"].decode()


def squash(platform, *without):
    """One commit with what stands there now, on no history."""
    files = {path: raw for path, raw in platform.files().items() if not path.startswith(without)}
    platform.move(None)
    platform.commit(files, "Squash")


def drop_status_commits(platform):
    """The history as a filter leaves it that takes `status/` out of it: documents commits stay, status commits go."""
    commits = [c for c in reversed(platform.log()) if not c.message.startswith("status: ")]
    parent = None
    for commit in commits:
        files = {p: raw for p, raw in platform.files(at=str(commit.id)).items() if not p.startswith("status/")}
        gone = {p: None for p in (platform.files(at=parent) if parent else {}) if p not in files}
        parent = platform.commit({**files, **gone}, commit.message, branch="filtered", onto=parent or "")
    platform.move(parent)


def placements(platform):
    return {
        file: s["status"].get("versionID") for file, s in platform.statuses().items() if s["kind"] == "WorkPlacement"
    }


def sticky(platform, mode):
    """A resource request on the only Destination that matched; others match now, which a new choice might prefer."""
    platform.commit({**three(mode, a="no", b="no", c="dev"), "works/r.yaml": work("r", request="r", env="dev")})
    platform.reconcile()
    return three(mode)


def test_deleted_status_is_written_again_with_the_same_placements_and_versions(platform):
    platform.commit(sticky(platform, ""))
    platform.reconcile()
    before, documents = placements(platform), platform.blobs("state/")

    platform.remove("status")
    platform.reconciler().reconcile()

    assert placements(platform) == before != {}
    assert platform.blobs("state/") == documents
    assert not [s for s in platform.subjects()[:2] if s.startswith(("place", "move", "update"))]


@pytest.mark.parametrize("mode", MODES)
def test_a_squashed_history_with_status_remembers(platform, mode):
    platform.commit(sticky(platform, mode))
    squash(platform)
    platform.reconciler().reconcile()

    assert list(placements(platform)) == ["works/default/r/r.c-5058f.yaml"]


def test_a_squashed_history_without_status_is_read_back_from_nested_documents(platform):
    platform.commit(sticky(platform, ""))
    squash(platform, "status/")
    documents = platform.blobs("state/c")
    platform.reconciler().reconcile()

    assert list(placements(platform)) == ["works/default/r/r.c-5058f.yaml"]
    assert platform.blobs("state/c") == documents
    assert platform.reconciler().reconcile()[0].commits == ()


@pytest.mark.parametrize("mode", MODES)
def test_documents_commits_that_are_left_in_the_log_tell_the_placement(platform, mode):
    platform.commit(sticky(platform, mode))
    drop_status_commits(platform)
    platform.reconciler().reconcile()

    assert list(placements(platform)) == ["works/default/r/r.c-5058f.yaml"]


def test_what_was_misplaced_is_read_back_as_misplaced(platform):
    sticky(platform, "")
    platform.commit(three(c="qa"))
    squash(platform, "status/")
    platform.reconciler().reconcile()

    assert platform.condition("works/default/r/r.c-5058f.yaml") == ("False", "Misplaced", "Misplaced")


def test_groups_are_read_back_one_by_one(platform):
    groups = [
        group({f"{d}/x.txt": configmap(d)}, selector(env=env), directory=d)
        for d, env in (("one", "dev"), ("two", "qa"))
    ]
    platform.commit({**three(a="dev", b="qa", c="no"), "works/r.yaml": work("r", request="r", groups=groups)})
    platform.reconcile()
    before = placements(platform)
    platform.commit({**three(), "destinations/q.yaml": destination("q", env="qa")})
    squash(platform, "status/")
    platform.reconciler().reconcile()

    assert list(placements(platform)) == list(before)


def test_in_mode_none_the_same_name_with_other_content_is_no_placement(platform):
    """Two requests deliver a file of one name to different Destinations that both match: each is found on its own."""
    platform.commit(
        {"destinations/a.yaml": destination("a", mode="none"), "works/v.yaml": work("v", {"x.txt": "v"}, request="v")}
    )
    platform.reconcile()
    platform.commit(
        {
            "destinations/b.yaml": destination("b", mode="none", x="1"),
            "works/w.yaml": work("w", {"x.txt": "w"}, request="w", x="1"),
        }
    )
    platform.reconcile()
    platform.commit({"destinations/a.yaml": destination("a", mode="none", x="1")})
    before = placements(platform)
    drop_status_commits(platform)
    platform.reconciler().reconcile()

    assert list(placements(platform)) == list(before)
    assert (platform.files()["state/a/x.txt"], platform.files()["state/b/x.txt"]) == (b"v", b"w")


def test_a_new_repository_is_no_lost_status(platform):
    """While there is status, documents of nobody on some Destination are no reason to go there."""
    platform.commit(three(a="no", b="no", c="dev"))
    platform.reconcile()
    stray = "state/a/resources/default/redis/r/instance-configure/5058f/r.yaml"
    platform.commit({stray: "x", "works/r.yaml": work("r", request="r", env="dev")})
    platform.reconcile()

    assert list(placements(platform)) == ["works/default/r/r.c-5058f.yaml"]
    assert platform.files()[stray] == b"x"


@pytest.mark.parametrize("granularity", ["work", "pass"])
@pytest.mark.parametrize("branches", [("one", "two"), ("one", "one")])
def test_works_that_share_the_name_of_a_directory_are_not_taken_for_each_other(
    platform, monkeypatch, branches, granularity
):
    """A first pass that ends before any status: on `prod` stands what is sql's, as the log says."""
    platform.commit({"gitops.yaml": {"commit": {"granularity": granularity}}})
    for name, branch in zip(("dev", "prod"), branches, strict=True):
        platform.commit({f"statestores/{name}.yaml": store(name, branch, name)})
        platform.commit({f"destinations/{name}.yaml": destination(name, store=name, env=name)})
    works = {f"works/{name}.yaml": work(name, env=env) for name, env in (("kafka", "dev"), ("redis", "no"))}
    platform.commit({**works, "works/sql.yaml": work("sql", env="prod")})
    real = refs.move

    def die(repo, branch, *arguments):
        if branch == "main":
            raise KeyboardInterrupt
        real(repo, branch, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(refs, "move", die)
        with pytest.raises(KeyboardInterrupt):
            platform.reconcile()
    platform.reconciler().reconcile()

    placed = {file.rpartition("/")[2] for file in placements(platform)}
    assert placed == {"kafka.dev-5058f.yaml", "sql.prod-5058f.yaml"}
    assert platform.condition("works/default/redis/work.yaml")[1] == "UnscheduledWorkloadGroups"
