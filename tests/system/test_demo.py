"""The demo: the same story with the same commits for everybody, in a repository that is left to play with."""

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

import pytest

from gitops.cli.main import main
from gitops.errors import GitOpsError
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


def test_an_earlier_demo_that_was_only_looked_at_is_made_anew():
    main(["demo"])
    first = git("rev-parse", "HEAD")
    git("status")
    git("gc", "--quiet")

    assert main(["demo"]) == 0

    assert git("rev-parse", "HEAD") == first
    assert git("status", "--porcelain") == ""


@pytest.mark.parametrize(
    "command",
    [
        "echo mine > mine.txt",
        "rm works/team-c/search.yaml",
        "mkdir cache && touch cache/mine",
        "mkdir .config && touch .config/ignored && echo .config > .git/info/exclude",
        "git commit -q --allow-empty -m mine",
        "git checkout -q -b mine && git commit -q --allow-empty -m mine && git checkout -q main",
        "git checkout -q --detach && git commit -q --allow-empty -m mine",
        "echo mine > README.md && git stash -q -u",
        "git tag mine HEAD~1",
    ],
)
def test_a_demo_that_somebody_played_with_is_left_alone(command, capsys):
    main(["demo"])
    subprocess.run(f"cd demo && {command}", shell=True, check=True)
    before = (git("for-each-ref"), git("status", "--porcelain"), git("rev-parse", "HEAD"))

    assert main(["demo"]) == 2

    told = capsys.readouterr().err
    assert told.startswith(
        "error: demo is an earlier demo, and changed since: move it away or remove it, or name another"
    )
    assert (git("for-each-ref"), git("status", "--porcelain"), git("rev-parse", "HEAD")) == before


def test_a_demo_that_was_cut_short_is_made_anew(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("gitops.cli.demo.demo_remote.serving", no_servers)
        assert remote_demo() == 1
        assert remote_demo() == 1

    assert main(["demo"]) == 0


def test_what_was_committed_to_a_demo_with_servers_is_left_alone(monkeypatch):
    monkeypatch.setattr("gitops.cli.demo.demo_remote.serving", no_servers)
    remote_demo()
    commit = "git -C demo/platform.git commit-tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904 -m mine"
    identity = {f"GIT_{who}_{what}": "me" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    made = subprocess.run(commit.split(), capture_output=True, text=True, check=True, env={**os.environ, **identity})
    move = f"git -C demo/platform.git update-ref refs/heads/mine {made.stdout}"
    subprocess.run(move.split(), check=True)

    assert remote_demo() == 2
    assert main(["demo"]) == 2


def remote_demo() -> int:
    with mock.patch.dict(os.environ):  # where it says where its clones and secrets are
        return main(["demo", "--remote"])


def no_servers(*_: object) -> None:
    raise GitOpsError("nginx is not installed")


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
