"""Files below a place, told by the place and the files alone: many placements of a group share one list of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import overload

from gitops.core.tree import FILE, Change, Entry, Oid


class Below(Mapping[str, Oid]):
    """The whole paths of *files* below *place*. They are made when somebody asks for one."""

    __slots__ = ("_files", "_place", "_whole")

    def __init__(self, place: str, files: Sequence[tuple[str, Oid]]) -> None:
        self._place, self._files = place, files
        self._whole: dict[str, Oid] | None = None

    def _paths(self) -> dict[str, Oid]:
        if self._whole is None:
            above = f"{self._place}/" if self._place else ""
            self._whole = {above + path: oid for path, oid in self._files}
        return self._whole

    def __getitem__(self, path: str) -> Oid:
        return self._paths()[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths())

    def __len__(self) -> int:
        return len(self._files)


class Additions(Sequence[Change]):
    """The files of an inventory as changes where none of them was."""

    __slots__ = ("_inventory",)

    def __init__(self, inventory: Mapping[str, Oid]) -> None:
        self._inventory = inventory

    @overload
    def __getitem__(self, index: int) -> Change: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Change]: ...
    def __getitem__(self, index: int | slice) -> Change | Sequence[Change]:
        return list(self)[index]

    def __iter__(self) -> Iterator[Change]:
        return (Change(path, None, Entry(FILE, oid)) for path, oid in self._inventory.items())

    def __len__(self) -> int:
        return len(self._inventory)
