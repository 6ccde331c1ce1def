"""Where `get` looks, what it believes, and how it follows what changes."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

WORK = {
    "apiVersion": "platform.kratix.io/v1alpha1",
    "kind": "Work",
    "metadata": {"name": "redis", "namespace": "default", "generation": 1},
    "status": {"conditions": [{"type": "Ready", "status": "True", "message": "Ready"}]},
}
TABLE = "NAME    STATUS\nredis   Ready\n"


def ready(message: str, name: str = "redis") -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": "False", "message": message}]
    return {**WORK, "metadata": {**WORK["metadata"], "name": name}, "status": {"conditions": conditions}}


def test_status_is_read_from_the_branch_that_is_checked_out(status_repo: Any, gitops: Callable[..., Any]) -> None:
    status_repo.commit(WORK)
    assert gitops("get", "works").out == TABLE


def test_status_is_read_from_the_output_branch_of_the_settings(status_repo: Any, gitops: Callable[..., Any]) -> None:
    status_repo.commit_raw({"gitops.yaml": b"output:\n  branch: delivered\n"})
    status_repo.commit(WORK, branch="delivered")
    assert gitops("get", "works").out == TABLE


def test_another_branch_can_be_named_before_and_after_the_command(status_repo: Any, gitops: Callable[..., Any]) -> None:
    status_repo.commit_raw({"README.md": b""})
    status_repo.commit(WORK, branch="other")
    assert gitops("get", "works").out == ""
    assert gitops("get", "works", "--branch", "other").out == TABLE
    assert gitops("--branch=other", "get", "works").out == TABLE
    missing = gitops("--branch=nope", "get", "works")
    assert (missing.code, "branch nope is not there" in missing.err) == (1, True)


def test_a_bare_repository_is_as_good(status_repo: Any, gitops: Callable[..., Any], tmp_path: Path) -> None:
    status_repo.commit(WORK)
    shutil.copytree(status_repo.path / ".git", tmp_path / "bare.git")
    assert gitops("--repo", str(tmp_path / "bare.git"), "get", "works").out == TABLE


def test_an_empty_repository_has_no_resources(gitops: Callable[..., Any]) -> None:
    nothing = gitops("get", "works")
    assert (nothing.out, nothing.err, nothing.code) == ("", "No resources found in default namespace.\n", 0)


def test_what_is_no_repository_is_refused(gitops: Callable[..., Any], tmp_path: Path) -> None:
    refused = gitops("--repo", str(tmp_path / "nowhere"), "get", "works")
    assert refused.code == 1
    assert refused.err.startswith(f"error: {tmp_path}/nowhere is not a Git repository: ")


def test_where_no_repository_is_named_the_folder_is(
    gitops: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert gitops("--repo", ".", "get", "works").err.startswith(f"error: {tmp_path} is not a Git repository: ")


@pytest.mark.parametrize(
    "content",
    [b"", b"text", b"a: [", b"{}", b"kind: Work\nmetadata: {name: 5}\n", b"a: 1\n---\nb: 2\n", b"\xff\xfe"],
)
def test_a_status_file_that_is_none_is_passed_over(
    status_repo: Any, gitops: Callable[..., Any], content: bytes
) -> None:
    status_repo.commit(WORK)
    status_repo.commit_raw({"status/works/default/odd/work.yaml": content, "status/works/default/odd/x.yaml": content})
    assert gitops("get", "works").out == TABLE
    assert gitops("get", "works,wp", "-o", "name").out == "work.platform.kratix.io/redis\n"
    assert gitops("get", "work", "odd").code == 1


def test_odd_shapes_in_a_status_file_show_as_nothing(status_repo: Any, gitops: Callable[..., Any]) -> None:
    status_repo.commit({**WORK, "status": ["text"], "events": {"not": "a list"}})
    assert gitops("get", "works").out == "NAME    STATUS\nredis   \n"
    assert gitops("describe", "work", "redis").out.endswith("Events:  <none>\n")
    assert gitops("wait", "--for=condition=Ready", "work/redis", "--timeout=0").code == 1


@pytest.mark.parametrize("name", ["../../status/works/default/redis", "..", ".", "a//b", "\x1b[31m", "work.yaml"])
def test_a_name_is_only_a_name(status_repo: Any, gitops: Callable[..., Any], name: str) -> None:
    status_repo.commit(WORK)
    asked = gitops("get", "works", name)
    assert (asked.code, asked.out, "\x1b" in asked.err) == (1, "", False)


def test_a_namespace_is_only_a_namespace(status_repo: Any, gitops: Callable[..., Any]) -> None:
    status_repo.commit(WORK)
    assert gitops("get", "works", "-n", "default/redis").out == ""
    assert gitops("get", "works", "-n", "..").out == ""


def test_a_bad_selector_is_refused_as_the_api_server_would(status_repo: Any, gitops: Callable[..., Any]) -> None:
    status_repo.commit(WORK)
    refused = gitops("get", "works", "-l", "a=b=c")
    assert refused.code == 1
    assert refused.err == (
        'Error from server (BadRequest): Unable to find "platform.kratix.io/v1alpha1, Resource=works" that match '
        'label selector "a=b=c", field selector "": '
        "unable to parse requirement: found '=', expected: ',' or 'end of string'\n"
    )


def test_an_unknown_option_is_a_usage_error(gitops: Callable[..., Any]) -> None:
    assert gitops("get", "works", "--nope").code == 2
    assert gitops("get").code == 1


@pytest.fixture
def watching(status_repo: Any) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts commands that go on until they are interrupted."""
    started: list[subprocess.Popen[str]] = []

    def start(*words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "gitops", "--repo", str(status_repo.path), *words]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            stream.close() if stream else None


def interrupted(process: subprocess.Popen[str]) -> tuple[str, str, int]:
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    return out, err, process.returncode


def test_watch_prints_what_changes_until_it_is_interrupted(status_repo: Any, watching: Callable[..., Any]) -> None:
    status_repo.commit(WORK, ready("Pending", "slack"))
    process = watching("get", "works", "-w")
    assert [process.stdout.readline() for _ in range(3)] == ["NAME    STATUS\n", "redis   Ready\n", "slack   Pending\n"]
    status_repo.commit(ready("Misplaced"))
    assert process.stdout.readline() == "redis   Misplaced\n"
    status_repo.commit_raw({"unrelated": b""})
    status_repo.commit(ready("Ready again"))
    assert process.stdout.readline() == "redis   Ready again\n"
    assert interrupted(process) == ("", "", 130)


def test_watch_of_nothing_begins_with_the_first_object(status_repo: Any, watching: Callable[..., Any]) -> None:
    status_repo.commit(ready("Pending", "slack"))
    process = watching("get", "wp,wk", "-w")
    assert process.wait() == 1
    process = watching("get", "works", "-w", "-n", "default", "-l", "a=b")
    labelled = {**WORK, "metadata": {**WORK["metadata"], "labels": {"a": "b"}}}
    status_repo.commit(labelled)
    assert [process.stdout.readline() for _ in range(2)] == ["NAME    STATUS\n", "redis   Ready\n"]


def test_watched_documents_are_separated(status_repo: Any, watching: Callable[..., Any]) -> None:
    status_repo.commit(WORK)
    process = watching("get", "work", "redis", "-w", "-o", "yaml")
    first = [process.stdout.readline() for _ in range(11)]
    assert (first[0], first[-1]) == ("apiVersion: platform.kratix.io/v1alpha1\n", "    type: Ready\n")
    status_repo.commit(ready("Misplaced"))
    assert [process.stdout.readline() for _ in range(2)] == ["---\n", first[0]]


def test_watched_events_are_printed_as_they_come(status_repo: Any, watching: Callable[..., Any]) -> None:
    times = {"firstTimestamp": "2015-06-23T14:03:20Z", "lastTimestamp": "2015-06-23T14:03:20Z"}
    event = {"type": "Normal", "reason": "Came", "from": "Scheduler", "message": "first", "count": 1, **times}
    status_repo.commit({**WORK, "events": [event]})
    process = watching("events", "-w", "-o", "jsonpath={.items[*].reason}-{.items[*].count}{'\\n'}")
    assert process.stdout.readline() == "Came-1\n"
    status_repo.commit({**WORK, "events": [{**event, "count": 2}, {**event, "reason": "New"}]})
    assert [process.stdout.readline() for _ in range(2)] == ["Came-2\n", "New-1\n"]


def test_a_reader_that_goes_away_is_no_error(status_repo: Any, watching: Callable[..., Any]) -> None:
    status_repo.commit(WORK)
    process = watching("get", "works")
    process.stdout.close()
    assert (process.stderr.read(), process.wait()) == ("", 141)


@pytest.mark.parametrize("words", [("get", "works"), ("events",), ("wait", "--for=create", "work/redis")])
def test_a_template_that_makes_no_sense_ends_the_command(
    status_repo: Any, gitops: Callable[..., Any], words: tuple[str, ...]
) -> None:
    status_repo.commit({**WORK, "events": [{"type": "Normal", "reason": "Came"}]})
    ran = gitops(*words, "-o", "jsonpath={.kind[0]}")
    assert (ran.out, ran.code) == ("", 1)
    assert ran.err.startswith('error: error executing jsonpath "{.kind[0]}": Error executing template: string is not ')


def test_tables_are_sorted_each_kind_for_itself(status_repo: Any, gitops: Callable[..., Any]) -> None:
    named = {**WORK, "kind": "Destination", "metadata": {"name": "worker", "labels": {"order": "1"}}}
    works = [
        {**WORK, "metadata": {**WORK["metadata"], "name": name, "labels": {"order": order}}}
        for name, order in (("a", "9"), ("b", "10"), ("c", "8"))
    ]
    status_repo.commit(named, *works)
    shown = gitops("get", "wk,dest", "--sort-by=.metadata.labels.order", "--no-headers", "--show-kind=false").out
    assert [line.split()[0].rpartition("/")[2] for line in shown.splitlines()] == ["c", "a", "b", "worker"]
    chosen = gitops("get", "works", "b", "c", "--sort-by=.metadata.labels.order").out
    assert chosen == "NAME   STATUS\nc      Ready\nb      Ready\n"


@pytest.mark.parametrize("words", ["work/", "/redis", "work,dest/redis", "nope/redis"])
def test_events_for_what_is_no_object_are_refused(gitops: Callable[..., Any], words: str) -> None:
    refused = gitops("events", f"--for={words}")
    assert (refused.out, refused.code, refused.err[:7]) == ("", 1, "error: ")
