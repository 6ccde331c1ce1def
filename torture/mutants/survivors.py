"""The faults that no test can notice, or should, each with the reason: `torture/survivors.toml`.

They are known by function and change, so that an edit elsewhere in the file leaves them as they are.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path

from torture.mutants.faults import Fault

FILE = Path(__file__).parents[1] / "survivors.toml"
_Name = tuple[str, str]


def explained() -> dict[_Name, str]:
    """Return why each may survive, by function and change."""
    found = tomllib.loads(FILE.read_text())["survivor"]
    return {(each["in"], change): each["why"] for each in found for change in each["changes"]}


def stale(modules: Iterable[str], faults: Iterable[Fault]) -> list[_Name]:
    """Return those explained in *modules* that are none of their *faults* any more."""
    possible, looked_at = {(fault.function, fault.change) for fault in faults}, tuple(f"{name}." for name in modules)
    return [name for name in explained() if name not in possible and f"{name[0]}.".startswith(looked_at)]
