"""`history` reads the log of the output branch: what the status files said, and when."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

OLD, NEW = "a" * 40, "b" * 40


def status(kind: str, name: str, *events: dict[str, Any], **fields: Any) -> dict[str, Any]:
    labels = {"labels": {"kratix.io/work": "redis"}} if kind == "WorkPlacement" else {}
    metadata = {"name": name, "namespace": "default", **labels}
    file = {"apiVersion": "platform.kratix.io/v1alpha1", "kind": kind, "metadata": metadata, "status": fields}
    return {**file, "events": list(events)}


def event(reason: str, count: int, time: str) -> dict[str, Any]:
    times = {"firstTimestamp": "2025-06-23T14:00:00Z", "lastTimestamp": f"2025-06-23T{time}Z"}
    return {"type": "Normal", "reason": reason, "from": "Scheduler", "message": "told", "count": count, **times}


@pytest.fixture
def told(status_repo: Any) -> list[str]:
    """Four commits: placed, something else, came back with a new version, removed."""
    placement = "redis.worker-1-5058f"
    commits = [
        status_repo.commit(
            status("Work", "redis", event("Placed", 1, "14:00:00")), status("WorkPlacement", placement, versionID=OLD)
        ),
        status_repo.commit_raw({"README.md": b"something else"}),
        status_repo.commit(
            status("Work", "redis", event("Placed", 2, "14:05:00")),
            status("WorkPlacement", placement, event("Written", 1, "14:05:00"), versionID=NEW),
        ),
    ]
    run = ["git", "-C", str(status_repo.path), "-c", "user.name=g", "-c", "user.email=g@example.org"]
    subprocess.run([*run, "rm", "-rq", "status"], check=True)
    message = "status: 0 Works (1 event)\n\nNormal WorkplacementReconciled Work/default/redis: operation: deleted"
    subprocess.run([*run, "commit", "-qm", message], check=True, env={"GIT_COMMITTER_DATE": "2025-06-23T15:00:00Z"})
    return commits


def test_the_history_of_a_work_has_its_events_and_the_versions_of_its_placements(
    told: list[str], gitops: Callable[..., Any]
) -> None:
    ran = gitops("history", "work", "redis")
    rows = [line.split(maxsplit=4) for line in ran.out.splitlines()]
    assert (ran.code, rows[0]) == (0, ["TIME", "COMMIT", "TYPE", "REASON", "MESSAGE"])
    assert [(row[0][11:19], row[2], row[3], row[4]) for row in rows[1:]] == [
        ("14:00:00", "Normal", "Placed", "told"),
        ("00:00:00", "Version", "Written", "redis.worker-1-5058f: aaaaaaa"),
        ("14:05:00", "Normal", "Placed", "told"),
        ("00:00:00", "Version", "Changed", "redis.worker-1-5058f: aaaaaaa -> bbbbbbb"),
        ("15:00:00", "Normal", "WorkplacementReconciled", "operation: deleted"),
        ("15:00:00", "Status", "Removed", "status: 0 Works (1 event)"),
        ("15:00:00", "Version", "Removed", "redis.worker-1-5058f: bbbbbbb"),
    ]
    assert [row[1] for row in rows[1:5]] == [told[0][:7]] * 2 + [told[2][:7]] * 2


def test_the_history_of_a_placement_is_its_own(told: list[str], gitops: Callable[..., Any]) -> None:
    listed = json.loads(gitops("history", "wp", "redis.worker-1-5058f", "-o", "json").out)
    assert [(entry["type"], entry["reason"]) for entry in listed] == [
        ("Version", "Written"),
        ("Normal", "Written"),
        ("Version", "Changed"),
        ("Status", "Removed"),
        ("Version", "Removed"),
    ]
    assert (listed[2]["old"], listed[2]["new"], listed[2]["commit"]) == (OLD, NEW, told[2])


def test_a_merge_is_told_only_when_it_decided_something(
    status_repo: Any, gitops: Callable[..., Any], tmp_path: Path
) -> None:
    status_repo.commit(status("Work", "redis", event("Placed", 1, "14:00:00")))
    run = ["git", "-C", str(status_repo.path), "-c", "user.name=g", "-c", "user.email=g@example.org"]
    subprocess.run([*run, "branch", "side"], check=True)
    status_repo.commit(status("Work", "redis", event("Placed", 2, "14:05:00")))
    status_repo.commit_raw({"other": b""}, branch="side")
    subprocess.run([*run, "merge", "-q", "--no-edit", "side"], check=True)
    listed = json.loads(gitops("history", "work", "redis", "-o", "json").out)
    assert [entry["count"] for entry in listed] == [1, 2]


@pytest.mark.parametrize("words", [("work", "nope"), ("work", "redis", "-n", "other"), ("dest", "redis")])
def test_an_object_without_history_is_an_error(
    told: list[str], gitops: Callable[..., Any], words: tuple[str, ...]
) -> None:
    ran = gitops("history", *words)
    assert (ran.out, ran.code) == ("", 1)
    assert ran.err.startswith("error: no history of ")


@pytest.mark.parametrize(("options", "told"), [([], "TIME  COMMIT  TYPE  REASON  MESSAGE"), (["-o", "json"], "[]")])
def test_an_object_to_which_nothing_has_happened_has_an_empty_history(
    status_repo: Any, gitops: Callable[..., Any], options: list[str], told: str
) -> None:
    """Such is a placement without documents."""
    status_repo.commit(status("WorkPlacement", "redis.worker-1-5058f"))
    ran = gitops("history", "wp", "redis.worker-1-5058f", *options)
    assert (ran.code, " ".join(ran.out.split()), ran.err) == (0, " ".join(told.split()), "")


def test_an_unknown_kind_is_an_error(gitops: Callable[..., Any]) -> None:
    assert gitops("history", "pods", "x").err == 'error: the server doesn\'t have a resource type "pods"\n'
