"""`get`, `describe`, `events` and `wait` print what kubectl prints, to the byte.

kubectl.txt was recorded from kubectl 1.32: commands with their standard output (`%`: its last line has no line break),
errors (`!`) and exit code (`=`). Where kubectl is installed, it is asked again.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

RECORDED = (Path(__file__).parent / "kubectl.txt").read_text("utf-8")
COMMANDS = [block.partition("\n")[0].removeprefix("$ ") for block in RECORDED.split("\n\n$ ")]


def words(command: str) -> list[str]:
    return shlex.split(command) if "'" in command else command.split()


def record(command: str, ran: Any) -> str:
    """A command and what came of it, in the form of the recording."""
    end = "" if ran.out.endswith("\n") or not ran.out else "%\n"
    errors = "".join(f"! {line}\n" for line in ran.err.rstrip("\n").split("\n")) if ran.err else ""
    return f"$ {command}\n{ran.out}{end}{errors}= {ran.code}\n"


def recorded(command: str) -> str:
    start = f"\n{RECORDED}".index(f"\n$ {command}\n")
    end = RECORDED.find("\n\n$ ", start)
    return RECORDED[start : end + 1 if end >= 0 else None]


@pytest.fixture
def sampled(status_repo: Any, sample: Sequence[Any], gitops: Callable[..., Any]) -> Callable[..., Any]:
    status_repo.commit(*sample)
    return gitops


def test_gitops_prints_what_was_recorded_from_kubectl(sampled: Callable[..., Any]) -> None:
    assert len(COMMANDS) > 100
    printed = {command: record(command, sampled(*words(command))) for command in COMMANDS}
    assert printed == {command: recorded(command) for command in COMMANDS}


def test_kubectl_prints_what_was_recorded_from_it(kubectl: Any, sample: Sequence[Any]) -> None:
    kubectl.serve(sample)
    kubectl("get", "works")  # fills its cache of what the server offers
    with ThreadPoolExecutor(4) as pool:
        ran = list(pool.map(lambda command: kubectl(*words(command)), COMMANDS))
    printed = {command: record(command, done) for command, done in zip(COMMANDS, ran, strict=True)}
    assert printed == {command: recorded(command) for command in COMMANDS}


HOSTILE = ["", "true", "1e3", "0" * 40, "12e34", "9e999", "2025-06-23", "a: b", "- a", "it's", "a\nb\n", "x\n\n", " x"]
HOSTILE += [
    "word " * 40 + "end",
    "tab\there " * 20,
    "\x1b[31m",
    "é日本語😀",
    "#",
    "@",
    "[id,id]",
    "back\\slash",
    "a\rb",
]


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_hostile_texts_are_written_as_kubectl_writes_them(
    kubectl: Any, status_repo: Any, gitops: Callable[..., Any], form: str
) -> None:
    work = {
        "apiVersion": "platform.kratix.io/v1alpha1",
        "kind": "Work",
        "metadata": {"name": "hostile", "namespace": "default"},
        "status": {
            "list": HOSTILE,
            "nested": [[HOSTILE], {}],
            "keys": [{text: text} for text in HOSTILE],
            "none": None,
        },
    }
    kubectl.serve([work])
    status_repo.commit(work)
    assert gitops("get", "work", "hostile", "-o", form) == kubectl("get", "work", "hostile", "-o", form)
