"""From events to data, on a stack of its own: depth costs no recursion, and every limit holds before anything is built.

What is wrong with one document, or with one item of a `kind: List`, is a fault of it alone and the others are read.
Only a syntax error or a limit of the whole file ends the reading.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import yaml

from gitops.core.yaml import block
from gitops.core.yaml.places import Path
from gitops.core.yaml.scalars import Scalar, resolve
from gitops.core.yaml.stream import Event, Events, YamlError, walk

MAX_DEPTH = 64
MAX_ALIASES = 100
MAX_NODES = 20_000
MAX_FILE_NODES = 2_000_000


class Fault(NamedTuple):
    """What is wrong in a document, at *path* or in the mapping there; the data lacks what stands there."""

    path: Path
    error: YamlError


@dataclass(frozen=True, slots=True)
class Document:
    """One document: its data, the line of its beginning (from 1), and what is wrong in it.

    *index* is its number in the file (from 0), *item_lines* are the lines of its `items`.
    """

    data: Any
    line: int
    faults: tuple[Fault, ...]
    item_lines: tuple[int, ...]
    index: int


def read(raw: bytes, max_nodes: int = MAX_NODES) -> tuple[list[Document], YamlError | None]:
    """Return the documents of a file, up to the error that ended the reading, if one did.

    *max_nodes* bounds one document, or one item of the `items` of a List; an alias counts as what it stands for.
    """
    if (plain := block.load(raw, max_nodes)) is not None:
        return [Document(d.data, d.line, (), d.item_lines, n) for n, d in enumerate(plain)], None
    builder = _Builder(max_nodes)
    try:
        walk(raw, builder.build)
    except YamlError as error:
        return builder.documents, error
    return builder.documents, None


class _Mark(NamedTuple):
    """In the place of a key: none yet, or one that is no use."""

    name: str


_AWAITED, _REFUSED = _Mark("awaited"), _Mark("refused")


class _Frame:
    """A list or mapping while it is built. *first* is the number of nodes before it."""

    __slots__ = ("anchor", "first", "key", "lines", "node")

    def __init__(self, node: list[Any] | dict[str, Any], anchor: str | None, first: int) -> None:
        self.node, self.anchor, self.first = node, anchor, first
        self.key: str | _Mark = _AWAITED
        self.lines: dict[str, int] = {}


class _Builder:
    def __init__(self, max_nodes: int) -> None:
        self._max_nodes = max_nodes
        self.documents: list[Document] = []

    def build(self, events: Events) -> None:
        self.documents, self._nodes = [], 0
        handlers: dict[type[yaml.Event], Callable[[Any], None]] = {
            yaml.DocumentStartEvent: self._open,
            yaml.ScalarEvent: self._scalar,
            yaml.AliasEvent: self._alias,
            yaml.SequenceStartEvent: self._start,
            yaml.MappingStartEvent: self._start,
            yaml.SequenceEndEvent: self._end,
            yaml.MappingEndEvent: self._end,
            yaml.DocumentEndEvent: self._close,
        }
        for event in events:
            if handle := handlers.get(type(event)):
                handle(event)

    def _open(self, event: Event) -> None:
        self._stack: list[_Frame] = []
        self._data: Any = None
        self._line = event.end_mark.line + 1
        self._faults: list[Fault] = []
        self._item_lines: list[int] = []
        self._anchors: dict[str, tuple[Any, int] | None] = {}
        self._aliases = 0
        self._ignoring: int | None = None
        self._begin_object()
        if event.version or event.tags:
            self._fault("directives (%YAML, %TAG) are not supported: leave them out", event)

    def _close(self, _: Event) -> None:
        faults, lines = tuple(self._faults), tuple(self._item_lines)
        self.documents.append(Document(self._data, self._line, faults, lines, len(self.documents)))

    def _scalar(self, event: Event) -> None:
        self._count(event)
        value: Scalar = event.value if event.style else resolve(event.value)
        self._refuse_tag(event)
        if event.anchor:
            self._anchors[event.anchor] = (value, 1)
        self._place(value, event)

    def _alias(self, event: Event) -> None:
        self._aliases += 1
        if self._aliases > MAX_ALIASES and self._ignoring is None:
            self._ignore_object(f"more than {MAX_ALIASES} aliases in one document: write the values out", event)
        anchor = self._anchors.get(event.anchor)
        if anchor is None and self._ignoring is None:
            reason = "stands inside what it names" if event.anchor in self._anchors else "has no anchor"
            self._fault(f"the alias *{event.anchor} {reason}", event)
        value, size = anchor or (None, 1)
        self._count(event, size)
        self._place(value, event)

    def _start(self, event: Event) -> None:
        if len(self._stack) >= MAX_DEPTH:
            raise _error(f"nested deeper than {MAX_DEPTH} levels", event)
        self._count(event)
        self._refuse_tag(event)
        if event.anchor:
            self._anchors[event.anchor] = None
        self._stack.append(_Frame({} if type(event) is yaml.MappingStartEvent else [], event.anchor, self._nodes))

    def _end(self, event: Event) -> None:
        frame = self._stack.pop()
        if self._ignoring == len(self._stack):
            self._ignoring = None
        if frame.anchor and self._ignoring is None:
            self._anchors[frame.anchor] = (frame.node, self._nodes - frame.first + 1)
        self._place(frame.node, event)

    def _place(self, value: Any, event: Event) -> None:
        if self._ignoring is not None:
            return
        if not self._stack:
            self._data = value
            return
        frame = self._stack[-1]
        if isinstance(frame.node, list):
            frame.node.append(value)
        elif frame.key is _AWAITED:
            frame.key = self._key(frame, value, event)
        else:
            if isinstance(frame.key, str):
                frame.node[frame.key] = value
            frame.key = _AWAITED

    def _key(self, frame: _Frame, value: Any, event: Event) -> str | _Mark:
        if not isinstance(value, str):
            self._fault("only a string can be a key: quote it", event)
        elif value in frame.lines:
            self._fault(f'duplicate key "{value}": it stands in line {frame.lines[value]} already', event)
        elif value == "<<" and not getattr(event, "style", "-"):
            self._fault("merge keys (<<) are not supported: write the fields out", event)
        else:
            frame.lines[value] = event.start_mark.line + 1
            return value
        return _REFUSED

    def _count(self, event: Event, nodes: int = 1) -> None:
        depth = len(self._stack)
        if depth == 0:
            self._line = event.start_mark.line + 1
        elif depth == 2 and self._in_items():
            self._begin_object()
            self._item_lines.append(event.start_mark.line + 1)
        self._nodes += nodes
        if self._nodes > self._limit and self._ignoring is None:
            self._ignore_object(f"more than {self._max_nodes} values in one object", event)
        if self._nodes > MAX_FILE_NODES:
            raise _error(f"more than {MAX_FILE_NODES} values in one file: split it", event)

    def _in_items(self) -> bool:
        return len(self._stack) >= 2 and self._stack[0].key == "items" and isinstance(self._stack[1].node, list)

    def _begin_object(self) -> None:
        self._limit = self._nodes + self._max_nodes

    def _ignore_object(self, message: str, event: Event) -> None:
        """Build no more of the document or item that the event is in; an alias that is the whole of it has no end."""
        self._fault(message, event)
        depth = 2 if self._in_items() else 0
        if len(self._stack) > depth or not isinstance(event, yaml.AliasEvent):
            self._ignoring = depth

    def _refuse_tag(self, event: Event) -> None:
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._fault(f"the tag {tag} is not supported: leave it out", event)

    def _fault(self, message: str, event: Event) -> None:
        if self._ignoring is None:
            self._faults.append(Fault(tuple(self._path()), _error(message, event)))

    def _path(self) -> list[str | int]:
        places = (len(frame.node) if isinstance(frame.node, list) else frame.key for frame in self._stack)
        return [place for place in places if not isinstance(place, _Mark)]


def _error(message: str, event: Event) -> YamlError:
    return YamlError(message, event.start_mark.line + 1, event.start_mark.column + 1)
