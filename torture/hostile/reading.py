"""What people see of hostile inputs: commands and their output, on which no terminal may act."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator, Sequence

from gitops.cli.main import main
from torture.hostile.places import SECRET
from torture.hostile.proving import Named, Stage

COMMANDS = [
    "validate",
    "plan",
    "plan -o json",
    "get works -A",
    "get works -A -o wide",
    "get works -A -o yaml",
    "get works -A -o json",
    "get wp -A --show-labels",
    "get dest -o wide",
    "get gitstatestores -o yaml",
    "describe works -A",
    "describe wp -A",
    "describe dest",
    "events -A",
    "events -A -o json",
    "get works -A -o jsonpath={.items[*].status.conditions[*].message}",
]
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")


def read_all(stage: Stage, rows: Sequence[Named], *, good: bool) -> list[str]:
    """Return what is wrong with what the commands print; `validate` names each file that is refused."""
    printed = {command: _printed(stage, command) for command in COMMANDS}
    wrong = [f"{command}: {each}" for command, (code, text) in printed.items() for each in _shown(code, text)]
    if not good:
        wrong += _named(printed["validate"][1], rows)
    wrong += [
        f"the secret stands in {path}"
        for path, raw in stage.platform.files("status/").items()
        if SECRET.encode() in raw
    ]
    return wrong + [
        f"the secret stands in {c.id}"
        for c in stage.platform.log()
        if SECRET in c.message and c.author.name == "gitops"
    ]


def _printed(stage: Stage, command: str) -> tuple[int, str]:
    out, error = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        code = main(["--repo", str(stage.platform.path), *command.split(" ")])
    return code, out.getvalue() + error.getvalue()


def _shown(code: int, text: str) -> Iterator[str]:
    if code > 1:
        yield f"exit code {code}"
    if found := _OBEYED.search(text):
        yield f"U+{ord(found[0]):04X} in {text[max(found.start() - 60, 0) : found.end() + 20]!r}"
    if SECRET in text:
        yield "the secret is shown"


def _named(text: str, rows: Sequence[Named]) -> Iterator[str]:
    """Every file that a pass finds wrong is named; whose an object was first only a pass knows."""
    for own, row in rows:
        for answer in row.make(own).answers:
            told = answer.reason in ("InvalidDefinition", "InvalidDocument", "TemplateError")
            if told and own not in text and "already delivered" not in answer.message:
                yield f"validate says nothing of {row.name}"
