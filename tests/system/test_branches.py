"""A branch that is not there, and what is said of it: another one may have the commits."""

import subprocess

import pytest
from support.definitions import destination, work

from gitops.cli.main import main

COMMANDS = [["run", "--once"], ["plan"], ["get", "works"]]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_branch_that_was_misspelt_is_an_error_that_lists_those_there_are(platform, capsys, command):
    platform.commit({"works/a.yaml": work("a"), "destinations/dev.yaml": destination("dev")})
    platform.git("branch", "dev", "main")

    assert main(["--repo", str(platform.path), "--branch", "mian", *command]) == 1
    assert capsys.readouterr().err == "error: branch mian is not there; there are: dev, main\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_repository_without_commits_has_nothing_to_do_whatever_its_branch(platform, command):
    assert main(["--repo", str(platform.path), *command]) == 0
    assert main(["--repo", str(platform.path), "--branch", "trunk", *command]) == 0


@pytest.fixture
def checkout(platform, tmp_path):
    """A clone as CI makes it: the commit is checked out, and its branch is there only as the remote has it."""
    platform.commit({"works/a.yaml": work("a")})
    subprocess.run(["git", "init", "-q", tmp_path / "ci"], check=True)
    for command in (f"fetch -q {platform.path} refs/heads/*:refs/remotes/origin/*", "checkout -q origin/main"):
        subprocess.run(["git", "-C", tmp_path / "ci", *command.split()], check=True)
    return tmp_path / "ci"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_branch_that_is_here_only_as_a_remote_has_it_is_told_with_what_makes_it(checkout, capsys, command):
    assert main(["--repo", str(checkout), *command]) == 1
    told = capsys.readouterr().err
    assert told == "error: branch main is not here, only origin/main: 'git branch main origin/main' makes it\n"

    subprocess.run(["git", "-C", checkout, "branch", "main", "origin/main"], check=True)
    assert main(["--repo", str(checkout), *command]) == 0


def test_what_a_check_of_a_pull_request_needs_is_in_such_a_checkout(checkout):
    assert main(["--repo", str(checkout), "plan", "--base", "origin/main"]) == 0
    assert main(["--repo", str(checkout), "validate"]) == 0
