"""Where Destinations stand, and which places are somebody else's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops.api.destination import Destination
from gitops.api.statestore import BucketStateStore, GitStateStore
from gitops.core import targets
from gitops.core.targets import Location, Site, embedded

SITE = Site("main", "main")


def destination(name, path=None, store=None, kind="GitStateStore", **spec):
    ref = {"stateStoreRef": {"kind": kind, "name": store}} if store else {}
    own = {"path": path} if path is not None else {}
    return Destination.model_validate(
        {
            "apiVersion": "platform.kratix.io/v1alpha1",
            "kind": "Destination",
            "metadata": {"name": name},
            "spec": {**own, **ref, **spec},
        }
    )


def git_store(name, **spec):
    found = {
        "apiVersion": "platform.kratix.io/v1alpha1",
        "kind": "GitStateStore",
        "metadata": {"name": name},
        "spec": spec,
    }
    return targets.git_store(GitStateStore.model_validate(found), SITE)


def bucket_store(name):
    spec = {"bucketName": "b", "endpoint": "s3.example.org"}
    found = {
        "apiVersion": "platform.kratix.io/v1alpha1",
        "kind": "BucketStateStore",
        "metadata": {"name": name},
        "spec": spec,
    }
    return targets.bucket_store(BucketStateStore.model_validate(found))


def resolve(*destinations, stores=(), recorded=None, home="main"):
    known = {store.key: store for store in (embedded(home), *stores)}
    had = {name: Location(home, directory) for name, directory in (recorded or {}).items()}
    return targets.resolve(destinations, known, had, {"main", home})


def overlaps(*destinations, **more):
    return {name: t.message for name, t in resolve(*destinations, **more).items() if t.reason == "PathOverlap"}


@pytest.mark.parametrize(
    ("path", "directory"),
    [
        (None, "state/a"),
        ("", "state/a"),
        ("b", "state/b"),
        ("b/", "state/b"),
        ("./b", "state/b"),
        ("/b", "state/b"),
        ("b//c", "state/b/c"),
    ],
)
def test_the_path_defaults_to_the_name_and_has_one_spelling(path, directory):
    assert resolve(destination("a", path))["a"].directory == directory


@pytest.mark.parametrize("path", [".", "/"])
def test_the_root_of_the_store_is_a_place(path):
    assert resolve(destination("a", path))["a"].directory == "state"


def test_a_store_without_url_is_a_branch_and_path_of_this_repository():
    found = resolve(destination("a", store="fleet"), stores=[git_store("fleet", branch="deploy", path="/clusters")])[
        "a"
    ]

    assert (found.location, found.directory, found.reason) == (Location("deploy", "clusters"), "clusters/a", "")


def test_a_store_that_is_not_there_is_named():
    found = resolve(destination("a", store="fleet"))["a"]

    assert (found.reason, found.message) == ("StateStoreNotFound", "GitStateStore/fleet: not found")


@pytest.mark.parametrize(
    ("store", "kind"),
    [(git_store("s", url="file:///srv/x.git"), "GitStateStore"), (bucket_store("s"), "BucketStateStore")],
)
def test_a_store_that_cannot_be_written_makes_its_destinations_not_ready(store, kind):
    found = resolve(destination("a", store="s", kind=kind), stores=[store])["a"]

    assert store.reason == "ErrorInitialisingWriter"
    assert (found.reason, found.message) == ("StateStoreNotReady", f"{kind}/s: not ready")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a", "a"),
        ("a", "a/b"),
        ("a/b", "a"),
        ("/a", "a"),
        ("a/", "./a"),
        (".", "a"),
        ("a", "/"),
        ("Prod", "prod"),
        ("caf\u00e9", "cafe\u0301"),
    ],
)
def test_k12_paths_that_overlap_are_noticed_however_they_are_spelled(one, other):
    found = resolve(destination("a", one), destination("b", other))

    assert (found["a"].reason, found["b"].reason) == ("", "PathOverlap")
    assert "Destination a" in found["b"].message


@pytest.mark.parametrize(("one", "other"), [("a", "ab"), ("a/b", "a/c"), ("a-b", "a")])
def test_neighbours_do_not_overlap(one, other):
    assert overlaps(destination("a", one), destination("b", other)) == {}


def test_k12_two_stores_of_one_branch_are_one_place():
    stores = [git_store("one", branch="deploy", path="x"), git_store("two", branch="deploy")]

    assert overlaps(destination("a", "a", "one"), destination("b", "x/a", "two"), stores=stores).keys() == {"b"}
    assert overlaps(destination("a", "a", "one"), destination("b", "a", "two"), stores=stores) == {}


def test_k12_a_store_may_reach_into_the_embedded_one():
    assert overlaps(
        destination("a"), destination("b", "a", "s"), stores=[git_store("s", branch="main", path="state")]
    ).keys() == {"b"}


def test_branches_are_apart():
    stores = [git_store("one", branch="x"), git_store("two", branch="y")]

    assert overlaps(destination("a", "p", "one"), destination("b", "p", "two"), stores=stores) == {}


def test_the_one_that_was_there_keeps_its_place():
    assert overlaps(destination("a", "p"), destination("b", "p"), recorded={"b": "state/p"}).keys() == {"a"}


def test_one_that_moves_into_another_is_the_newcomer():
    assert overlaps(destination("a", "p"), destination("b", "p"), recorded={"a": "state/a", "b": "state/p"}).keys() == {
        "a"
    }


def test_one_that_waits_keeps_its_place_also_from_those_that_wait_for_it():
    found = [destination("a", "two"), destination("b", "three/sub"), destination("c", "three"), destination("d", "one")]
    recorded = {"a": "state/one", "b": "state/two", "c": "state/three"}

    assert overlaps(*found, recorded=recorded) == {
        "a": "path state/two overlaps Destination b",
        "b": "path state/three/sub overlaps Destination c",
        "d": "path state/one overlaps Destination a",
    }


def test_those_that_swap_their_places_wait_for_nobody():
    found, recorded = [destination("a", "two"), destination("b", "one")], {"a": "state/one", "b": "state/two"}

    assert overlaps(*found, recorded=recorded) == {}


def test_of_several_that_overlap_the_first_by_name_is_named_whoever_came_last():
    found = [destination("a", "elsewhere"), destination("f", "."), destination("i")]
    message = {"f": "path state overlaps Destination a"}

    assert overlaps(*found, recorded={"a": "state/a", "i": "state/i"}) == message
    assert overlaps(*found, recorded={"a": "state/elsewhere", "i": "state/i"}) == message


PATHS = st.sampled_from([".", "p", "P", "p/q", "p/q/r", "q", "q/r", ".x"])
DESTINATIONS = st.dictionaries(st.sampled_from("abcdef"), PATHS, min_size=2)
RECORDED = st.dictionaries(st.sampled_from("abcdef"), PATHS.map("state/{}".format))


@given(DESTINATIONS, RECORDED)
def test_another_pass_says_the_same(places, recorded):
    found = [destination(name, path) for name, path in places.items()]
    first = resolve(*found, recorded=recorded)
    kept = {name: target.directory for name, target in first.items() if not target.reason}

    assert resolve(*found, recorded={**recorded, **kept}) == first


@pytest.mark.parametrize(
    "folder",
    [
        "works",
        "destinations",
        "statestores",
        "status",
        "templates",
        "Works/x",
        "gitops.yaml",
        ".github",
        ".github/workflows",
        ".gitlab-ci.yml",
    ],
)
def test_no_destination_may_write_among_the_definitions_or_outside(folder):
    assert overlaps(destination("a", folder, "s"), stores=[git_store("s", branch="main")]).keys() == {"a"}


def test_the_root_of_the_source_branch_is_no_destination():
    assert overlaps(destination("a", ".", "s"), stores=[git_store("s", branch="main")]).keys() == {"a"}


def test_on_a_branch_of_its_own_a_destination_may_be_the_root_and_use_those_names():
    stores = [git_store("s", branch="deploy")]

    assert overlaps(destination("a", ".", "s"), stores=stores) == {}
    assert overlaps(destination("a", "works", "s"), stores=stores) == {}


@pytest.mark.parametrize("path", ["status", "status/works", "."])
def test_the_output_branch_holds_the_status_and_no_destination_may_write_there(path):
    stores = [git_store("s", branch="deploy")]

    assert overlaps(destination("a", path, "s"), stores=stores, home="deploy").keys() == {"a"}
    assert overlaps(destination("a", "clusters", "s"), stores=stores, home="deploy") == {}


@pytest.mark.parametrize(
    ("branch", "home", "owner"),
    [("deploy", "deploy", "status"), ("main", "deploy", "the definitions"), ("main", "main", "the definitions")],
)
def test_who_may_not_have_the_root_of_a_branch_is_told_what_stands_there(branch, home, owner):
    found = overlaps(destination("a", ".", "s"), stores=[git_store("s", branch=branch)], home=home)

    assert found == {"a": f"path / overlaps {owner} of this repository"}


@pytest.mark.parametrize("path", ["..", "a/.git"])
def test_an_unsafe_path_of_a_store_makes_it_not_ready(path):
    assert git_store("s", path=path).reason == "ErrorInitialisingWriter"


# stores in other repositories


def test_a_store_elsewhere_is_a_branch_of_that_repository_however_it_is_spelt():
    spelt = ("https://git.example.org/fleet", "git@GIT.example.org:fleet.git", "ssh://git@git.example.org:22/fleet/")
    found = {
        git_store("s", url=url, authMethod="ssh", secretRef={"name": "key"}, branch="deploy", path="/x").location
        for url in spelt
    }

    assert found == {Location("https://git.example.org/fleet#deploy", "x")}


def test_a_store_with_the_address_of_the_repository_itself_is_a_branch_of_it():
    definition = {
        "apiVersion": "platform.kratix.io/v1alpha1",
        "kind": "GitStateStore",
        "metadata": {"name": "s"},
        "spec": {"url": "https://git.example.org/platform.git", "branch": "deploy"},
    }
    site = Site("main", "main", "https://git.example.org/platform")

    assert targets.git_store(GitStateStore.model_validate(definition), site).location == Location("deploy", "")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"url": "https://me:pw@example.org/x"}, "spec.url: a user name or password stands in it"),
        ({"url": "http://example.org/x"}, "spec.url: the protocol http is not allowed"),
        ({"url": "file:///srv/x"}, "spec.url: the protocol file is not allowed"),
        ({"url": "https://169.254.169.254/x"}, "spec.url: it leads to a link-local address"),
        ({"url": "ext::sh -c x"}, "spec.url: it is empty, or has spaces"),
        ({"url": "git@example.org:x", "authMethod": "ssh"}, "spec.secretRef is needed for authMethod ssh"),
    ],
)
def test_an_address_that_may_not_be_used_says_why(spec, said):
    found = git_store("s", **spec)

    assert (found.location, found.reason) == (None, "ErrorInitialisingWriter")
    assert found.message.startswith(f"unable to create git writer: {said}")
    assert "pw" not in found.message


def test_places_of_one_repository_overlap_whatever_the_spelling():
    stores = [git_store("s", url="https://h/x"), git_store("t", url="https://H/x.git/")]

    assert overlaps(destination("a", "p", "s"), destination("b", "p/q", "t"), stores=stores).keys() == {"b"}
    assert not overlaps(destination("a", "works", "s"), stores=stores)
