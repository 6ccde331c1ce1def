"""`gitops plan` says before what `gitops run` does after: it decides with the same code, and writes nothing."""

import json

import pytest
from support.definitions import configmap, destination, group, selector, store, work

from gitops.cli.main import main
from gitops.views.plan_text import as_text


def planned(platform, capsys):
    assert main(["--repo", str(platform.path), "plan", "-o", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def trees(platform):
    """The trees of the embedded store and of the store `other`, as Git has them."""
    found = {}
    for key, branch, path in (("embedded", "main", "state"), ("GitStateStore/other", "other", "docs")):
        try:
            found[key] = platform.git("rev-parse", f"{branch}:{path}").strip()
        except Exception:
            found[key] = None
    return found


BASE = {
    "destinations/dev.yaml": destination("dev", env="dev"),
    "destinations/edge.yaml": destination("edge", env="dev", mode="aggregatedYAML"),
    "statestores/other.yaml": store("other", "other", "docs"),
    "destinations/far.yaml": destination("far", env="dev", store="other"),
    "works/redis.yaml": work("redis", env="dev"),
    "works/search.yaml": work("search", promise="search", request="search", env="gpu"),
}
STEPS = {
    "nothing more": {},
    "a document changes": {"works/redis.yaml": work("redis", {"redis.yaml": configmap("redis", "b")}, env="dev")},
    "a Work goes": {"works/redis.yaml": None},
    "a Work comes": {"works/kafka.yaml": work("kafka", promise="kafka", request="kafka", env="dev")},
    "a Destination moves": {"destinations/dev.yaml": destination("dev", env="dev", path="moved")},
    "a store moves": {"statestores/other.yaml": store("other", "main", "docs")},
    "documents move from store to store": {"destinations/far.yaml": destination("far", env="dev")},
    "a label goes": {"destinations/dev.yaml": destination("dev")},
    "a definition breaks": {"works/redis.yaml": "kind: [\n"},
    "a document is bad": {"works/redis.yaml": work("redis", {"../x": "a"}, env="dev")},
    "drift": {"state/dev/dependencies/redis/instance-configure/5058f/redis.yaml": "other\n"},
}


@pytest.mark.parametrize("step", STEPS)
def test_the_trees_of_a_plan_are_those_of_the_pass(platform, capsys, step):
    platform.commit(BASE)
    platform.reconcile()
    if STEPS[step]:
        platform.commit(STEPS[step])
    before = platform.tip()

    told = planned(platform, capsys)["documentTrees"]

    assert platform.tip() == before
    platform.reconciler().reconcile()
    moved = step == "a store moves"
    expected = trees(platform)
    if moved:
        expected["GitStateStore/other"] = platform.git("rev-parse", "main:docs").strip()
    assert told == expected


AGGREGATE = "state/edge/aggregated.yaml"


@pytest.mark.parametrize("more", [{}, {"works/c.yaml": None}], ids=["moved", "moved while another part goes"])
def test_what_is_held_back_in_an_aggregate_whose_others_go_to_another_store_is_planned(platform, capsys, more):
    """That takes two steps: the others leave the aggregate once they stand on the other branch."""

    def edge(**fields):
        return {"destinations/edge.yaml": destination("edge", env="dev", initWorkloads={"enabled": False}, **fields)}

    works = {f"works/{name}.yaml": work(name, {"x.yaml": configmap(name)}, promise=name, env="dev") for name in "abc"}
    platform.commit({"statestores/other.yaml": store("other", "other", "docs"), **works, **edge(mode="aggregatedYAML")})
    platform.reconcile()
    bad = {"works/b.yaml": work("b", {"x.yaml": "not: valid"}, promise="b", env="dev")}
    platform.commit({**edge(store="other"), **bad, **more})

    told = planned(platform, capsys)
    assert main(["--repo", str(platform.path), "plan", "-o", "diff"]) == 0
    diff = capsys.readouterr().out

    platform.reconciler().reconcile()
    kept = platform.files(AGGREGATE)[AGGREGATE].decode()
    assert kept == configmap("b")
    assert told["documentTrees"] == trees(platform)
    assert [(f["change"], f["path"]) for f in told["files"] if f["branch"] == "main"] == [("change", AGGREGATE)]
    assert [f["path"] for f in told["files"] if f["branch"] == "other"] == sorted(platform.files(at="other"))
    assert f"-{configmap('a').splitlines()[-1]}" in diff.splitlines()


def test_a_plan_from_nothing_names_placements_then_files(platform, capsys):
    platform.commit(BASE)

    told = planned(platform, capsys)

    assert [(row["action"], row["placement"]) for row in told["placements"]] == [
        ("place", "redis.dev-5058f"),
        ("place", "redis.edge-5058f"),
        ("place", "redis.far-5058f"),
    ]
    assert told["waiting"] == [
        {"action": "pending", "work": "default/search", "reason": told["waiting"][0]["reason"]},
    ]
    assert {"change": "add", "branch": "main", "path": "state/edge/aggregated.yaml"} in told["files"]
    assert told["changes"] is True


@pytest.mark.parametrize(
    ("change", "action", "placement"),
    [
        ({"works/redis.yaml": work("redis", {"x.yaml": configmap("x")}, env="dev")}, "update", "redis.dev-5058f"),
        ({"works/redis.yaml": None}, "withdraw", "redis.dev-5058f"),
        ({"destinations/dev.yaml": destination("dev")}, "misplace", "redis.dev-5058f"),
        ({"destinations/dev.yaml": destination("dev", env="dev", path="new")}, "move", "redis.dev-5058f"),
        ({"works/redis.yaml": work("redis", {".git/x": "a"}, env="dev")}, "hold", "redis.dev-5058f"),
        ({"state/dev/dependencies/redis/instance-configure/5058f/x": "a"}, "update", "redis.dev-5058f"),
    ],
)
def test_what_happens_to_a_placement_is_said_in_a_word(platform, capsys, change, action, placement):
    platform.commit(BASE)
    platform.reconcile()
    platform.commit(change)

    rows = planned(platform, capsys)["placements"]

    assert (action, placement) in [(row["action"], row["placement"]) for row in rows]


@pytest.mark.parametrize("mode", ["nestedByMetadata", "none", "aggregatedYAML"])
def test_a_document_that_goes_is_an_update(platform, capsys, mode):
    platform.commit(
        {
            "destinations/dev.yaml": destination("dev", env="dev", mode=mode),
            "works/r.yaml": work("r", {"x.yaml": configmap("x"), "y.yaml": configmap("y")}, env="dev"),
        }
    )
    platform.reconcile()
    platform.commit({"works/r.yaml": work("r", {"x.yaml": configmap("x")}, env="dev")})

    rows = planned(platform, capsys)["placements"]
    assert [(row["action"], row["placement"]) for row in rows] == [("update", "r.dev-5058f")]


def test_after_the_pass_nothing_is_planned(platform, capsys):
    platform.commit(BASE)
    platform.reconcile()

    assert main(["--repo", str(platform.path), "plan", "--detailed-exitcode"]) == 0
    assert capsys.readouterr().out.startswith("Plan: nothing to change.\n")


def test_detailed_exit_codes(platform, capsys):
    command = ["--repo", str(platform.path), "plan", "--detailed-exitcode"]
    assert main(command) == 0, "there is no commit yet, and nothing for a pass to do"
    platform.commit(BASE)
    assert main(command) == 2
    assert main(["--repo", str(platform.path), "plan"]) == 0


@pytest.mark.parametrize(
    ("change", "writes"),
    [
        ({"README.md": "of people"}, False),
        ({"works/redis.yaml": "kind: [\n"}, True),
        ({"works/search.yaml": None}, True),
        ({"status/README.md": "of people"}, True),
        ({"destinations/dev.yaml": destination("dev", env="dev", cleanup="all")}, True),
    ],
)
def test_changes_of_conditions_alone_count(platform, capsys, change, writes):
    platform.commit(BASE)
    platform.reconcile()
    platform.commit(change)

    assert main(["--repo", str(platform.path), "plan", "--detailed-exitcode"]) == (2 if writes else 0)
    planned = platform.tip()
    platform.reconcile()
    assert (platform.tip() != planned) is writes


def test_a_plan_for_people_shows_no_escape_sequence(platform, capsys):
    platform.commit({**BASE, "works/bad.yaml": '{apiVersion: "\\e[31mred", kind: Work}'})

    main(["--repo", str(platform.path), "plan"])

    assert "\x1b" not in capsys.readouterr().out


def test_files_of_another_branch_say_so(platform):
    platform.commit(BASE)
    planned = platform.reconciler().plan()

    told = as_text(planned.plan, planned.objects, writes=planned.writes)
    assert "  + docs/far/dependencies/kratix-canary-namespace.yaml  (branch other)\n" in told


def test_a_group_that_loses_its_place_is_withdrawn(platform, capsys):
    groups = [
        group({"a.yaml": configmap("a")}, selector(env="dev")),
        group({"b/b.yaml": configmap("b")}, selector(env="dev"), directory="b"),
    ]
    platform.commit({**BASE, "works/two.yaml": work("two", promise="two", groups=groups)})
    platform.reconcile()
    platform.commit({"works/two.yaml": work("two", promise="two", groups=groups[:1])})

    rows = planned(platform, capsys)["placements"]

    gone = {row["placement"] for row in rows if row["action"] == "withdraw"}
    assert gone == {f"two.{name}-92eb5" for name in ("dev", "edge", "far")}


FLAT = {
    "destinations/flat.yaml": destination("flat", env="flat", mode="none"),
    "works/a.yaml": work("a", {"same.txt": "one"}, promise="a", env="flat"),
    "works/b.yaml": work("b", {"same.txt": "one"}, promise="b", env="flat"),
}


def told_of(platform, capsys, placement):
    return {(r["action"], r["reason"]) for r in planned(platform, capsys)["placements"] if r["placement"] == placement}


def test_that_nothing_holds_a_placement_back_any_more_is_told_also_where_no_document_changes(platform, capsys):
    platform.commit(FLAT)
    platform.reconcile()
    platform.commit({"works/a.yaml": None})

    assert told_of(platform, capsys, "b.flat-5058f") == {("release", "nothing holds it back any more")}
    assert planned(platform, capsys)["files"] == []
    platform.reconcile()
    assert platform.condition("works/default/b/b.flat-5058f.yaml")[0] == "True"
    assert told_of(platform, capsys, "b.flat-5058f") == set()


def test_what_is_written_first_when_nothing_holds_it_back_any_more_is_placed(platform, capsys):
    platform.commit({**FLAT, "works/b.yaml": work("b", {"same.txt": "b", "b.txt": "b"}, promise="b", env="flat")})
    platform.reconcile()
    platform.commit({"works/a.yaml": work("a", {"other.txt": "one"}, promise="a", env="flat")})

    assert told_of(platform, capsys, "b.flat-5058f") == {("place", "its selectors match")}
    platform.reconcile()
    assert "place(default/b): flat (+1 ~1 -0)" in platform.subjects()


def test_drift_of_what_is_held_back_is_told(platform, capsys):
    platform.commit(BASE)
    platform.reconcile()
    platform.commit({"works/redis.yaml": work("redis", {"../x": "a"}, env="dev")})
    platform.reconcile()
    platform.commit({"state/dev/dependencies/redis/instance-configure/5058f/redis.yaml": "of people"})

    assert told_of(platform, capsys, "redis.dev-5058f") == {("update", "1 file changed outside gitops is restored")}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"works/redis.yaml": None}, ("withdraw", "the Work is removed")),
        (
            {"works/redis.yaml": work("redis", env="gone")},
            ("misplace", "the Destination no longer matches its selectors; the documents stay"),
        ),
        ({"destinations/dev.yaml": None}, ("misplace", "the Destination is removed; the documents stay")),
    ],
)
def test_why_a_placement_goes_or_stays_is_told(platform, capsys, change, told):
    platform.commit(BASE)
    platform.reconcile()
    platform.commit(change)

    assert told_of(platform, capsys, "redis.dev-5058f") == {told}


def test_a_destination_that_is_removed_with_all_that_is_on_it_withdraws(platform, capsys):
    platform.commit({**BASE, "destinations/dev.yaml": destination("dev", env="dev", cleanup="all")})
    platform.reconcile()
    platform.commit({"destinations/dev.yaml": None})

    assert told_of(platform, capsys, "redis.dev-5058f") == {("withdraw", "the Destination is removed")}


@pytest.mark.parametrize(("before", "after"), [("aggregatedYAML", "none"), ("none", "aggregatedYAML")])
def test_another_mode_moves_documents_in_the_words_of_the_commit(platform, capsys, before, after):
    platform.commit({**BASE, "destinations/edge.yaml": destination("edge", env="dev", mode=before)})
    platform.reconcile()
    platform.commit({"destinations/edge.yaml": destination("edge", env="dev", mode=after)})

    assert told_of(platform, capsys, "redis.edge-5058f") == {("move", "the place of its documents changed")}
    platform.reconcile()
    assert platform.subjects()[1].startswith("move(edge): ")


def test_a_definition_that_only_got_another_file_changes_status_alone(platform, capsys):
    platform.commit(BASE)
    platform.reconcile()
    platform.rename("works/redis.yaml", "works/team/redis.yaml")

    assert main(["--repo", str(platform.path), "plan"]) == 0
    assert capsys.readouterr().out.startswith("Plan: no document changes, but status does.\n")


def test_a_definition_that_another_one_comes_before_is_a_problem(platform, capsys):
    platform.commit(BASE)
    platform.reconcile()
    platform.commit({"works/a.yaml": work("redis", promise="a", env="dev")}, branch="pr", onto=platform.tip())

    assert main(["--repo", str(platform.path), "plan", "--head", "pr", "-o", "json"]) == 0
    (problem,) = json.loads(capsys.readouterr().out)["problems"]
    assert problem == {
        "file": "works/a.yaml",
        "line": 1,
        "column": 1,
        "message": "Work/default/redis is already defined in works/redis.yaml:1; this one is ignored",
    }
    for output in ("text", "markdown"):
        assert main(["--repo", str(platform.path), "plan", "--head", "pr", "-o", output]) == 0
        assert "this one is ignored" in capsys.readouterr().out


@pytest.mark.parametrize("path", ["state", "state/dev", "state/dev/dependencies", "state/flat/a"])
def test_a_file_of_people_that_gives_way_to_a_directory_of_documents_is_told(platform, capsys, path):
    definitions = {
        "destinations/dev.yaml": destination("dev", env="dev"),
        "destinations/flat.yaml": destination("flat", mode="none", env="dev"),
        "works/redis.yaml": work("redis", {"a/x.yaml": configmap("x")}, env="dev"),
    }
    source = platform.commit({**definitions, path: "mine"})

    told = {file["path"]: file["change"] for file in planned(platform, capsys)["files"]}
    platform.reconcile()
    done = platform.git("diff", "--name-status", "--no-renames", source, "main", "--", "state").splitlines()

    assert told.pop(path) == "remove"
    assert sorted(done) == [f"A\t{added}" for added in sorted(told)] + [f"D\t{path}"]
    assert "-1)" in platform.git("log", "--format=%s", f"{source}..main")
