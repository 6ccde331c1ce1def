"""Events and commits name what happened and by whom, also to what belongs to a Destination itself."""

from support.definitions import configmap, destination, group, selector, work
from support.passes import settle
from support.platform import BOB

from gitops.cli.main import main

DEV = {"destinations/dev.yaml": destination("dev", env="dev", cleanup="all")}
CANARY = "state/dev/dependencies/kratix-canary-namespace.yaml"


def events_of_the_log(platform):
    return platform.log()[0].message.splitlines()


def test_the_removal_of_a_destination_with_its_documents(platform):
    platform.commit({**DEV, "works/a.yaml": work("a", env="dev")})
    settle(platform)
    gone = platform.remove("destinations/dev.yaml", by=BOB)[:7]
    settle(platform)

    told = events_of_the_log(platform)
    by = f"removed in {gone} by {BOB.name}"
    assert any(line.endswith(f"operation: deleted (Destination/dev {by})") for line in told)
    assert f"Warning DestinationNotReady Destination/dev: the definition was {by}; its documents are removed" in told
    assert f"Destination dev was {by}." in platform.log()[1].message


def test_drift_of_canary_documents(platform):
    platform.commit(DEV)
    settle(platform)
    touched = platform.commit({CANARY: "other"}, by=BOB)[:7]
    settle(platform)

    told = f"1 files changed outside gitops in {touched} by {BOB.name} were restored"
    assert f"DriftCorrected: {told}" in platform.events("destinations/dev.yaml")


def test_every_documents_commit_names_its_places(platform):
    flat = destination("flat", env="dev", mode="aggregatedYAML")
    groups = [group({"q/a.yaml": configmap("a")}, selector(env="dev"), directory="q")]
    platform.commit({**DEV, "destinations/flat.yaml": flat, "works/a.yaml": work("a", groups=groups)})
    settle(platform)
    placed = {c.message.split("(")[0]: c.message for c in platform.log()}
    assert "Gitops-Path: state/flat\n" in placed["place"]
    assert "Gitops-Path: state/dev/dependencies/redis/instance-configure/7694f\n" in placed["place"]
    assert "Gitops-Path: state/dev\n" in "".join(c.message for c in platform.log())

    platform.remove("works/a.yaml")
    settle(platform)
    withdrawn = next(c.message for c in platform.log() if c.message.startswith("withdraw"))
    assert "Gitops-Path: state/dev/dependencies/redis/instance-configure/7694f\n" in withdrawn


def test_one_pass_tells_of_wrong_files(platform, capsys):
    platform.commit({**DEV, "works/a.yaml": "a: ["})

    assert main(["--repo", str(platform.path), "run", "--once"]) == 0
    assert capsys.readouterr().err.startswith("problem: works/a.yaml:1: ")
