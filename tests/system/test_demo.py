"""The demo: the same story with the same commits for everybody, in a repository that is left to play with."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gitops.cli.main import main
from gitops.git.repository import Repository
from gitops.reconciler import Reconciler

WORKS = """\
NAMESPACE                NAME                            STATUS
default                  redis-small                     Ready
kratix-platform-system   redis-promise-configure-5b20c   Ready
platform                 observability                   Ready
platform                 tenants                         Ready
team-a                   bucket-assets                   Ready
team-a                   postgres-orders                 {orders}
team-a                   vault-cards                     Ready
team-c                   search                          Pending
"""


@pytest.fixture(autouse=True)
def bare_machine(tmp_path, monkeypatch):
    """No HOME and no identity."""
    for name in ("HOME", "XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def git(*arguments: str) -> str:
    return subprocess.run(["git", "-C", "demo", *arguments], capture_output=True, text=True, check=True).stdout


def test_the_story_is_told(capsys):
    assert main(["demo"]) == 0

    told = capsys.readouterr().out
    before, after = (told.index(WORKS.format(orders=state)) for state in ("Ready", "Misplaced"))
    assert before < told.index("waiting for a destination with labels for workloadGroup") < after
    assert "Warning  DestinationSelectorMismatch  4s    Scheduler  Target destination no longer matches" in told
    assert git("log", "--oneline") in told


def test_it_leaves_a_sound_repository_with_all_of_it_checked_out():
    main(["demo"])

    assert git("branch", "--show-current") == "main\n"
    assert git("status", "--porcelain") == ""
    assert Path("demo/state/worker-1/resources/default/redis/small/instance-configure/5058f/redis.yaml").is_file()
    git("fsck", "--strict")


def test_everybody_gets_the_same_commits(tmp_path, monkeypatch):
    main(["demo"])
    first = git("rev-parse", "HEAD")

    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text("[user]\n\tname = Me\n\temail = me@example.com\n[init]\n\tdefaultBranch = trunk\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    main(["demo"])

    assert git("rev-parse", "HEAD") == first


def test_the_way_back_that_it_advises_works(capsys):
    main(["demo"])
    advised = next(line for line in capsys.readouterr().out.splitlines() if "git revert" in line)

    git(*advised.partition("#")[0].split()[1:])
    Reconciler(Repository.open(Path("demo")), "main", lambda: datetime(2026, 1, 5, 10, 0, tzinfo=UTC)).reconcile()
    capsys.readouterr()

    assert main(["--repo", "demo", "get", "works", "-A"]) == 0
    assert capsys.readouterr().out == WORKS.format(orders="Ready")


def test_an_earlier_demo_is_made_anew():
    main(["demo"])
    first = git("rev-parse", "HEAD")
    Path("demo/notes.txt").write_text("played")
    Path("demo/works/team-c/search.yaml").unlink()

    assert main(["demo"]) == 0

    assert git("rev-parse", "HEAD") == first
    assert git("status", "--porcelain") == ""


@pytest.mark.parametrize("kind", ["folder", "repository", "file"])
def test_what_is_no_demo_is_left_alone(kind, capsys):
    target = Path("mine")
    if kind == "file":
        target.write_text("mine")
    else:
        target.mkdir()
        (target / "notes.txt").write_text("mine")
    if kind == "repository":
        subprocess.run(["git", "init", "--quiet", target], check=True)

    assert main(["demo", "mine"]) == 2

    assert "name another folder" in capsys.readouterr().err
    assert (target if kind == "file" else target / "notes.txt").read_text() == "mine"
