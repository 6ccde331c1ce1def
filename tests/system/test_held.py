"""A Destination stops being an aggregate while a Work of it is bad: only that one's part stays, all others go."""

import pytest
from support import model, oracle
from support.definitions import configmap, destination, store, work
from support.passes import settle

from gitops.errors import RepositoryError
from gitops.git import refs

NESTED, FLAT, AGGREGATED = "nestedByMetadata", "none", "aggregatedYAML"
OLD = "state/dev/aggregated.yaml"
BAD = {"a.yaml": "no object"}


def dev(mode, **fields):
    canary = {"enabled": False}
    return {"destinations/dev.yaml": destination("dev", mode=mode, env="dev", initWorkloads=canary, **fields)}


def works(**documents):
    """Works with a document each, by their names; None removes one."""
    return {f"works/{own}.yaml": made and work(own, made, promise=own, env="dev") for own, made in documents.items()}


def good(*names, text="a"):
    return works(**{name: {f"{name}.yaml": configmap(name, text)} for name in names})


def condition(platform, name):
    return platform.condition(f"works/default/{name}/{name}.dev-5058f.yaml")


def documents(platform, branch=""):
    """The files of the Destination, by the name of the document: `aggregated.yaml` is what it had together."""
    own = ("works/", "destinations/", "statestores/", "status/")
    there = {p: raw.decode() for p, raw in platform.files(at=branch).items() if not p.startswith(own)}
    assert len({path.rpartition("/")[2] for path in there}) == len(there)
    return {path.rpartition("/")[2]: text for path, text in there.items()}


def joined(*names):
    return "\n---\n".join(map(configmap, names))


@pytest.fixture
def aggregated(platform):
    platform.commit({**dev(AGGREGATED, agent="flux"), **good(*"abcd")})
    settle(platform)
    return platform


def push(platform, *pushes):
    """Make each push, with a pass after it that has to keep the laws."""
    for files in pushes:
        before = oracle.look(platform)
        platform.commit(files)
        settle(platform)
        model.judge(platform, oracle.judge(platform, before))


@pytest.mark.parametrize("agent", ["flux", "none"])
@pytest.mark.parametrize("mode", [NESTED, FLAT])
@pytest.mark.parametrize("together", [True, False], ids=["in one push", "bad before"])
def test_of_the_aggregate_only_the_part_that_is_held_back_stays(platform, mode, agent, together):
    push(platform, {**dev(AGGREGATED, agent=agent), **good(*"abcd")})
    bad, moved = works(b={"../b.yaml": ""}, c={"../c.yaml": ""}, d=None), dev(mode, agent=agent)
    push(platform, *([{**bad, **moved}] if together else [bad, moved]))

    assert documents(platform) == {"aggregated.yaml": joined("b", "c"), "a.yaml": configmap("a")}
    assert condition(platform, "a")[0] == "True"
    assert condition(platform, "b")[1] == condition(platform, "c")[1] == "InvalidDocument"

    push(platform, good("b", text="new"))
    mended = {"a.yaml": configmap("a"), "b.yaml": configmap("b", "new")}
    assert documents(platform) == {"aggregated.yaml": joined("c"), **mended}
    assert condition(platform, "b")[0] == "True"
    push(platform, works(c=None))
    assert documents(platform) == mended


def test_what_conflicts_where_its_destination_moves_leaves_its_own_part_only(platform):
    both = {name: {"same.yaml": name} for name in "ab"}
    push(platform, {**dev(AGGREGATED, agent="none"), **works(**both, c={"c.yaml": "c"})})
    push(platform, {**dev(FLAT, agent="none"), **works(c=None)})

    assert documents(platform) == {"same.yaml": "a", "aggregated.yaml": "b"}
    assert condition(platform, "b")[1] == "PathConflict"
    push(platform, works(a=None))
    assert documents(platform) == {"same.yaml": "b"}


def test_a_part_that_is_held_back_is_restored_and_goes_along_when_its_destination_is_an_aggregate_again(aggregated):
    push(aggregated, {**dev(NESTED), **works(b=BAD)})
    push(aggregated, {OLD: "meddled"})
    assert documents(aggregated)["aggregated.yaml"] == joined("b")

    push(aggregated, dev(AGGREGATED, filename="all.yaml"))
    assert documents(aggregated) == {"all.yaml": joined(*"abcd")}


def test_a_part_that_is_good_again_leaves_the_aggregate_also_while_somebody_meddles_with_it(aggregated):
    push(aggregated, {**dev(NESTED), **works(a=BAD, b=BAD)})
    push(aggregated, {**good("a"), OLD: "meddled"})

    assert documents(aggregated) == {"aggregated.yaml": joined("b"), **{f"{n}.yaml": configmap(n) for n in "acd"}}


def test_an_object_in_the_part_that_is_held_back_is_kept_from_others(aggregated):
    taken = {"a.yaml": configmap("b", "mine")}
    push(aggregated, {**dev(NESTED), **works(a=taken, b=BAD)})

    assert documents(aggregated) == {"aggregated.yaml": joined("a", "b"), **{f"{n}.yaml": configmap(n) for n in "cd"}}
    assert condition(aggregated, "a")[1] == "InvalidDocument"
    push(aggregated, works(b=None))
    assert documents(aggregated)["a.yaml"] == configmap("b", "mine")
    assert "aggregated.yaml" not in documents(aggregated)


def test_what_is_held_back_stays_behind_when_the_path_changes_too(aggregated):
    push(aggregated, {**dev(NESTED, path="elsewhere"), **works(b=BAD)})
    assert documents(aggregated) == {"aggregated.yaml": joined("b"), **{f"{n}.yaml": configmap(n) for n in "acd"}}
    assert OLD in aggregated.files()
    push(aggregated, good("b"))
    assert documents(aggregated) == {f"{n}.yaml": configmap(n) for n in "abcd"}


def test_another_store_has_the_good_ones_before_they_leave_the_aggregate(aggregated):
    push(aggregated, {"statestores/s.yaml": store("s", "deploy")})
    aggregated.commit({**dev(NESTED, store="s"), **works(b=BAD, d=None)})
    aggregated.reconcile()
    assert documents(aggregated, "deploy") == {f"{n}.yaml": configmap(n) for n in "ac"}
    for _ in range(2):
        settled = documents(aggregated)
        aggregated.reconcile()
    assert settled == documents(aggregated) == {"aggregated.yaml": joined("b")}

    push(aggregated, good("b"))
    assert documents(aggregated, "deploy") == {f"{n}.yaml": configmap(n) for n in "abc"}
    assert documents(aggregated) == {}


def test_what_is_held_back_keeps_its_documents_when_the_others_become_an_aggregate(platform):
    push(platform, {**dev(NESTED), **good(*"abc")})
    push(platform, {**dev(AGGREGATED), **works(b=BAD, c=None)})
    assert documents(platform) == {"aggregated.yaml": joined("a"), "b.yaml": configmap("b")}
    push(platform, good("b"))
    assert documents(platform) == {"aggregated.yaml": joined("a", "b")}


def test_a_place_that_another_destination_has_got_is_not_written_to(aggregated):
    taken = {"destinations/qa.yaml": destination("qa", mode=AGGREGATED, path="dev", env="dev", agent="none")}
    push(aggregated, {**dev(NESTED, path="elsewhere"), **works(b=BAD), **taken})
    whole = f"{configmap('a')}\n---\nno object\n---\n{joined('c', 'd')}"
    assert aggregated.files(OLD)[OLD].decode() == whole


@pytest.mark.parametrize("refused", [["documents"], ["deploy", "documents"], ["documents", "deploy"]], ids="-".join)
def test_a_store_that_is_away_when_the_good_ones_leave_the_aggregate_is_caught_up_with(platform, monkeypatch, refused):
    stores = {f"statestores/{name}.yaml": store(name, name) for name in ("documents", "deploy")}
    push(platform, {**stores, **dev(AGGREGATED, store="documents"), **good(*"abcd")})
    platform.commit({**dev(NESTED, store="deploy"), **works(b=BAD, c=BAD)})
    real = refs.move

    def move(repo, branch, *arguments):
        if branch == refused[0]:
            raise RepositoryError("no space left")
        real(repo, branch, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(refs, "move", move)
        while refused:
            platform.reconcile()
            platform.commit(good("d", text="new"))
            refused = refused[1:]
    push(platform, good("a", text="new"))

    assert documents(platform, "documents") == {"aggregated.yaml": joined("b", "c")}
    assert documents(platform, "deploy") == {f"{n}.yaml": configmap(n, "new") for n in "ad"}
    push(platform, good("b"))
    assert documents(platform, "documents") == {"aggregated.yaml": joined("c")}
