from support.definitions import configmap, destination, group, selector, store, work
from support.passes import settle
import pytest

W, P = "works/default/r/work.yaml", "works/default/r/r.dev-5058f.yaml"

def everything(platform, *branches):
    own = ("works/", "destinations/", "statestores/", "status/", "gitops.yaml")
    return {(b, p) for b in branches for p in (platform.files(at=b) if platform.tip(b) else ()) if not p.startswith(own)}

@pytest.mark.parametrize("canary", [True, False])
@pytest.mark.parametrize("mode", ["nestedByMetadata", "none", "aggregatedYAML"])
def test_move_home_and_store_goes_in_one_commit(platform, mode, canary):
    d = lambda **k: {"destinations/dev.yaml": destination("dev", env="dev", mode=mode, initWorkloads={"enabled": canary}, **k)}
    platform.commit({"statestores/s.yaml": store("s", "deploy"), **d(store="s"), "works/r.yaml": work("r", request="r", env="dev")})
    settle(platform)
    platform.commit({"statestores/s.yaml": None, **d()})
    settle(platform)
    assert everything(platform, "deploy") == set()
    assert platform.condition(P)[0] == "True"

@pytest.mark.parametrize("canary", [True, False])
def test_cleanup_all_with_store_gone(platform, canary):
    platform.commit({"statestores/s.yaml": store("s", "deploy"), "destinations/dev.yaml": destination("dev", env="dev", store="s", cleanup="all", initWorkloads={"enabled": canary}), "works/r.yaml": work("r", request="r", env="dev")})
    settle(platform)
    platform.remove("statestores", "destinations")
    settle(platform)
    assert everything(platform, "deploy") == set()

def test_held_and_moved_and_store_gone(platform):
    platform.commit({"statestores/s.yaml": store("s", "deploy"), "destinations/dev.yaml": destination("dev", env="dev", store="s"), "works/r.yaml": work("r", request="r", env="dev")})
    settle(platform)
    platform.commit({"statestores/s.yaml": None, "destinations/dev.yaml": destination("dev", env="dev"), "works/r.yaml": work("r", {"x.yaml": "kind: X\n"}, request="r", env="dev")})
    settle(platform)
    assert platform.condition(P)[0] == "False"
    platform.commit({"works/r.yaml": work("r", request="r", env="dev")})
    settle(platform)
    assert everything(platform, "deploy") == set()
    assert platform.condition(P)[0] == "True"

def test_rename_destination_same_path(platform):
    for cleanup in ("all", "none"):
        platform.commit({"destinations/a.yaml": destination("a", path="p", env="dev", cleanup=cleanup), "works/r.yaml": work("r", request="r", env="dev"), "works/s.yaml": work("s", env="dev")})
        settle(platform)
        before = platform.blobs("state/")
        platform.commit({"destinations/a.yaml": destination("b", path="p", env="dev", cleanup=cleanup)})
        settle(platform)
        print(cleanup, sorted(platform.statuses()), platform.condition(W))
        assert platform.blobs("state/") == before
        platform.remove("destinations","works"); settle(platform)

def test_request_becomes_dependency(platform):
    platform.commit({"destinations/dev.yaml": destination("dev", env="dev"), "works/r.yaml": work("r", request="r", env="dev")})
    settle(platform)
    for change in ({"request": ""}, {"promise": "x"}, {"pipeline": "other"}, {"pipeline": ""}, {"request": "y"}):
        platform.commit({"works/r.yaml": work("r", **{"request": "r", **change}, env="dev")})
        settle(platform)
        files = [p for p in platform.files("state/") if "canary" not in p]
        assert len(files) == 1, files
        print(platform.subjects()[1])

def test_two_groups_same_object(platform):
    groups = [group({"x.yaml": configmap("x")}, selector(env="dev"), directory=d) for d in "ab"]
    platform.commit({"destinations/dev.yaml": destination("dev", env="dev"), "works/r.yaml": work("r", request="r", groups=groups)})
    settle(platform)
    print([ (f, platform.condition(f,"WriteSucceeded")) for f in platform.statuses() if "r.dev" in f])
    assert platform.condition(W)[1] == "WorkplacementsFailing"

def test_output_branch_switch(platform):
    platform.commit({"destinations/a.yaml": destination("a", env="dev"), "works/r.yaml": work("r", request="r", env="dev")})
    settle(platform)
    platform.commit({f"destinations/{n}.yaml": destination(n, env="dev") for n in "bcdefgh"})
    settle(platform)
    platform.commit({"gitops.yaml": "output: {branch: deploy}\n"})
    settle(platform)
    assert [f for f in platform.statuses(at="deploy") if "/r." in f] == ["works/default/r/r.a-5058f.yaml"]

def test_event_ids(platform):
    platform.commit({"works/r.yaml": work("r", groups=[group({}, selector(env="dev"), id="zz")])})
    settle(platform)
    platform.commit({"works/r.yaml": work("r", groups=[group({}, selector(env="dev"), id="zz"), group({}, selector(env="dev"), id="a", directory="a")])})
    settle(platform)
    assert any(e.endswith(": a") for e in platform.events(W)), platform.events(W)

def test_removed_destination_vanishes(platform):
    platform.commit({"destinations/dev.yaml": destination("dev", env="dev"), "works/r.yaml": work("r", request="r", env="dev")})
    settle(platform)
    platform.remove("destinations/dev.yaml"); settle(platform)
    assert "destinations/dev.yaml" in platform.statuses()
    platform.remove("works/r.yaml"); settle(platform)
    assert "destinations/dev.yaml" not in platform.statuses()

def test_aggregate_to_nested_with_held(platform):
    platform.commit({"destinations/dev.yaml": destination("dev", env="dev", mode="aggregatedYAML"), "works/r.yaml": work("r", request="r", env="dev"), "works/s.yaml": work("s", request="s", env="dev")})
    settle(platform)
    platform.commit({"destinations/dev.yaml": destination("dev", env="dev"), "works/r.yaml": work("r", {"x.yaml": "kind: X\n"}, request="r", env="dev")})
    settle(platform)
    print(platform.files("state/"))
