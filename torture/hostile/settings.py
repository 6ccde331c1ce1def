"""Settings and templates of a repository that are hostile: problems of the repository, and the last good ones stay."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from support.definitions import work

from torture.hostile.proving import Stage

_BAD = {
    "no YAML": ("a: [\n", "flow node"),
    "a tag": ("commit: !!python/name:os.system x\n", "the tag"),
    "laughs": ("a: &a [x]\nb: [*a, *a]\n", "unknown field"),
    "deep": ("a: " + "[" * 1_000 + "\n", "nested deeper"),
    "NUL": ("commit: {author: 'a\0 <b>'}\n", "U+0000"),
    "two documents": ("{}\n---\n{}\n", "one document"),
    "a list": ("- 1\n", "expected an object"),
    "a misspelt field": ("commit: {autor: x}\n", "did you mean"),
    "an author without address": ("commit: {author: Robot}\n", "expected 'Name <email>'"),
    "an author with a line feed": ('commit: {author: "a\\nb <c>"}\n', "expected 'Name <email>'"),
    "an author in an author": ("commit: {author: 'a <b> <c>'}\n", "expected 'Name <email>'"),
    "an author of nothing": ("commit: {author: ' <x>'}\n", "expected 'Name <email>'"),
    "an author that is a number": ("commit: {author: 5}\n", "expected a string"),
    "an unknown granularity": ("commit: {granularity: never}\n", "expected auto, work or pass"),
    "the branch HEAD": ("output: {branch: HEAD}\n", "invalid branch name"),
    "a branch with refs": ("output: {branch: refs/heads/x}\n", "invalid branch name"),
    "a branch that is an option": ("output: {branch: --force}\n", "invalid branch name"),
    "a branch up": ("output: {branch: ../x}\n", "invalid branch name"),
    "a branch that is locked": ("output: {branch: x.lock}\n", "invalid branch name"),
    "a branch with ESC": ('output: {branch: "\\e[31m"}\n', "invalid branch name"),
    "a branch that is a list": ("output: {branch: [a]}\n", "expected a string"),
    "UTF-16": ("\ufffe", "U+FFFE"),
}  # fmt: skip


def _refused(text: str, piece: str, stage: Stage) -> None:
    stage.platform.commit({"gitops.yaml": "commit: {author: Robot <robot@example.org>}\n"})
    stage.platform.commit({"gitops.yaml": text, "works/neighbours/new.yaml": work("new", env="dev")})
    stage.reconcile()
    problems = stage.platform.status("repository.yaml")["status"]["problems"]
    assert [p["file"] for p in problems] == ["gitops.yaml"] * len(problems), problems
    assert any(piece in p["message"] for p in problems), problems
    assert stage.platform.log()[0].author.name == "Robot", "the last good settings are forgotten"
    assert stage.platform.condition("works/default/new/work.yaml")[0] == "True"


_OVERVIEW = "templates/status-README.md.j2"
_TEMPLATES = {
    "no template": "{% if",
    "no text": b"\xff\xfe",
    "the class of a text": "{{ ''.__class__ }}",
    "an undefined name": "{{ nothing }}",
    "another file": "{% include '/etc/passwd' %}",
    "two MiB": "{% for n in range(2048) %}{{ 'x' * 1024 }}{% endfor %}",
    "without end": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
}


def _overridden(content: str | bytes, stage: Stage) -> None:
    before = stage.platform.files("status/README.md")["status/README.md"]
    stage.platform.commit({_OVERVIEW: content})
    stage.reconcile()
    problems = stage.platform.status("repository.yaml")["status"]["problems"]
    assert [p["file"] for p in problems] == [_OVERVIEW], problems
    assert before.splitlines()[0] == stage.platform.files("status/README.md")["status/README.md"].splitlines()[0]


def _linked(stage: Stage) -> None:
    """A link in the place of the settings is not followed."""
    stage.platform.link("gitops.yaml", "/etc/passwd")
    stage.reconcile()


STORIES: Mapping[str, Callable[[Stage], None]] = {
    **{f"#81 settings: {name}": partial(_refused, text, piece) for name, (text, piece) in _BAD.items()},
    **{f"#81 overview: {name}": partial(_overridden, content) for name, content in _TEMPLATES.items()},
    "#81 settings: a link": _linked,
}
