"""`gitops explain work`: for each Destination that it was chosen, or the first rule that ruled it out."""

import json

import pytest
from support.definitions import configmap, destination, group, selector, work

from gitops.cli.main import main

PLACES = {
    "destinations/dev.yaml": destination("dev", env="dev"),
    "destinations/eu.yaml": destination("eu", env="prod", zone="eu"),
    "destinations/us.yaml": destination("us", env="prod", zone="us"),
}


@pytest.fixture
def explained(platform, capsys):
    """The rows of the one group of a Work, and which Destinations come nearest."""

    def explain(name):
        assert main(["--repo", str(platform.path), "explain", "work", name, "-o", "json"]) == 0
        (found,) = json.loads(capsys.readouterr().out)["groups"]
        return {v["destination"]: (v["chosen"], v["rule"]) for v in found["destinations"]}, found["nearest"]

    return explain


def test_what_matches_is_chosen_and_what_does_not_says_why(platform, explained):
    platform.commit({**PLACES, "works/a.yaml": work("a", env="prod", zone="eu")})

    assert explained("a") == (
        {
            "dev": (False, "env=prod: it has env=dev"),
            "eu": (True, "its selectors match"),
            "us": (False, "zone=eu: it has zone=us"),
        },
        ["us"],
    )


def test_it_is_what_the_pass_does(platform, explained):
    platform.commit({**PLACES, "works/a.yaml": work("a", env="prod")})
    told, _ = explained("a")
    platform.reconcile()

    placed = {file.rpartition("/a.")[2].rpartition("-")[0] for file in platform.statuses() if "/a/a." in f"/{file}"}
    assert placed == {name for name, (chosen, _) in told.items() if chosen} == {"eu", "us"}


def test_a_request_goes_to_one(platform, explained):
    platform.commit({**PLACES, "works/r.yaml": work("r", request="r", env="prod")})

    told, nearest = explained("r")

    (chosen,) = [name for name, (yes, _) in told.items() if yes]
    (other,) = {"eu", "us"} - {chosen}
    assert told[other][1] == f"its selectors match; a resource request goes to one Destination, {chosen}: one is enough"
    assert nearest == ["dev"]


def test_a_destination_that_is_not_ready_is_passed_over(platform, explained):
    platform.commit({**PLACES, "destinations/us.yaml": destination("us", env="prod", store="none")})
    platform.reconcile()
    platform.commit({f"works/r{n}.yaml": work(f"r{n}", promise=f"p{n}", request="r", env="prod") for n in range(4)})

    for n in range(4):
        told, _ = explained(f"r{n}")
        assert told["us"][1] == "its selectors match; a resource request goes to one Destination, eu: it is not ready"


def test_what_matched_once_stays(platform, explained):
    platform.commit({**PLACES, "works/a.yaml": work("a", env="dev")})
    platform.reconcile()
    platform.commit({"destinations/dev.yaml": destination("dev", env="test")})

    told, nearest = explained("a")

    assert told["dev"] == (True, "it matched once, and stays: env=dev: it has env=test")
    assert nearest == ["eu", "us"]


def test_what_is_held_back_says_so(platform, explained):
    platform.commit({**PLACES, "works/a.yaml": work("a", {"../x": configmap("x")}, env="dev")})

    told, _ = explained("a")

    assert told["dev"][0]
    assert told["dev"][1].startswith("its selectors match; held back: InvalidDocument: ")


def test_for_people_it_is_a_table(platform, capsys):
    groups = [group({"a.yaml": configmap("a")}, selector(env="none", zone="eu"), directory=d) for d in ("x", "y")]
    platform.commit({**PLACES, "works/a.yaml": work("a", groups=groups)})

    assert main(["--repo", str(platform.path), "explain", "wk", "a"]) == 0
    lines = capsys.readouterr().out.splitlines()

    assert lines[0].endswith("asks for env=none,zone=eu")
    assert lines[2:7] == [
        "DESTINATION   CHOSEN   RULE",
        "dev           no       env=none: it has env=dev",
        "eu            no       env=none: it has env=prod",
        "us            no       env=none: it has env=prod",
        "",
    ]
    assert lines[7] == "nearest miss, by 1 rule: eu"
    assert main(["--repo", str(platform.path), "explain", "work/a"]) == 0
    assert capsys.readouterr().out.splitlines() == lines


def test_what_cannot_be_explained_is_told(platform, capsys):
    platform.commit({**PLACES, "works/bad.yaml": work("bad") | {"spec": {"x": 1}}})
    for arguments, said in (
        (["work", "none"], "no Work default/none is defined on branch main"),
        (["destination", "dev"], "only Works are explained"),
        (["work", "bad"], "works/bad.yaml:"),
    ):
        assert main(["--repo", str(platform.path), "explain", *arguments]) in (1, 2)
        assert said in capsys.readouterr().err


def test_of_a_definition_that_went_wrong_the_last_good_one_is_explained(platform, capsys):
    platform.commit({**PLACES, "works/a.yaml": work("a", env="dev")})
    platform.reconcile()
    platform.commit({"works/a.yaml": work("a") | {"spec": {"x": 1}}})

    assert main(["--repo", str(platform.path), "explain", "work", "a"]) == 0
    out, err = capsys.readouterr()
    assert "dev           yes" in out
    assert "warning: works/a.yaml:" in err


def test_where_history_has_no_good_definition_any_more_that_is_told(platform, capsys):
    platform.commit({**PLACES, "works/a.yaml": work("a", env="dev")})
    platform.reconcile()
    platform.commit({"works/a.yaml": work("a") | {"spec": {"x": 1}}})
    files = platform.files()
    platform.move(None)
    platform.commit(files, "Squash")

    assert main(["--repo", str(platform.path), "explain", "work", "a"]) == 1
    assert "its last good definition is gone from the history; it stays where it is" in capsys.readouterr().err
