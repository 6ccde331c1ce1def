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


def test_after_the_pass_nothing_is_planned(platform, capsys):
    platform.commit(BASE)
    platform.reconcile()

    assert main(["--repo", str(platform.path), "plan", "--detailed-exitcode"]) == 0
    assert capsys.readouterr().out.startswith("Plan: nothing to change.\n")


def test_detailed_exit_codes(platform, capsys):
    command = ["--repo", str(platform.path), "plan", "--detailed-exitcode"]
    assert main(command) == 1, "there is no commit yet"
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
