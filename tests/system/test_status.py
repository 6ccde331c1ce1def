"""What a status file remembers: generations, where the definition is and when it changed, and the overview."""

import pytest
import yaml
from support.definitions import configmap, destination, group, selector, store, work
from support.passes import settle

W, P, D = "works/default/r/work.yaml", "works/default/r/r.dev-5058f.yaml", "destinations/dev.yaml"


@pytest.fixture
def placed(platform):
    platform.commit(
        {"destinations/dev.yaml": destination("dev", env="dev"), "works/r.yaml": work("r", request="r", env="dev")}
    )
    settle(platform)
    return platform


def provenance(platform, file=W):
    found = platform.status(file)
    return (
        found["metadata"]["generation"],
        found["status"]["observedGeneration"],
        found["status"]["observedCommit"],
        found["status"]["source"],
    )


def test_a_changed_spec_raises_the_generation_and_names_its_commit(placed):
    commit = placed.commit({"works/r.yaml": work("r", {"new.yaml": configmap("new")}, request="r", env="dev")})
    settle(placed)

    assert provenance(placed) == (2, 2, commit, "works/r.yaml")
    assert placed.status(P)["spec"]["generation"] == 2
    assert placed.status(P)["metadata"]["generation"] == 2
    assert "WorkplacementReconciled: workplacement reconciled: r.dev-5058f, operation: updated" in placed.events(W)


def test_a_changed_label_keeps_the_generation_and_names_its_commit(placed):
    commit = placed.commit({"works/r.yaml": work("r", request="r", env="dev", labels={"team": "a"})})
    settle(placed)

    assert provenance(placed) == (1, 1, commit, "works/r.yaml")
    assert placed.status(W)["metadata"]["labels"]["team"] == "a"


def test_a_renamed_file_moves_only_the_source(placed):
    before = provenance(placed)
    documents, events = placed.blobs("state/"), placed.status(W)["events"]
    placed.rename("works/r.yaml", "works/team/other.yaml")
    settle(placed)

    generation, observed, _, source = provenance(placed)
    assert (generation, observed, source) == (*before[:2], "works/team/other.yaml")
    assert (placed.blobs("state/"), placed.status(W)["events"]) == (documents, events)


@pytest.mark.parametrize("same", ["comment", "order", "json", "list", "server fields"])
def test_another_way_to_write_the_same_changes_nothing(placed, same):
    before = {p: b for p, b in placed.blobs("status/").items() if p != "status/README.md"}
    made = work("r", request="r", env="dev")
    placed.commit(
        {
            "works/r.yaml": {
                "comment": "# a comment\n" + yaml.safe_dump(made),
                "order": yaml.safe_dump(dict(reversed(made.items()))),
                "json": yaml.safe_dump(made, default_flow_style=True),
                "list": {"apiVersion": "v1", "kind": "List", "items": [made]},
                "server fields": {
                    **made,
                    "metadata": {
                        **made["metadata"],
                        "uid": "x",
                        "resourceVersion": "1",
                        "generation": 7,
                        "finalizers": ["kratix.io/work-cleanup"],
                    },
                    "status": {"conditions": []},
                },
            }[same],
        }
    )
    settle(placed)

    assert {p: b for p, b in placed.blobs("status/").items() if p != "status/README.md"} == before


def test_a_second_definition_in_the_same_file_moves_nothing(placed):
    before = provenance(placed)
    placed.commit({"works/r.yaml": [work("s", env="dev"), work("r", request="r", env="dev")]})
    settle(placed)

    assert provenance(placed) == before


def test_destinations_and_stores_have_generations_too(platform):
    first = platform.commit(
        {"statestores/s.yaml": store("s", "deploy"), "destinations/dev.yaml": destination("dev", env="dev")}
    )
    settle(platform)
    second = platform.commit(
        {"statestores/s.yaml": store("s", "deploy", "below"), "destinations/dev.yaml": destination("dev", env="qa")}
    )
    settle(platform)

    assert provenance(platform, "statestores/GitStateStore/s.yaml") == (2, 2, second, "statestores/s.yaml")
    assert provenance(platform, D) == (1, 1, second, "destinations/dev.yaml") != (1, 1, first, "")
    assert platform.status(D)["metadata"] == {"name": "dev", "labels": {"env": "qa"}, "generation": 1}


def test_an_invalid_definition_keeps_what_was_observed(placed):
    before = provenance(placed)
    placed.commit({"works/r.yaml": "kind: ["})
    settle(placed)

    assert provenance(placed) == before


def test_a_work_that_comes_back_begins_again(placed):
    placed.remove("works/r.yaml")
    settle(placed)
    placed.commit({"works/r.yaml": work("r", request="r", env="dev")})
    settle(placed)

    assert provenance(placed)[0] == 1
    assert [e.partition(":")[0] for e in placed.events(W)] == ["WorkplacementReconciled", "AllWorkplacementsScheduled"]


def test_status_files_are_written_alike_whatever_led_there(platform):
    """Two histories to one state: the same bytes but for times, commits and events."""
    definitions = {
        "destinations/dev.yaml": destination("dev", env="dev"),
        "works/r.yaml": work("r", request="r", env="dev"),
    }
    platform.commit(definitions)
    settle(platform)
    keys = {f: (list(s), list(s["status"])) for f, s in platform.statuses().items()}

    assert keys == {
        D: (
            ["apiVersion", "kind", "metadata", "status", "events"],
            [
                "conditions",
                "observedGeneration",
                "observedCommit",
                "source",
                "path",
                "stateStore",
                "mode",
                "cleanup",
                "inventory",
            ],
        ),
        P: (["apiVersion", "kind", "metadata", "spec", "status", "events"], ["conditions", "versionID", "inventory"]),
        W: (
            ["apiVersion", "kind", "metadata", "status", "events"],
            ["conditions", "observedGeneration", "observedCommit", "source", "workPlacements", "workPlacementsCreated"],
        ),
    }
    for raw in platform.files("status/").values():
        assert raw.endswith(b"\n")
        assert b"\r" not in raw
        assert b"\t" not in raw


def test_the_overview_says_what_is_not_ready_and_why(platform):
    platform.commit(
        {
            "destinations/dev.yaml": destination("dev", env="dev"),
            "destinations/x.yaml": destination("x", store="nowhere"),
            "works/r.yaml": work("r", env="dev"),
            "works/s.yaml": work("s", namespace="team", env="qa"),
            "works/t.yaml": "kind: [",
            "works/u.yaml": work("u", {"u.yaml": "kind: |x\n"}, promise="u", env="dev"),
        }
    )
    settle(platform)
    shown = platform.files()["status/README.md"].decode()

    assert (
        "| Work | team/s | Pending | No matching destination found for workloadGroups: "
        "\\[5058f1af8388633f609cadb75a75dc9d\\] |" in shown
    )
    assert "| Work | default/u | Failing | Workplacements failed to write: \\[u.dev-5058f\\] |" in shown
    assert "| Destination | x | NotReady | GitStateStore/nowhere: not found |" in shown
    assert "- works/t.yaml:" in shown
    assert "3 in all, 1 Ready, 1 Pending, 1 Failing." in shown
    assert "| dev | Ready | env=dev | 2 |" in shown
    assert shown.index("Needs attention") < shown.index("## Works") < shown.index("## Destinations")


def test_problems_are_told_by_file_and_line(platform):
    bad = "apiVersion: platform.kratix.io/v1alpha1\nkind: Nothing\n"
    several = "---\n".join([bad, bad, bad, bad])
    platform.commit({f"works/{name}.yaml": several for name in "dbac"})
    outcome = platform.reconcile()[-1]

    told = [f"works/{name}.yaml:{line}" for name in "abcd" for line in (2, 5, 8, 11)]
    found = platform.status("repository.yaml")["status"]["problems"]
    assert [f"{problem['file']}:{problem['line']}" for problem in found] == told
    assert [str(problem).partition(": ")[0] for problem in outcome.problems] == told
    shown = platform.files()["status/README.md"].decode().splitlines()
    assert [line.removeprefix("- ").partition(": ")[0] for line in shown if line.startswith("- works/")] == told


def test_the_overview_of_a_good_state_is_short(placed):
    shown = placed.files()["status/README.md"].decode()

    assert "**Everything is Ready.**" in shown
    assert "Needs attention" not in shown


def test_the_repositorys_own_overview_takes_the_place_of_ours_and_a_broken_one_does_not(placed):
    placed.commit({"templates/status-README.md.j2": "{{ total }} Works\n"})
    settle(placed)
    assert placed.files()["status/README.md"] == b"1 Works\n"

    placed.commit({"templates/status-README.md.j2": "{{ nothing }}\n"})
    settle(placed)
    assert placed.files()["status/README.md"].startswith(b"# Status")
    assert [problem.path for problem in placed.reconcile()[-1].problems] == ["templates/status-README.md.j2"]
    assert [p["file"] for p in placed.status("repository.yaml")["status"]["problems"]] == [
        "templates/status-README.md.j2"
    ]


def test_an_object_keeps_its_newest_events(placed):
    for number in range(30):
        placed.commit(
            {
                "works/r.yaml": work(
                    "r", groups=[group({"x.yaml": f"kind: K{number}\n"}, selector(env="dev"))], request="r"
                )
            }
        )
        placed.clock.advance()
        placed.reconcile()

    events = placed.status(P)["events"]
    assert len(events) <= 25
    assert events == sorted(events, key=lambda e: e["lastTimestamp"])
