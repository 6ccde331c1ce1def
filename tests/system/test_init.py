"""The first thing that a user types: `gitops init`, on a machine that knows nothing of Git's settings."""

import subprocess
from pathlib import Path

import pytest

from gitops.cli.main import main

STARTER = {"destinations/worker-1.yaml", "gitops.yaml", "works/default/hello.yaml"}


@pytest.fixture(autouse=True)
def bare_machine(tmp_path, monkeypatch):
    """No HOME, no identity, and a system that calls first branches otherwise."""
    system = tmp_path / "system.gitconfig"
    system.write_text("[init]\n\tdefaultBranch = trunk\n[user]\n\tuseConfigOnly = true\n")
    for name in ("HOME", "XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL", "GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", str(system))
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)


def git(folder: Path | str, *arguments: str) -> str:
    return subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True, check=True).stdout


def files(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file() and ".git" not in p.parts}


def test_a_new_repository_has_the_example_in_its_first_commit(capsys):
    assert main(["init", "platform"]) == 0

    assert git("platform", "log", "--format=%an <%ae> %D") == "gitops <gitops@localhost> HEAD -> main\n"
    assert set(git("platform", "ls-files").split()) == files(Path("platform")) == STARTER
    assert git("platform", "status", "--porcelain") == ""
    assert "cd platform\n  gitops run --once\n" in capsys.readouterr().out


def test_the_example_of_a_new_repository_is_valid_and_is_delivered(capsys):
    main(["init", "platform"])

    assert main(["--repo", "platform", "validate"]) == 0
    assert main(["--repo", "platform", "run", "--once"]) == 0
    capsys.readouterr()

    assert main(["--repo", "platform", "get", "works"]) == 0
    assert capsys.readouterr().out == "NAME    STATUS\nhello   Ready\n"
    assert "greeting" in Path("platform/state/worker-1/resources/default/hello/example/5058f/hello.yaml").read_text()


def test_the_branch_that_was_asked_for_is_made():
    main(["--branch", "trunk", "init", "platform"])

    assert git("platform", "branch", "--show-current") == "trunk\n"


def test_what_stood_in_the_folder_stays_as_it_was_and_uncommitted():
    Path("notes.txt").write_text("mine")
    Path("gitops.yaml").write_text("commit: {granularity: pass}\n")

    assert main(["init"]) == 0

    assert set(git(".", "ls-files").split()) == STARTER - {"gitops.yaml"}
    assert Path("gitops.yaml").read_text() == "commit: {granularity: pass}\n"
    assert git(".", "status", "--porcelain") == "?? gitops.yaml\n?? notes.txt\n"


def test_an_existing_repository_gets_what_it_lacks_and_no_commit():
    git(".", "init", "--quiet")
    Path("works").mkdir()
    Path("works/own.yaml").write_text("mine")

    assert main(["init", "."]) == 0

    assert files(Path()) == {"works/own.yaml", "gitops.yaml", "destinations/worker-1.yaml"}
    assert git(".", "status", "--porcelain", "-uall").count("??") == 3


def test_the_second_time_changes_nothing(capsys):
    main(["init", "platform"])
    before = git("platform", "rev-parse", "HEAD")

    assert main(["init", "platform"]) == 0

    assert git("platform", "rev-parse", "HEAD") == before
    assert "Nothing is missing in platform." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("prepared", "advice"), [(["init"], "is inside the repository"), (["init", "--bare"], "clone")]
)
def test_a_place_that_is_no_root_of_a_work_tree_is_refused(prepared, advice, capsys):
    git(".", *prepared, "--quiet")
    target = Path() if "--bare" in prepared else Path("sub")
    target.mkdir(exist_ok=True)
    before = files(Path())

    assert main(["init", str(target)]) == 2

    assert files(Path()) == before
    assert advice in capsys.readouterr().err


def test_nothing_is_added_to_a_repository_that_could_not_be_used(capsys):
    git(".", "init", "--quiet", "--object-format=sha256")

    assert main(["init"]) == 1

    assert "sha1" in capsys.readouterr().err
    assert [path.name for path in Path().iterdir()] == [".git"]


@pytest.mark.parametrize("where", ["afile", "afile/below"])
def test_where_a_file_is_no_folder_can_be(where, capsys):
    Path("afile").write_text("mine")

    assert main(["init", where]) == 1
    assert capsys.readouterr().err == f"error: {where}: cannot make a repository: afile is a file; name a folder\n"


@pytest.mark.parametrize(
    "arguments", [["init", "https://me:secret@example.com/x.git"], ["--repo", "me@host:x", "init"]]
)
def test_no_repository_is_made_elsewhere(arguments, capsys):
    assert main(arguments) == 2
    told = capsys.readouterr().err
    assert "init makes a repository on this machine: run it in a clone, and push" in told
    assert "secret" not in told
    assert not list(Path().iterdir())
