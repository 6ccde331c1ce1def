"""Why a branch cannot be read or written, as status tells it."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Step(Enum):
    """What failed."""

    SECRET = "find the credentials"  # noqa: S105 - no secret
    REACH = "fetch"
    WRITE = "write"


class Failure(NamedTuple):
    """One branch's failure. *cause* reads the same each time; *store* is the state store that it was tried for."""

    step: Step
    cause: str
    store: str = ""

    def __str__(self) -> str:
        return f"{self.store}: {self.cause}" if self.store else self.cause
