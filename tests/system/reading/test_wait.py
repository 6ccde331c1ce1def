from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest


def work(status: str, name: str = "redis") -> dict[str, Any]:
    return {
        "apiVersion": "platform.kratix.io/v1alpha1",
        "kind": "Work",
        "metadata": {"name": name, "namespace": "default", "generation": 1},
        "status": {"conditions": [{"type": "Ready", "status": status, "message": ""}]},
    }


@pytest.fixture
def waiting(status_repo: Any) -> Callable[..., subprocess.Popen[str]]:
    """Starts `wait` beside the test; it ends by itself."""

    def start(*words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "gitops", "--repo", str(status_repo.path), "wait", *words]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    return start


def test_wait_ends_when_the_condition_is_met(status_repo: Any, waiting: Callable[..., Any]) -> None:
    status_repo.commit(work("True", "first"), work("False"))
    process = waiting("--for=condition=Ready", "work/first", "work/redis", "--timeout=60s")
    assert process.stdout.readline() == "work.platform.kratix.io/first condition met\n"
    status_repo.commit(work("True"))
    out, err = process.communicate()
    assert (out, err, process.returncode) == ("work.platform.kratix.io/redis condition met\n", "", 0)


def test_wait_for_creation_and_then_deletion(status_repo: Any, waiting: Callable[..., Any]) -> None:
    status_repo.commit(work("True", "first"))
    created = waiting("--for=create", "work/first", "work/redis", "--timeout=60s")
    created.stdout.readline()
    status_repo.commit(work("False"))
    assert created.communicate() == ("work.platform.kratix.io/redis condition met\n", "")
    deleted = waiting("--for=delete", "work/gone", "work/redis", "--timeout=60s", "-o", "name")
    status_repo.commit_raw({"status/works/default/redis/work.yaml": b"not a status file any more"})
    out, err = deleted.communicate()
    assert (err, deleted.returncode) == ("", 0)
    assert out in ("", "work.platform.kratix.io/redis\n")  # it says nothing of what was never seen


def test_an_object_that_goes_away_is_not_found(status_repo: Any, waiting: Callable[..., Any]) -> None:
    status_repo.commit(work("True", "first"), work("False"))
    process = waiting("--for=condition=Ready", "work/first", "work/redis", "--timeout=60s")
    process.stdout.readline()
    status_repo.commit_raw({"status/works/default/redis/work.yaml": b""})
    assert process.communicate()[1] == 'Error from server (NotFound): works.platform.kratix.io "redis" not found\n'
    assert process.returncode == 1


def test_the_time_limit_is_for_all_together(status_repo: Any, gitops: Callable[..., Any]) -> None:
    status_repo.commit(work("False"), work("False", "slack"))
    late = gitops("wait", "--for=condition=Ready", "works", "--all", "--timeout=100ms")
    assert (late.out, late.code) == ("", 1)
    assert late.err == (
        "timed out waiting for the condition on works/redis\ntimed out waiting for the condition on works/slack\n"
    )
    alone = gitops("wait", "--for=condition=Ready", "work/redis", "--timeout=0.05s")
    assert alone.err == "error: timed out waiting for the condition on works/redis\n"


@pytest.mark.parametrize("time", ["x", "5", "1x", "s", "1s2", ""])
def test_a_time_that_is_none_is_a_usage_error(status_repo: Any, gitops: Callable[..., Any], time: str) -> None:
    status_repo.commit(work("True"))
    assert gitops("wait", "--for=condition=Ready", "work/redis", f"--timeout={time}").code == 2


@pytest.mark.parametrize("time", ["0", "1h2m3.5s", "-1s", "500ms", "+2m"])
def test_times_are_written_as_in_go(status_repo: Any, gitops: Callable[..., Any], time: str) -> None:
    status_repo.commit(work("True"))
    assert gitops("wait", "--for=condition=Ready", "work/redis", f"--timeout={time}").code == 0
