"""Where things stand in a YAML file: found by reading it again, when there is something to say about them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple

import yaml

from gitops.core.yaml.stream import Event, Events, YamlError, walk

Path = tuple[str | int, ...]
Position = tuple[int, int]
Wanted = tuple[int, Path]
"""The number of a document in its file (from 0), and the keys and indices that lead to a value."""


class Place(NamedTuple):
    """Line and column (from 1) of a value and of the key before it, and what is written there when it is a scalar."""

    key: Position
    value: Position
    text: str | None

    @property
    def position(self) -> Position:
        """Where to point at: the value itself, or the key of a list or mapping, which may begin lines below it."""
        return self.key if self.text is None else self.value


START = Place((1, 1), (1, 1), None)


def locate(raw: bytes, wanted: Iterable[Wanted]) -> dict[Wanted, Place]:
    """Return the place of each value of *wanted*, or of the nearest thing around it that is there.

    Of a key that comes twice, the first counts. A file that is no YAML is read as far as it goes.
    """
    asked = list(wanted)
    scan = _Scan({(index, path[:length]) for index, path in asked for length in range(len(path) + 1)})
    with suppress(YamlError):
        walk(raw, scan.run)
    return {one: scan.nearest(*one) for one in asked}


class _Level:
    """A list or mapping around the place of the scan. *path* is None where nothing inside was asked for."""

    __slots__ = ("count", "is_list", "key", "mark", "path")

    def __init__(self, path: Path | None, *, is_list: bool) -> None:
        self.path, self.is_list = path, is_list
        self.count = 0
        self.key: str | None = None
        self.mark: Position = (1, 1)


class _Scan:
    def __init__(self, needed: set[Wanted]) -> None:
        self._needed = needed
        self._found: dict[Wanted, Place] = {}

    def nearest(self, index: int, path: Path) -> Place:
        found = (self._found.get((index, path[:length])) for length in range(len(path), -1, -1))
        return next((place for place in found if place), START)

    def run(self, events: Events) -> None:
        self._found, self._levels, self._index = {}, [_Level(None, is_list=True)], -1
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                self._index += 1
            elif isinstance(event, yaml.NodeEvent):
                self._node(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._levels.pop()
                self._step()

    def _node(self, event: Event) -> None:
        here = (event.start_mark.line + 1, event.start_mark.column + 1)
        level = self._levels[-1]
        text = event.value if isinstance(event, yaml.ScalarEvent) else None
        if not level.is_list and level.count % 2 == 0:
            level.key, level.mark, path = text, here, None
        else:
            path = self._record(level, here, text)
        if isinstance(event, yaml.CollectionStartEvent):
            self._levels.append(_Level(path, is_list=isinstance(event, yaml.SequenceStartEvent)))
        else:
            self._step()

    def _step(self) -> None:
        self._levels[-1].count += 1

    def _record(self, level: _Level, here: Position, text: str | None) -> Path | None:
        """Note the place of a value, if it was asked for, and return its path then."""
        if len(self._levels) == 1:
            path: Path = ()
        elif level.path is None or (not level.is_list and level.key is None):
            return None
        else:
            path = (*level.path, level.count if level.is_list else level.key or "")
        wanted = (self._index, path)
        if wanted not in self._needed or wanted in self._found:
            return None
        self._found[wanted] = Place(here if level.is_list else level.mark, here, text)
        return path
