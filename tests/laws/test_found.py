"""Histories in which a law was broken once, as short as they could be made."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from support import model, oracle
from support.definitions import configmap, destination, group, selector, store, work
from support.platform import BOB, Platform

from gitops.branches import Branches
from gitops.cache import Cache
from gitops.core.render import render
from gitops.errors import GitOpsError, RepositoryError
from gitops.git import refs
from gitops.git.repository import Repository
from gitops.reconciler import Reconciler

REQUEST = "state/dev/resources/default/redis/{0}/instance-configure/5058f/{0}.yaml"
CANARY = "kratix-canary-namespace.yaml"
PLACE = "state/dev/dependencies/redis/instance-configure/5058f"


@pytest.fixture
def dev(platform: Platform) -> Platform:
    """A platform with the Destination `dev`, and nothing on it."""
    platform.commit({"destinations/dev.yaml": destination("dev", env="dev")})
    return platform


def reconcile(platform: Platform, forgotten: frozenset[str] = frozenset()) -> oracle.Scene:
    """Make a pass that keeps the laws, as one that has seen nothing makes it; neither finds anything to do after it."""
    before = replace(oracle.look(platform), forgotten=forgotten)
    platform.reconcile()
    after = oracle.judge(platform, before)
    model.judge(platform, after)
    for branch in after.tips:
        platform.move(before.tips.get(branch), branch)
    platform.reconciler().reconcile()
    assert oracle.look(platform).tips == after.tips
    for daemon in (platform, platform.reconciler()):
        platform.clock.advance()
        daemon.reconcile()
        assert oracle.look(platform).tips == after.tips
    return after


def cloned(platform: Platform, folder: Path) -> Platform:
    """Another repository with what refs lead to, and nothing that people took out of the history."""
    platform.git("clone", "-q", "--mirror", f"file://{platform.path}", str(folder / "clone"))
    clone = Platform(folder / "clone", platform.clock)
    clone.git("config", "--remove-section", "remote.origin")
    return clone


def refusing(refused: str) -> Callable[..., None]:
    """A `refs.move` that cannot move one branch."""
    real = refs.move

    def move(repo, branch, *arguments):
        if branch == refused:
            raise RepositoryError("no space left")
        real(repo, branch, *arguments)

    return move


def reconcile_what_is_not_refused(platform: Platform) -> oracle.Scene:
    """Make passes that cannot bring all to where it should be, until there is nothing left to try."""
    before = oracle.look(platform)
    platform.reconcile()
    platform.reconcile()
    after = oracle.judge(platform, before)
    platform.clock.advance()
    platform.reconcile()
    assert oracle.look(platform).tips == after.tips
    return after


def test_an_idle_pass_leaves_nothing_in_mind_that_was_never_written(platform):
    platform.commit({"README.md": "no definitions"})
    for _ in range(3):
        assert platform.reconcile()[0].commits == ()


def test_the_overview_counts_works_on_a_destination_that_was_removed(dev):
    dev.commit({"works/a.yaml": work("a", env="dev")})
    reconcile(dev)
    dev.remove("destinations/dev.yaml")
    reconcile(dev)
    assert "| dev | NotReady | env=dev | 1 |" in dev.files()["status/README.md"].decode()


def test_a_place_that_changes_hands_while_a_namesake_waits_for_it_keeps_its_documents(dev):
    """Placements of one name in two namespaces: the waiting one was taken for the one that leaves."""
    dev.commit({"works/a.yaml": work("a", {"x.yaml": configmap("x")}), "works/c.yaml": work("a", {}, namespace="team")})
    reconcile(dev)
    dev.commit({"works/a.yaml": work("b", {"x.yaml": configmap("x")})})
    reconcile(dev)
    assert dev.condition("works/default/b/b.dev-5058f.yaml")[0] == "True"
    assert f"{PLACE}/x.yaml" in dev.files()


@pytest.mark.parametrize(("first", "then"), [("sub", "sub/x.yaml"), ("sub/x.yaml", "sub")])
def test_a_file_and_a_directory_of_one_name_may_follow_each_other(platform, first, then):
    platform.commit({"destinations/dev.yaml": destination("dev", mode="none", env="dev")})
    platform.commit({"works/a.yaml": work("a", {first: "1"})})
    reconcile(platform)
    platform.commit({"works/a.yaml": work("a", {then: "2"})})
    reconcile(platform)
    assert platform.files("state/dev/sub") == {f"state/dev/{then}": b"2"}


def test_a_file_of_one_work_may_become_a_directory_of_another(platform):
    platform.commit({"destinations/dev.yaml": destination("dev", mode="none", env="dev")})
    platform.commit({"works/b.yaml": work("b", {"sub": "1"})})
    reconcile(platform)
    platform.commit({"works/b.yaml": None, "works/a.yaml": work("a", {"sub/x.yaml": "2"})})
    reconcile(platform)
    assert platform.files("state/dev/sub") == {"state/dev/sub/x.yaml": b"2"}


def test_a_rewind_takes_the_memory_of_what_was_recorded_of_destinations_with_it(dev):
    reconcile(dev)
    dev.rewind(1)  # the status, not the documents
    reconcile(dev)
    assert dev.condition("destinations/dev.yaml")[0] == "True"


def test_a_rewind_is_no_drift_but_what_was_changed_after_it_is(dev):
    dev.commit({"works/a.yaml": work("a", request="a", env="dev"), "works/b.yaml": work("b", request="b", env="dev")})
    reconcile(dev)
    older = dev.tip()
    dev.commit({"works/a.yaml": work("a", {"new.yaml": configmap("a")}, request="a", env="dev")})
    reconcile(dev)
    dev.move(older)
    dev.commit({REQUEST.format("b"): "meddled: true\n"}, by=BOB)
    reconcile(dev)
    assert "DriftCorrected" not in str(dev.events("works/default/a/a.dev-5058f.yaml"))
    assert "DriftCorrected" in str(dev.events("works/default/b/b.dev-5058f.yaml"))


def test_what_another_daemon_wrote_is_no_drift(dev):
    dev.commit({"works/a.yaml": work("a", {"x.yaml": configmap("a", "1")})})
    reconcile(dev)
    dev.commit({"works/a.yaml": work("a", {"x.yaml": configmap("a", "2")})})
    dev.reconciler().reconcile()
    dev.commit({"works/a.yaml": work("a", {"x.yaml": configmap("a", "3")})})
    reconcile(dev)
    assert "DriftCorrected" not in str(dev.events("works/default/a/a.dev-5058f.yaml"))


def test_a_removed_destination_was_removed_once(dev):
    dev.commit({"works/a.yaml": work("a")})
    reconcile(dev)
    dev.remove("destinations/dev.yaml")
    reconcile(dev)
    dev.commit({"destinations/dev.yaml": destination("dev", env="dev")})
    dev.remove("destinations/dev.yaml")
    assert reconcile(dev).tips["main"] == dev.tip()
    assert [e for e in dev.events("destinations/dev.yaml") if "was removed" in e][1:] == []


def test_a_folder_work_that_cannot_be_read_goes_when_it_is_removed(dev):
    dev.commit({"works/f/work.yaml": work("f", groups=[group(None, selector(env="dev"))]), "works/f/x.txt": "x"})
    reconcile(dev)
    dev.commit({"works/f/work.yaml": "a: ["})
    reconcile(dev)
    assert f"{PLACE}/x.txt" in dev.files()
    dev.remove("works/f/work.yaml")
    reconcile(dev)
    assert not dev.files("status/works/")
    assert f"{PLACE}/x.txt" not in dev.files()


def test_a_work_that_was_never_good_tells_what_is_wrong_now(dev):
    dev.commit({"works/a.yaml": {**work("a"), "spec": 1}})
    for text, said in (("a: [", "flow node"), ("x: 1", "kind: required")):
        reconcile(dev)
        dev.commit({"works/a.yaml": text})
        reconcile(dev)
        assert said in dev.condition("works/default/a/work.yaml")[2]


def test_documents_leave_a_branch_that_no_store_names_any_more(platform):
    platform.commit({"statestores/s.yaml": store("s", "one"), "destinations/dev.yaml": destination("dev", store="s")})
    platform.commit({"works/a.yaml": work("a", {"x.yaml": configmap("a")})})
    reconcile(platform)
    platform.commit({"statestores/s.yaml": store("s", "two")})
    reconcile(platform)
    assert platform.files(at="one") == {}
    assert len(platform.files(at="two")) == 3


def test_problems_are_listed_in_one_order_whenever_they_came(dev):
    twice = {"works/a.yaml": work("a"), "works/b.yaml": work("a"), "destinations/more.yaml": destination("dev")}
    for file in sorted(twice, reverse=True):
        dev.commit({file: twice[file]})
        reconcile(dev)
    dev.commit({"statestores/s.yaml": store("s", "one")})
    reconcile(dev)


@pytest.mark.parametrize("place", [{"path": "moved"}, {"store": "s"}, {"mode": "none"}, {"mode": "aggregatedYAML"}, {}])
def test_drift_is_put_back_wherever_a_work_that_is_held_back_has_its_documents(dev, place):
    """Also where it would not put them now: the Destination has moved, or the Work would take another directory."""
    dev.commit({"statestores/s.yaml": store("s", "one"), "works/a.yaml": work("a", {"x.yaml": configmap("a")})})
    reconcile(dev)
    dev.commit({"works/a.yaml": work("a", {"../x.yaml": ""}, pipeline="")})
    dev.commit({"destinations/dev.yaml": destination("dev", env="dev", **place)})
    reconcile(dev)
    dev.commit({f"{PLACE}/x.yaml": "meddled: true\n"}, by=BOB)
    reconcile(dev)
    assert dev.files()[f"{PLACE}/x.yaml"].decode() == configmap("a")


@pytest.mark.parametrize("mode", ["none", "aggregatedYAML"])
def test_a_document_that_is_held_back_is_put_back_only_where_no_aggregate_is_by_now(platform, mode):
    """It has the name of one."""
    there = {"env": "dev", "initWorkloads": {"enabled": False}}
    platform.commit({"destinations/dev.yaml": destination("dev", mode="none", **there)})
    platform.commit({"works/a.yaml": work("a", {"aggregated.yaml": configmap("a")}), "works/b.yaml": work("b")})
    reconcile(platform)
    platform.commit({"works/a.yaml": work("a", {"../x.yaml": ""})})
    platform.commit({"destinations/dev.yaml": destination("dev", mode=mode, **there)})
    reconcile(platform)
    platform.commit({"state/dev/aggregated.yaml": "meddled: true\n"}, by=BOB)
    reconcile(platform)
    platform.reconciler().reconcile()
    kept = configmap("a" if mode == "none" else "b")
    assert platform.files("state/dev/aggregated.yaml") == {"state/dev/aggregated.yaml": kept.encode()}


def test_last_good_documents_that_are_in_no_repository_any_more_are_not_put_back(platform, tmp_path):
    """A tree would name them, and nobody could read it."""
    platform.commit(
        {"statestores/s.yaml": store("s", "documents"), "destinations/dev.yaml": destination("dev", store="s")}
    )
    platform.commit({"works/a.yaml": work("a")})
    reconcile(platform)
    platform.commit({"works/a.yaml": work("a", {"../x.yaml": ""})})
    reconcile(platform)
    platform.move(None, "documents")
    clone = cloned(platform, tmp_path)
    clone.reconcile()
    assert clone.git("fsck", "--strict") == ""
    assert all("canary" in path for path in clone.files(at="documents"))


def test_a_place_that_becomes_empty_loses_what_others_put_there_too(dev):
    dev.commit({"works/a.yaml": work("a", {"x.yaml": configmap("a")})})
    reconcile(dev)
    dev.commit({"works/a.yaml": work("a", {}), f"{PLACE}/foreign.yaml": "x"}, by=BOB)
    reconcile(dev)
    assert not dev.files(PLACE)


def test_a_file_that_becomes_unreadable_brings_back_no_destination_that_was_removed_before(dev):
    """A daemon that had seen the removal knew better than one that had not."""
    dev.commit({"destinations/prod.yaml": destination("prod", env="prod"), "works/a.yaml": work("a", {}, env="prod")})
    reconcile(dev)
    dev.remove("destinations/prod.yaml")
    reconcile(dev)
    dev.commit({"destinations/dev.yaml": "a: ["})
    reconcile(dev)
    ready = dev.status("destinations/prod.yaml")["status"]["conditions"][0]
    assert ready["message"].startswith("the definition was removed in")


def test_documents_in_place_on_another_branch_have_the_version_of_that_branch(platform, monkeypatch):
    """A store has the same paths on its old branch as on its new one, where a lost race had left the documents."""
    platform.commit({"destinations/dev.yaml": destination("dev", mode="none", store="side", env="dev")})
    platform.commit(
        {"works/a.yaml": work("a", {"x.yaml": configmap("x")}), "statestores/side.yaml": store("side", "main")}
    )
    reconcile(platform)
    platform.commit({"statestores/side.yaml": store("side", "documents")})
    real, raced = refs.move, []

    def move(repo, branch, *arguments):
        if branch == "main" and not raced:
            raced.append(platform.commit({"README.md": "meanwhile"}, "Race", BOB))
        real(repo, branch, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(refs, "move", move)
        platform.reconcile()
    version = platform.status("works/default/a/a.dev-5058f.yaml")["status"]["versionID"]
    assert version == platform.tip("documents")
    reconcile(platform)


def test_events_of_a_removed_work_come_in_one_order_however_its_placements_came(dev):
    """A daemon that had placed it listed them as they had come, and one that had seen nothing by name."""
    dev.commit({"destinations/prod.yaml": destination("prod"), "works/a.yaml": work("a")})
    reconcile(dev)
    dev.commit({"destinations/edge.yaml": destination("edge")})
    reconcile(dev)
    dev.remove("works/a.yaml")
    reconcile(dev)


def test_a_placement_that_cannot_be_removed_yet_is_not_told_of_as_deleted(platform, monkeypatch):
    """Each pass told of it while its store refused, and once more when it went."""
    dev, store_of_dev = destination("dev", store="s"), store("s", "documents")
    platform.commit({"statestores/s.yaml": store_of_dev, "destinations/dev.yaml": dev})
    groups = [group({"x.yaml": configmap("x")}), group({"y.yaml": configmap("y")}, directory="y")]
    platform.commit({"works/a.yaml": work("a", groups=groups)})
    reconcile(platform)
    platform.commit({"works/a.yaml": work("a", groups=groups[:1])})
    with monkeypatch.context() as patch:
        patch.setattr(refs, "move", refusing("documents"))
        reconcile_what_is_not_refused(platform)
    reconcile(platform)
    assert str(platform.events("works/default/a/work.yaml")).count("deleted") == 1


def test_a_removed_work_whose_documents_stay_in_one_store_is_not_ready_in_the_other(platform, monkeypatch):
    """What its status told of had gone."""
    for name in ("s", "t"):
        platform.commit({f"statestores/{name}.yaml": store(name, f"documents-{name}")})
        platform.commit({f"destinations/{name}.yaml": destination(name, store=name)})
    platform.commit({"works/a.yaml": work("a")})
    reconcile(platform)
    platform.remove("works/a.yaml")
    with monkeypatch.context() as patch:
        patch.setattr(refs, "move", refusing("documents-s"))
        after = reconcile_what_is_not_refused(platform)
    assert [file for file in after.statuses if "/a." in file] == ["works/default/a/a.s-5058f.yaml"]
    reconcile(platform)
    assert not platform.files("status/works")


@pytest.mark.parametrize("output", ["", "out"])
@pytest.mark.parametrize("how", ["rewound", "made again"])
def test_what_people_took_from_the_history_counts_for_nobody(platform, tmp_path, output, how):
    """A daemon whose repository had it still came to other generations than one in a new clone."""
    dev = destination("dev", env="dev")
    platform.commit({"gitops.yaml": {"output": {"branch": output}}, "destinations/dev.yaml": dev})
    files = {f"works/{name}.yaml": work(name, {"x.yaml": configmap(name, "1")}, promise=name) for name in "abc"}
    platform.commit(files)
    kept = platform.tip()
    platform.commit({"works/a.yaml": work("a", {"x.yaml": configmap("a", "2")}, promise="a")})
    platform.reconcile()
    if how == "rewound":
        platform.move(kept)
    else:
        files = platform.files()
        platform.move(None)
        platform.commit(files, "Begin anew")
    changed = work("a", {"y.yaml": configmap("a", "1")}, promise="a")
    platform.commit({"works/a.yaml": changed, "works/b.yaml": "a: ["})
    clone = cloned(platform, tmp_path)
    for each in (platform, clone):
        each.reconcile()
    assert clone.tips() == platform.tips()
    platform.reconciler().reconcile()
    assert clone.tips() == platform.tips()


def test_a_part_that_is_held_back_has_the_version_of_the_aggregate_that_it_is_in(platform, monkeypatch):
    """The aggregate was pushed in a pass that ended before its status: the next one told of an older version."""
    aggregated = destination("dev", mode="aggregatedYAML", store="s")
    platform.commit({"statestores/s.yaml": store("s", "documents"), "destinations/dev.yaml": aggregated})
    platform.commit({"works/b.yaml": work("b")})
    reconcile(platform)
    platform.commit({"works/a.yaml": work("a"), "works/b.yaml": work("b", {"../x": ""})})
    with monkeypatch.context() as patch:
        patch.setattr(refs, "move", refusing("main"))
        with pytest.raises(RepositoryError):
            platform.reconcile()
    reconcile(platform)
    versions = {platform.status(f"works/default/{n}/{n}.dev-5058f.yaml")["status"]["versionID"] for n in "ab"}
    assert versions == {platform.tip("documents")}


def test_what_a_daemon_has_in_mind_may_be_collected_as_garbage(dev, tmp_path):
    """People rewound, and cleaned up: it could not compare with the trees that it had seen, and never got over it."""
    files = {f"works/f/{name}": "1" for name in ("x", "y")}
    first = dev.tip()
    dev.commit({"works/f/work.yaml": work("f", groups=[group(None, selector(env="dev"))]), **files})
    daemon = dev.reconciler(Cache(tmp_path, "main"))
    daemon.reconcile()
    daemon.keep()
    dev.move(first)
    dev.commit({"works/f/work.yaml": work("f", groups=[group(None, selector(env="dev"))]), **files, "works/f/x": "2"})
    dev.git("repack", "-q", "-a", "-d")
    dev.git("prune", "--expire=now")
    dev.reconciler(Cache(tmp_path, "main")).reconcile()
    after = dev.tips()
    reconcile(dev)
    assert dev.tips() == after


@pytest.mark.parametrize(("y", "later"), [(None, 60), ("2", -3600)])
def test_a_document_that_changed_in_a_pass_without_status_leaves_a_new_version(platform, monkeypatch, y, later):
    """The version was that of the documents which stayed: also when the clock of who changed it had gone back."""
    flat = destination("dev", mode="none", store="s")
    platform.commit({"statestores/s.yaml": store("s", "documents"), "destinations/dev.yaml": flat})
    platform.commit({"works/a.yaml": work("a", {"x": "1", "y": "1"})})
    reconcile(platform)
    platform.clock.advance(later)
    platform.commit({"works/a.yaml": work("a", {"x": "1"} | ({"y": y} if y else {}))})
    with monkeypatch.context() as patch:
        patch.setattr(refs, "move", refusing("main"))
        with pytest.raises(RepositoryError):
            platform.reconcile()
    reconcile(platform)
    version = platform.status("works/default/a/a.dev-5058f.yaml")["status"]["versionID"]
    assert version == platform.tip("documents")


def test_a_tree_that_was_collected_as_garbage_is_written_again(dev):
    """Others had taken the daemon's commits away: it led the branch to a tree that it had read, and that was gone."""
    first = dev.tip()
    daemon = dev.reconciler()
    for _ in range(2):
        daemon.reconcile()
        dev.git("fsck", "--strict", "--connectivity-only")
        dev.move(first)
        dev.git("repack", "-q", "-a", "-d")
        dev.git("prune", "--expire=now")


def test_a_commit_that_comes_while_a_pass_looks_around_is_answered(platform, monkeypatch):
    """A state store on the source branch: it was looked at twice, and what came in between was never read."""
    platform.commit({"gitops.yaml": {"output": {"branch": "out"}}, "statestores/s.yaml": store("s", "main", "docs")})
    with monkeypatch.context() as patch:
        patch.setattr(Branches, "look", lambda *_: patch.undo() or platform.commit({"works/a.yaml": work("a", {})}))
        platform.reconcile()
    platform.reconcile()
    assert platform.status("works/default/a/work.yaml", "out")


def test_what_a_work_holds_that_is_held_back_for_another_document_stays_its_own(platform):
    """Nobody but the one who got it wanted the path any more, and so nobody asked who had it."""
    platform.commit({"destinations/dev.yaml": destination("dev", mode="none", env="dev")})
    platform.commit({"works/a.yaml": work("a", {"y": "a"}), "works/b.yaml": work("b", {"x": "b"})})
    platform.commit({"works/c.yaml": work("c", {"x": "c"})})
    reconcile(platform)
    platform.commit({"works/b.yaml": work("b", {"y": "b"})})
    reconcile(platform)
    assert platform.files("state/dev/x") == {"state/dev/x": b"b"}
    assert platform.condition("works/default/c/c.dev-5058f.yaml", "WriteSucceeded")[1] == "PathConflict"


@pytest.mark.parametrize("changed", [{}, {"works/a.yaml": work("a", {"x.yaml": configmap("a", "2")})}])
def test_an_aggregate_that_people_took_with_its_history_is_written_for_the_same_works_by_everybody(
    platform, tmp_path, changed
):
    """Who still had the file compared with it."""
    aggregated = destination("dev", mode="aggregatedYAML", store="s")
    platform.commit({"statestores/s.yaml": store("s", "documents"), "destinations/dev.yaml": aggregated})
    platform.commit({f"works/{name}.yaml": work(name) for name in "ab"})
    reconcile(platform)
    platform.move(None, "documents")
    platform.commit(changed)
    clone = cloned(platform, tmp_path)
    for each in (platform, clone):
        each.reconcile()
    assert clone.tips() == platform.tips()


@pytest.mark.parametrize("mode", ["nestedByMetadata", "none", "aggregatedYAML"])
def test_a_document_that_comes_back_to_a_store_is_withdrawn_also_by_who_had_put_it_there(platform, mode):
    """The store stood where this daemon had left it, and so nothing seemed to have come."""
    dev = destination("dev", mode=mode, store="s", initWorkloads={"enabled": False})
    platform.commit({"statestores/s.yaml": store("s", "documents"), "destinations/dev.yaml": dev})
    platform.commit({"works/a.yaml": work("a")})
    daemon = platform.reconciler()
    daemon.reconcile()
    placed = platform.tip("documents")
    platform.remove("works/a.yaml")
    reconcile(platform)
    platform.move(placed, "documents")
    daemon.reconcile()
    assert not platform.files(at="documents")


def test_an_aggregate_stays_whole_when_what_was_removed_before_it_can_go_at_last(platform, monkeypatch):
    """It was made anew from the placements that were looked at: from the one that went, and no other."""
    aggregated = destination("dev", mode="aggregatedYAML", store="s")
    platform.commit({"statestores/s.yaml": store("s", "documents"), "destinations/dev.yaml": aggregated})
    platform.commit({"works/a.yaml": work("a")})
    reconcile(platform)
    embedded = destination("dev", mode="aggregatedYAML")
    platform.commit({"works/a.yaml": None, "works/b.yaml": work("b"), "destinations/dev.yaml": embedded})
    with monkeypatch.context() as patch:
        patch.setattr(refs, "move", refusing("documents"))
        reconcile_what_is_not_refused(platform)
    reconcile(platform)
    assert platform.status("destinations/dev.yaml")["status"]["parts"] == {"default/b.dev-5058f": len(configmap("b"))}


@pytest.mark.parametrize("removed", [False, True])
def test_the_documents_of_a_destination_that_moved_go_when_their_store_lets_them(platform, monkeypatch, removed):
    """They were forgotten when their removal was refused."""
    platform.commit(
        {"statestores/s.yaml": store("s", "documents"), "destinations/dev.yaml": destination("dev", store="s")}
    )
    reconcile(platform)
    platform.commit({"destinations/dev.yaml": destination("dev")})
    with monkeypatch.context() as patch:
        patch.setattr(refs, "move", refusing("documents"))
        reconcile_what_is_not_refused(platform)
        platform.commit({"destinations/dev.yaml": None} if removed else {})
        reconcile_what_is_not_refused(platform)
    reconcile(platform)
    assert not platform.files(at="documents")


@pytest.mark.parametrize("gone", ["works/a.yaml", "destinations/dev.yaml"])
def test_what_a_move_left_behind_goes_also_when_its_work_or_destination_went_meanwhile(platform, monkeypatch, gone):
    """It was forgotten with the placement, although it could not be removed from the branch of before."""
    there = {"statestores/s.yaml": store("s", "documents"), "works/a.yaml": work("a")}
    platform.commit({**there, "destinations/dev.yaml": destination("dev", store="s", cleanup="all")})
    reconcile(platform)
    platform.commit({"destinations/dev.yaml": destination("dev", cleanup="all")})
    with monkeypatch.context() as patch:
        patch.setattr(refs, "move", refusing("documents"))
        reconcile_what_is_not_refused(platform)
        platform.remove(gone)
        reconcile_what_is_not_refused(platform)
        assert not [path for path in platform.blobs("state/dev/") if "canary" not in path]
    reconcile(platform)
    assert not [path for path in platform.files(at="documents") if "canary" not in path]
    assert not platform.files("status/works/default/a/a.")


def test_an_aggregate_goes_with_its_last_document_also_when_people_took_its_status_away(platform):
    """Nobody remembered what was in it, and so nobody took it for ours."""
    platform.commit({"destinations/dev.yaml": destination("dev", mode="aggregatedYAML"), "works/a.yaml": work("a")})
    reconcile(platform)
    platform.rewind(1)  # the status, not the documents
    platform.commit({"works/a.yaml": work("a", {})})
    reconcile(platform)
    assert not platform.files("state/dev/aggregated.yaml")


def make_orphan(platform: Platform, mode: str) -> frozenset[str]:
    """Leave of the Work `a` a status, and a file that cannot be read. Return the commits that are gone."""
    platform.commit({"destinations/dev.yaml": destination("dev", mode=mode, env="dev")})
    platform.commit({"works/a.yaml": work("a", {"x.yaml": configmap("x")})})
    reconcile(platform)
    forgotten, files = frozenset(str(commit.id) for commit in platform.log()), platform.files()
    platform.move(None)
    platform.commit(files | {"works/a.yaml": b"a: ["}, "Begin anew")
    return forgotten


@pytest.mark.parametrize("mode", ["nestedByMetadata", "none", "aggregatedYAML"])
def test_a_work_whose_definition_nobody_has_any_more_keeps_its_documents_from_others(platform, mode):
    """It was no claimant: the next Work wrote over its documents, and it stayed Ready."""
    forgotten = make_orphan(platform, mode)
    before = platform.files("state/")
    platform.commit({"works/b.yaml": work("b", {"x.yaml": configmap("y")})})
    reconcile(platform, forgotten)
    after = platform.files("state/")
    assert platform.condition("works/default/a/a.dev-5058f.yaml")[0] == "True"
    assert platform.condition("works/default/b/b.dev-5058f.yaml")[0] == ("False" if after == before else "True")
    assert all(content in after[path] for path, content in before.items())


@pytest.mark.parametrize("mode", ["nestedByMetadata", "none"])
@pytest.mark.parametrize("again", ["definition", "document"])
def test_a_work_that_nobody_has_a_definition_or_the_documents_of_is_not_ready(platform, mode, again):
    forgotten = make_orphan(platform, mode)
    [path] = [path for path in platform.files("state/") if "canary" not in path]
    found = {"definition": {"works/a.yaml": work("a", {"x.yaml": configmap("x")})}, "document": {path: configmap("x")}}
    platform.remove(path)
    reconcile(platform, forgotten)
    assert platform.condition("works/default/a/a.dev-5058f.yaml")[1:] == ("WorkloadsFailedWrite", "Failing")
    assert path in platform.condition("works/default/a/a.dev-5058f.yaml", "WriteSucceeded")[2]
    platform.commit(found[again])
    reconcile(platform, forgotten)
    assert platform.condition("works/default/a/a.dev-5058f.yaml")[0] == "True"


def test_documents_that_their_daemon_had_no_time_to_tell_of_go_with_their_work(platform, monkeypatch):
    """It was killed between the push to the store and that of the status, and then people removed the Work."""
    dev = destination("dev", store="s", initWorkloads={"enabled": False})
    platform.commit({"statestores/s.yaml": store("s", "documents"), "destinations/dev.yaml": dev})
    reconcile(platform)
    platform.commit({"works/a.yaml": work("a")})
    before = oracle.look(platform)
    with monkeypatch.context() as patch:
        patch.setattr(refs, "move", refusing("main"))
        with pytest.raises(RepositoryError):
            platform.reconcile()
    assert platform.files(at="documents")
    platform.remove("works/a.yaml")
    platform.reconcile()
    oracle.judge(platform, before)
    assert not platform.files(at="documents")


def test_a_part_of_an_aggregate_that_is_held_back_goes_along_with_its_destination(platform):
    """Status told that it stood where the Destination had been, or the pass failed, again and again."""
    platform.commit({"destinations/edge.yaml": destination("edge", mode="aggregatedYAML")})
    platform.commit({f"works/{name}.yaml": work(name, {f"{name}.yaml": configmap(name)}) for name in "ab"})
    reconcile(platform)
    platform.commit({"works/a.yaml": work("a", {"../a.yaml": configmap("a")})})
    reconcile(platform)
    edge = destination("edge", mode="aggregatedYAML", store="s")
    platform.commit({"statestores/s.yaml": store("s", "documents"), "destinations/edge.yaml": edge})
    before = oracle.look(platform)
    platform.reconcile()
    model.judge(platform, oracle.judge(platform, before))
    assert not [path for path in platform.files("state/edge/") if "canary" not in path]
    (content,) = [raw for path, raw in platform.files(at="documents").items() if path.endswith("aggregated.yaml")]
    assert content.decode().split("\n---\n") == [configmap("a"), configmap("b")]
    assert platform.status("works/default/a/a.edge-5058f.yaml")["status"]["branch"] == "documents"


@pytest.fixture
def refused(platform, monkeypatch):
    """A platform with two Works on a branch of its own, which cannot be moved until the test undoes that."""
    flat = destination("dev", mode="none", store="s", env="dev")
    platform.commit({"statestores/s.yaml": store("s", "documents"), "destinations/dev.yaml": flat})
    platform.commit({f"works/{name}.yaml": work(name, {name: "1"}, env="dev") for name in "ab"})
    reconcile(platform)
    monkeypatch.setattr(refs, "move", refusing("documents"))
    return platform


def test_a_branch_that_turns_out_to_refuse_is_told_of_at_once_by_all_that_is_on_it(refused):
    """Who had only looked at what changed told of the Destination and of other Works in a second commit."""
    refused.commit({"works/a.yaml": work("a", {"a": "2"}, env="dev")})
    before = refused.tip()
    refused.reconcile()
    after = refused.tip()
    assert len(refused.log(until=before)) == 1
    for file in ("destinations/dev.yaml", *(f"works/default/{name}/{name}.dev-5058f.yaml" for name in "ab")):
        assert refused.condition(file)[0] == "False"
    refused.move(before)
    refused.reconciler().reconcile()
    assert refused.tip() == after
    refused.reconcile()
    assert refused.tip() == after


def test_drift_that_cannot_be_put_back_is_not_told_of_as_corrected(refused, monkeypatch):
    refused.commit({"dev/a": "meddled"}, by=BOB, branch="documents")
    refused.reconcile()
    assert "DriftCorrected" not in str(refused.statuses())
    monkeypatch.undo()
    reconcile(refused)
    assert str(refused.statuses()).count("by Bob Babbage were restored") == 1


def rewrite(platform, branch, *, squashed):
    """Make the history of a branch anew: one commit with all that is there, or the same commits after another one."""
    line = platform.log(branch)[::-1]
    platform.move(None, branch)
    if squashed:
        platform.commit(platform.files(at=str(line[-1].id)), "Squash", BOB, branch)
        return
    platform.commit({"docs/before.md": "before"}, "Before", BOB, branch)
    for commit in line:
        old = platform.files(at=str(commit.parents[0].id)) if commit.parents else {}
        new = platform.files(at=str(commit.id))
        platform.commit({**{path: None for path in old if path not in new}, **new}, commit.message, BOB, branch)


@pytest.mark.parametrize("squashed", [True, False], ids=["squashed", "rebased"])
@pytest.mark.parametrize("mode", ["nestedByMetadata", "none", "aggregatedYAML"])
@pytest.mark.parametrize("branch", ["main", "documents"])
def test_a_version_that_left_the_history_gives_way_to_the_commit_that_documents_came_by_since(
    platform, branch, mode, squashed
):
    """It could not be shown in a new clone, nor anywhere once Git had collected it."""
    there = {
        "destinations/dev.yaml": destination("dev", mode=mode, store="s"),
        "statestores/s.yaml": store("s", branch, "docs"),
    }
    works = {f"works/{name}.yaml": work(name, request=name) for name in "ab"}
    platform.commit({**there, **works})
    reconcile(platform)
    platform.commit({"works/b.yaml": work("b", {"../x": ""}, request="b")})
    reconcile(platform)
    rewrite(platform, branch, squashed=squashed)
    rewritten = {str(commit.id) for commit in platform.log(branch)}
    reconcile(platform)

    for name in "ab":
        placed = platform.status(f"works/default/{name}/{name}.dev-5058f.yaml")
        version, [file] = placed["status"]["versionID"], placed["status"]["inventory"]
        assert version == platform.git("log", "-1", "--format=%H", branch, "--", file).strip()
        assert version in rewritten
        assert [e["message"] for e in placed["events"] if version in e["message"]] == [
            f"successfully written to Destination: dev with versionID: {version}"
        ]


def test_a_status_of_old_does_not_bring_back_a_version_that_left_the_history_of_a_store(platform):
    """The daemon knew the store as it was, and had named the new version in a status that people took away."""
    platform.commit(
        {"destinations/dev.yaml": destination("dev", store="s"), "statestores/s.yaml": store("s", "documents")}
    )
    platform.commit({"works/a.yaml": work("a")})
    reconcile(platform)
    older = platform.tip()
    rewrite(platform, "documents", squashed=True)
    squash = platform.tip("documents")
    reconcile(platform)
    platform.move(older)
    reconcile(platform)

    assert platform.status("works/default/a/a.dev-5058f.yaml")["status"]["versionID"] == squash


def test_documents_that_a_removed_destination_left_behind_have_a_version_of_the_history_too(platform):
    platform.commit({"destinations/dev.yaml": destination("dev", cleanup="none"), "works/a.yaml": work("a")})
    reconcile(platform)
    platform.remove("destinations/dev.yaml")
    reconcile(platform)
    rewrite(platform, "main", squashed=True)
    squash = platform.tip()
    reconcile(platform)

    assert platform.status("works/default/a/a.dev-5058f.yaml")["status"]["versionID"] == squash


@pytest.mark.parametrize("output", ["", "out"])
def test_documents_whose_status_people_took_back_go_with_their_work(platform, output):
    """The branch of the status was put back to where the documents had come and nothing told of them yet."""
    platform.commit({"gitops.yaml": {"output": {"branch": output}}, "destinations/dev.yaml": destination("dev")})
    platform.reconcile()
    platform.commit({"works/a.yaml": work("a")})
    platform.reconcile()
    home = output or platform.branch
    platform.move(str(platform.log(home)[1].id), home)
    [file] = [path for path in platform.blobs(at=home) if path.startswith(PLACE.rpartition("/")[0])]
    platform.remove("works/a.yaml")
    before = oracle.look(platform, home)
    platform.reconcile()
    model.judge(platform, oracle.judge(platform, before))

    assert file not in platform.blobs(at=home)


@pytest.mark.parametrize("typo", ["kind: Work\nspec: [\n", None], ids=["unreadable", "invalid"])
def test_a_definition_that_was_there_first_keeps_its_place_while_it_is_invalid(dev, typo):
    """A copy that had been ignored took over, and kept the place for ever."""
    mine, copy = work("a", {"mine.yaml": configmap("a")}), work("a", {"copy.yaml": configmap("a")})
    dev.commit({"works/m.yaml": mine})
    reconcile(dev)
    dev.commit({"works/copy.yaml": copy})
    reconcile(dev)
    dev.commit({"works/m.yaml": typo or {**mine, "spec": {**mine["spec"], "promisName": "x"}}})
    reconcile(dev)
    assert f"{PLACE}/mine.yaml" in dev.files()
    assert dev.condition("works/default/a/work.yaml", "Ready")[1] == "InvalidDefinition"
    dev.commit({"works/m.yaml": mine})
    reconcile(dev)
    assert f"{PLACE}/mine.yaml" in dev.files()
    assert dev.condition("works/default/a/work.yaml", "Ready")[0] == "True"


def test_a_definition_that_was_there_first_keeps_its_place_when_its_file_is_renamed(dev):
    mine, copy = work("a", {"mine.yaml": configmap("a")}), work("a", {"copy.yaml": configmap("a")})
    dev.commit({"works/m.yaml": mine})
    reconcile(dev)
    dev.commit({"works/copy.yaml": copy})
    reconcile(dev)
    dev.commit({"works/m.yaml": None, "works/z.yaml": mine})
    reconcile(dev)
    assert f"{PLACE}/mine.yaml" in dev.files()
    assert dev.status("works/default/a/work.yaml")["status"]["source"] == "works/z.yaml"


@pytest.mark.parametrize("length", [245, 246, 253])
def test_the_status_of_the_longest_names_stands_in_files_that_everybody_can_check_out(platform, length):
    """It stood in files of more than 255 bytes: nobody could clone the repository any more."""
    name = "d" * length
    platform.commit(
        {
            "destinations/long.yaml": destination(name, store=name, env="long", cleanup="all"),
            "statestores/long.yaml": store(name, "documents", "docs"),
            "works/a.yaml": work("a", env="long"),
        }
    )
    reconcile(platform)
    assert max(len(part) for path in platform.blobs() for part in path.split("/")) <= 255
    [at] = [file for file, status in platform.statuses().items() if status["kind"] == "Destination" and "ddd" in file]
    assert platform.status(at)["metadata"]["name"] == name
    platform.remove("destinations/long.yaml")
    reconcile(platform)
    assert not [file for file in platform.statuses() if file == at]


def test_a_request_passes_over_a_destination_that_cannot_be_ready_as_it_comes(platform):
    """It was known at once that the place overlaps another's, and the request stayed there for ever."""
    taken = {f"destinations/{name}.yaml": destination(name, path="x", env="dev") for name in ("a", "b")}
    good = {"destinations/z.yaml": destination("z", env="dev")}
    request = {f"works/{number}.yaml": work(f"w{number}", request=f"w{number}", env="dev") for number in range(8)}
    platform.commit({**taken, **good, **request})
    reconcile(platform)
    chosen = {s["spec"]["targetDestinationName"] for s in platform.statuses().values() if s["kind"] == "WorkPlacement"}
    assert chosen == {"a", "z"}


def test_an_output_branch_is_not_taken_for_a_source_without_definitions(platform):
    """Whoever checked it out and ran a pass had all documents withdrawn."""
    platform.commit({"gitops.yaml": {"output": {"branch": "out"}}, "destinations/dev.yaml": destination("dev")})
    platform.commit({"works/a.yaml": work("a")})
    platform.reconcile()
    tip = platform.tip("out")
    with pytest.raises(GitOpsError, match=r"out has no definitions, .* --branch"):
        Reconciler(Repository.open(platform.path), "out", platform.clock, render).reconcile()
    assert platform.tip("out") == tip


def test_a_removal_that_waits_for_its_branch_says_so(platform, monkeypatch):
    """All was Ready as before, and the subject of the status told of no Work."""
    placed, own = "works/default/a/a.dev-5058f.yaml", "works/default/a/work.yaml"
    there = {"statestores/s.yaml": store("s", "documents"), "destinations/dev.yaml": destination("dev", store="s")}
    platform.commit({**there, "works/a.yaml": work("a")})
    reconcile(platform)
    platform.remove("works/a.yaml")
    with monkeypatch.context() as patch:
        patch.setattr(refs, "move", refusing("documents"))
        reconcile_what_is_not_refused(platform)
    told = platform.condition(placed, "WriteSucceeded")
    assert told == ("False", "WorkloadsFailedWrite", "branch documents cannot be written: no space left")
    assert platform.condition(own) == (
        "False",
        "WorkplacementsFailing",
        "Workplacements failed to write: [a.dev-5058f]",
    )
    assert platform.subjects()[0].startswith("status: 1 Work, 1 Failing ")
    reconcile(platform)
    assert not platform.files("status/works/")
    assert not [path for path in platform.files(at="documents") if "canary" not in path]


def test_a_document_that_a_canary_takes_the_place_of_is_not_put_back(platform):
    """Each daemon that began from nothing put the one in place of the other, and committed that."""
    flat = {"mode": "none", "agent": "none", "env": "dev"}
    mine = work("a", {CANARY: "mine: 1\n"}, request="a", env="dev")
    off = destination("dev", initWorkloads={"enabled": False}, **flat)
    platform.commit({"destinations/dev.yaml": off, "works/a.yaml": mine})
    reconcile(platform)
    platform.commit({"destinations/dev.yaml": destination("dev", **flat)})
    reconcile(platform)
    tip = platform.tip()
    platform.reconciler().reconcile()
    assert platform.tip() == tip
    assert b"kratix-worker-system" in platform.files()[f"state/dev/{CANARY}"]
    assert platform.condition("works/default/a/a.dev-5058f.yaml", "WriteSucceeded")[1] == "PathConflict"


@pytest.mark.parametrize("mode", ["aggregatedYAML", "nestedByMetadata", "none", "removed"])
def test_an_aggregate_stays_for_the_others_while_its_destination_has_no_store(platform, mode):
    """It went with the first Work that was removed: nobody looked at those that were not."""
    platform.commit({"destinations/dev.yaml": destination("dev", mode="aggregatedYAML", env="dev")})
    platform.commit({f"works/{name}.yaml": work(name, {f"{name}.yaml": configmap(name)}) for name in "ab"})
    reconcile(platform)
    unusable = None if mode == "removed" else destination("dev", mode=mode, store="gone", env="dev")
    platform.commit({"destinations/dev.yaml": unusable})
    reconcile(platform)
    platform.remove("works/b.yaml")
    reconcile(platform)
    assert "state/dev/aggregated.yaml" in platform.files()
    platform.remove("works/a.yaml")
    reconcile(platform)
    assert "state/dev/aggregated.yaml" not in platform.files()


MODES = {
    "nested": {"mode": "nestedByMetadata"},
    "flat": {"mode": "none", "agent": "flux"},
    "aggregated": {"mode": "aggregatedYAML"},
}


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("after", MODES)
@pytest.mark.parametrize("before", MODES)
def test_an_object_stays_its_first_owners_while_their_destination_moves(dev, before, after, known):
    """The rival got it, whose name sorts first: the owner waited at the old place, or it stood twice at the new one."""
    rival = {"works/a.yaml": work("a", {"a.yaml": configmap("one", "a")}, request="a", env="dev")}
    dev.commit({"destinations/dev.yaml": destination("dev", env="dev", **MODES[before])})
    dev.commit({"works/b.yaml": work("b", {"b.yaml": configmap("one", "b")}, request="b", env="dev")})
    reconcile(dev)
    if known:
        dev.commit(rival)
        reconcile(dev)
    dev.commit({**rival, "destinations/dev.yaml": destination("dev", path="elsewhere", env="dev", **MODES[after])})
    reconcile(dev)
    assert dev.condition("works/default/a/a.dev-5058f.yaml")[1] == "InvalidDocument"
    assert dev.condition("works/default/b/work.yaml")[0] == "True"


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("place", [{"path": "elsewhere"}, {"store": "s"}])
@pytest.mark.parametrize("mode", ["nestedByMetadata", "none"])
def test_a_path_stays_its_first_owners_while_their_destination_moves(dev, mode, place, known):
    """Both are dependencies of one promise, and so have one directory in mode nestedByMetadata."""
    rival = {"works/a.yaml": work("a", {"one.yaml": configmap("a")}, env="dev")}
    there = {"destinations/dev.yaml": destination("dev", env="dev", mode=mode)}
    dev.commit({**there, "statestores/s.yaml": store("s", "documents")})
    dev.commit({"works/b.yaml": work("b", {"one.yaml": configmap("b")}, env="dev")})
    reconcile(dev)
    if known:
        dev.commit(rival)
        reconcile(dev)
    dev.commit({**rival, "destinations/dev.yaml": destination("dev", env="dev", mode=mode, **place)})
    reconcile(dev)
    assert dev.condition("works/default/a/a.dev-5058f.yaml")[1] == "PathConflict"
    assert dev.condition("works/default/b/work.yaml")[0] == "True"


def test_an_object_in_an_aggregate_that_becomes_files_elsewhere_is_not_that_of_its_other_works(dev):
    """Each of them had the whole aggregate in its inventory."""
    mine = {"a.yaml": configmap("mine")}
    dev.commit({"destinations/dev.yaml": destination("dev", mode="aggregatedYAML", env="dev")})
    dev.commit({f"works/{name}.yaml": work(name, request=name, env="dev") for name in "bc"})
    dev.commit({"works/a.yaml": work("a", mine, request="a", env="dev")})
    reconcile(dev)
    dev.commit({"works/a.yaml": work("a", {**mine, "b.yaml": configmap("b", "a")}, request="a", env="dev")})
    reconcile(dev)
    dev.commit({"destinations/dev.yaml": destination("dev", path="elsewhere", env="dev")})
    reconcile(dev)
    assert [dev.condition(f"works/default/{name}/work.yaml")[0] for name in "abc"] == ["False", "True", "True"]
