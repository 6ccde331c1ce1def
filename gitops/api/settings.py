"""gitops.yaml: the settings of a repository. All of them have a default."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from gitops.api.meta import Model, branch_name

_IDENTITY = re.compile(r"[^<>\x00-\x1f\x7f]*[^<>\x00-\x1f\x7f\s][^<>\x00-\x1f\x7f]* <[^<>\x00-\x20\x7f]*>")


def _identity(value: str) -> str:
    if not _IDENTITY.fullmatch(value):
        raise ValueError(f"expected 'Name <email>', not {value!r}")
    return value


class Output(Model):
    """Where the daemon writes. An empty `branch` is the source branch itself."""

    branch: Annotated[str, AfterValidator(lambda value: value and branch_name(value))] = ""


class Commit(Model):
    """How the daemon commits. `signingKey` is the path of an SSH private key on the daemon's machine."""

    author: Annotated[str, AfterValidator(_identity)] = "gitops <gitops@localhost>"
    granularity: Literal["auto", "work", "pass"] = "auto"
    signing_key: str = ""


class Settings(Model):
    """The whole of gitops.yaml."""

    output: Output = Field(default_factory=Output)
    commit: Commit = Field(default_factory=Commit)
