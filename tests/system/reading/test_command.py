"""The frame of the command: options, help, and how it ends."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitops import __version__
from gitops.cli.parser import COMMANDS


def test_the_version(gitops: Callable[..., Any]) -> None:
    assert gitops("--version").out == f"gitops {__version__}\n"


def test_help_names_every_command_and_each_command_has_its_own(gitops: Callable[..., Any]) -> None:
    assert gitops("--help").out == gitops().out
    for name in COMMANDS:
        assert f"\n  {name} " in gitops("--help").out
        shown = gitops(name, "--help")
        assert (shown.code, shown.out.startswith(f"usage: gitops {name} ")) == (0, True)


@pytest.mark.parametrize(
    ("option", "heavy"), [("--help", {"pygit2", "pydantic", "yaml", "jinja2"}), ("--version", {"argparse", "pygit2"})]
)
def test_what_answers_at_once_imports_nothing_heavy(option: str, heavy: set[str]) -> None:
    call = f"try: main([{option!r}])\nexcept SystemExit: pass"
    script = f"import sys\nfrom gitops.cli.main import main\n{call}\nsys.exit(bool({heavy!r} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_an_unknown_command_is_a_usage_error_with_a_hint(gitops: Callable[..., Any]) -> None:
    ran = gitops("gte")
    assert (ran.out, ran.code) == ("", 2)
    assert ran.err.startswith('error: unknown command "gte", did you mean "get"?\n')


@pytest.mark.parametrize("words", [("--nope",), ("get", "--watc"), ("history", "work")])
def test_words_that_make_no_sense_are_a_usage_error(gitops: Callable[..., Any], words: tuple[str, ...]) -> None:
    ran = gitops(*words)
    assert (ran.out, ran.code, ran.err[:7]) == ("", 2, "error: ")


def test_switches_may_be_spelt_with_true_and_false(gitops: Callable[..., Any]) -> None:
    assert (
        gitops("get", "works", "--all-namespaces=true", "-A=false").err == "No resources found in default namespace.\n"
    )
    assert gitops("get", "works", "-A=false", "-A").err == "No resources found\n"


def test_it_runs_as_a_module(status_repo: Any) -> None:
    command = [sys.executable, "-m", "gitops", "--repo", status_repo.path, "get", "works"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stderr == "No resources found in default namespace.\n"


def test_as_a_plugin_of_kubectl_it_has_that_name(gitops: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/local/bin/kubectl-gitops"])
    assert gitops("get", "--help").out.startswith("usage: kubectl gitops get ")


@pytest.mark.parametrize(
    ("words", "closed"),
    [
        *((words, "<&- >&- 2>&-") for words in ("validate", "plan", "get works", "run --once", "nope")),
        *((words, ">&-") for words in ("get works", "run --once")),
        *((words, "2>&-") for words in ("get works", "nope")),
    ],
)
def test_closed_streams_are_as_good_as_dev_null(
    status_repo: Any, gitops: Callable[..., Any], words: str, closed: str
) -> None:
    status_repo.commit_raw({"README.md": b""})
    command = [sys.executable, "-m", "gitops", "--repo", status_repo.path, *words.split()]
    ended = subprocess.run(["sh", "-c", f'"$@" {closed}', "sh", *command], check=False, capture_output=True, text=True)
    usual = gitops(*words.split())
    assert (ended.returncode, ended.stdout) == (usual.code, "" if ">&-" in closed.split() else usual.out)
    assert ended.stderr == ("" if "2>" in closed else usual.err)


@pytest.mark.parametrize("words", ["--help", "get --help"])
def test_help_that_cannot_be_printed_is_an_error(words: str) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "gitops", *words.split()]
        ended = subprocess.run(command, check=False, stdout=full, stderr=subprocess.PIPE, text=True)
    assert (ended.returncode, ended.stderr) == (1, "error: [Errno 28] No space left on device\n")


@pytest.mark.parametrize(("form", "code"), [("JSON", 0), ("Yaml", 0), ("NAME", 0), ("Wide", 1), ("JSONPath={}", 1)])
def test_some_forms_may_be_spelt_in_any_case_as_in_kubectl(
    status_repo: Any, gitops: Callable[..., Any], form: str, code: int
) -> None:
    status_repo.commit_raw({"README.md": b""})
    assert gitops("get", "works", "-o", form).code == code


@pytest.mark.parametrize("form", ["json=x", "YAML=", "name=x", "wide=", "=x", "xml", "go-template={{.kind}}"])
@pytest.mark.parametrize("words", ["get works", "events", "wait --for=create work/x"])
def test_a_form_that_is_none_is_refused_with_those_there_are(gitops: Callable[..., Any], words: str, form: str) -> None:
    refused = gitops(*words.split(), "-o", form)
    assert (refused.out, refused.code) == ("", 1)
    assert f'suitable for the output format "{form}", allowed formats are: ' in refused.err
