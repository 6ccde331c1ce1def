"""What others change in a placement's place is put back, with the commit and its author; what is theirs stays."""

import pytest
from pygit2.enums import FileMode
from support.definitions import configmap, destination, store, work
from support.passes import settle
from support.platform import BOB

PLACE = "state/dev/resources/default/redis/r/instance-configure/5058f"
P = "works/default/r/r.dev-5058f.yaml"


@pytest.fixture(params=["nestedByMetadata", "none"])
def placed(request, platform):
    """A request with two documents; `platform.place` is where they are."""
    documents = {"x.yaml": configmap("x"), "d/y.txt": "y"}
    platform.commit(
        {
            "destinations/dev.yaml": destination("dev", mode=request.param, env="dev"),
            "works/r.yaml": work("r", documents, request="r", env="dev"),
            "works/s.yaml": work("s", env="dev"),
        }
    )
    settle(platform)
    platform.place = PLACE if request.param == "nestedByMetadata" else "state/dev"
    return platform


def drifted(platform, commit, count):
    return (
        f"DriftCorrected: {count} files changed outside gitops in {commit[:7]} by Bob Babbage were restored"
        in platform.events(P)
    )


@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
@pytest.mark.parametrize(
    ("change", "count"),
    [
        ({"x.yaml": "mine"}, 1),
        ({"x.yaml": None}, 1),
        ({"x.yaml": None, "d/y.txt": None}, 2),
        ({"x.yaml": None, "x.yaml/inside": "mine"}, 2),
    ],
    ids=["edit", "delete", "delete all", "becomes a directory"],
)
def test_changes_of_others_are_put_back_and_named(placed, change, count, warm):
    before, version = placed.blobs("state/"), placed.status(P)["status"]["versionID"]
    commit = placed.commit({f"{placed.place}/{path}": content for path, content in change.items()}, by=BOB)
    (placed if warm else placed.reconciler()).reconcile()

    assert placed.blobs("state/") == before
    assert drifted(placed, commit, count), placed.events(P)
    assert placed.status(P)["status"]["versionID"] != version
    assert placed.condition(P)[0] == "True"
    settle(placed)


def test_a_file_in_the_way_of_a_directory_gives_way(placed):
    before = placed.blobs("state/")
    placed.commit({f"{placed.place}/d/y.txt": None, f"{placed.place}/d": "mine"}, by=BOB)
    settle(placed)

    assert placed.blobs("state/") == before
    assert [e.partition(":")[0] for e in placed.events(P)].count("DriftCorrected") == 1


def test_a_file_that_became_a_link_is_a_file_again(placed):
    before = placed.blobs("state/")
    commit = placed.link(f"{placed.place}/x.yaml", "/etc/passwd", by=BOB)
    settle(placed)

    assert placed.blobs("state/") == before
    assert drifted(placed, commit, 1)
    assert placed.repo[placed.tip()].tree[f"{placed.place}/x.yaml"].filemode == FileMode.BLOB


def test_a_file_that_became_executable_is_an_ordinary_one_again(placed):
    path = f"{placed.place}/x.yaml"
    entries = {path: (FileMode.BLOB_EXECUTABLE, placed.repo[placed.tip()].tree[path].id)}
    commit = placed._record("main", placed._tree(placed.tip(), [], entries), [placed.tip()], "chmod", BOB)
    settle(placed)

    assert placed.repo[placed.tip()].tree[path].filemode == FileMode.BLOB
    assert drifted(placed, commit, 1)


def test_in_its_own_directory_nothing_else_stands(platform):
    platform.commit(
        {"destinations/dev.yaml": destination("dev", env="dev"), "works/r.yaml": work("r", request="r", env="dev")}
    )
    settle(platform)
    before = platform.blobs("state/")
    commit = platform.commit({f"{PLACE}/more.yaml": "x", f"{PLACE}/d/e/f": "x"}, by=BOB)
    settle(platform)

    assert platform.blobs("state/") == before
    assert drifted(platform, commit, 2)


def test_files_of_others_elsewhere_stay_untouched(placed):
    mine = {
        "state/README.md": "a",
        "state/dev/README.md": "b",
        "state/dev/dependencies/mine.yaml": "c",
        "state/other/x": "d",
        "docs/x.md": "e",
        ".github/x": "f",
    }
    if placed.place != PLACE:
        mine["state/dev/d/mine.txt"] = "g"
    else:
        mine["state/dev/resources/default/mine/x"] = "h"
    placed.commit(mine, by=BOB)
    tip = placed.tip()
    placed.reconcile()
    assert placed.tip() == tip

    placed.remove("works/r.yaml", "works/s.yaml", "destinations/dev.yaml")
    settle(placed)
    files = placed.files()
    assert {path: files[path].decode() for path in mine} == mine


def test_a_removed_canary_comes_back(platform):
    platform.commit({"destinations/dev.yaml": destination("dev")})
    settle(platform)
    before = platform.blobs("state/")
    platform.remove("state")
    settle(platform)

    assert platform.blobs("state/") == before != {}


def test_of_several_who_changed_it_each_is_named_with_his_own(placed):
    ada = placed.commit({f"{placed.place}/x.yaml": "one"})
    bob = placed.commit({f"{placed.place}/d/y.txt": "two"}, by=BOB)
    settle(placed)

    events = [e for e in placed.events(P) if e.startswith("DriftCorrected")]
    assert sorted(events) == sorted(
        [
            f"DriftCorrected: 1 files changed outside gitops in {ada[:7]} by Ada Lovelace were restored",
            f"DriftCorrected: 1 files changed outside gitops in {bob[:7]} by Bob Babbage were restored",
        ]
    )


def test_what_is_changed_and_put_back_again_by_hand_is_no_drift(placed):
    placed.commit({f"{placed.place}/x.yaml": "mine"})
    placed.commit({f"{placed.place}/x.yaml": configmap("x")})
    tip = placed.tip()
    placed.reconcile()

    assert placed.tip() == tip


def test_drift_and_a_new_version_at_once_ends_with_the_new_version(placed):
    placed.commit(
        {
            f"{placed.place}/x.yaml": "mine",
            "works/r.yaml": work("r", {"x.yaml": configmap("x", "new")}, request="r", env="dev"),
        },
        by=BOB,
    )
    settle(placed)

    assert placed.files()[f"{placed.place}/x.yaml"] == configmap("x", "new").encode()


def test_drift_in_another_branch_is_found_and_put_back(platform):
    platform.commit(
        {
            "statestores/s.yaml": store("s", "deploy"),
            "destinations/dev.yaml": destination("dev", env="dev", store="s"),
            "works/r.yaml": work("r", request="r", env="dev"),
        }
    )
    settle(platform)
    before = platform.blobs(at="deploy")
    path = PLACE.removeprefix("state/") + "/r.yaml"
    commit = platform.commit({path: "mine", "README.md": "mine"}, by=BOB, branch="deploy")
    settle(platform)

    assert platform.files(at="deploy")["README.md"] == b"mine"
    assert {p: b for p, b in platform.blobs(at="deploy").items() if p != "README.md"} == before
    assert drifted(platform, commit, 1)


def test_in_a_branch_without_definitions_a_folder_may_have_the_name_of_theirs(platform):
    platform.commit(
        {
            "statestores/s.yaml": store("s", "deploy"),
            "destinations/dev.yaml": destination("dev", env="dev", store="s", path="works"),
            "works/r.yaml": work("r", request="r", env="dev"),
        }
    )
    settle(platform)
    before = platform.blobs(at="deploy")
    path = next(path for path in before if path.endswith("/r.yaml"))
    platform.commit({path: "mine"}, by=BOB, branch="deploy")
    settle(platform)

    assert path.startswith("works/")
    assert platform.blobs(at="deploy") == before


def test_status_that_others_edit_is_written_again(placed):
    before = placed.files("status/")
    placed.commit(
        {f"status/{P}": "forged", "status/README.md": "forged", "status/works/default/r/r.more-5058f.yaml": "x"}
    )
    placed.reconcile()

    assert placed.files("status/") == before


def test_foreign_rewinds_of_the_branch_are_recovered_from(placed):
    before = placed.blobs()
    placed.rewind(2)
    settle(placed)

    assert {p: b for p, b in placed.blobs().items() if not p.startswith("status/")} == {
        p: b for p, b in before.items() if not p.startswith("status/")
    }


@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
def test_a_commit_that_says_it_is_the_daemons_changes_nothing_for_long(placed, warm):
    """Anybody can write the subject and the trailer of a documents commit: what stands there is compared."""
    place = f"{placed.place}/x.yaml"
    message = f"update(default/r): dev\n\nGitops-Source-Commit: {placed.tip()}\n"
    placed.commit({place: "forged: true\n"}, message, BOB)
    settle(placed) if warm else placed.reconciler().reconcile()

    assert placed.files()[place].decode() == configmap("x")
