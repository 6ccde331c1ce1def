"""Plain block-style YAML, as nearly all of it is written, read several times faster than by libyaml.

What is certain is read line by line: see `lines`. A list or mapping is known by its column alone, so that a line either
continues one that is open, or begins the value of the key in the line above, or is in doubt. Whatever is in doubt, and
everything that is wrong, is left to the readers that know all of YAML.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from gitops.core.yaml.lines import (
    BLANK,
    CLIPPED,
    COLLECTION,
    KNOWN,
    MAX_NODES,
    NOTHING,
    SEPARATOR,
    Doubt,
    Line,
)

MAX_BYTES = 1024 * 1024  # what is larger may take its time
MAX_DEPTH = 32

_ASCII = bytes([*b"\t\n", *range(0x20, 0x7F)])
# Control characters, line breaks other than \n, and what is no character at all.
_UNUSUAL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_ROOT = -3
_BEGIN: Line = (_ROOT, (), None, NOTHING, None)  # a document is the value of what is above it


class BlockDocument(NamedTuple):
    """One document: its data, the line of its beginning (from 1), and the lines of its `items`."""

    data: Any
    line: int
    item_lines: tuple[int, ...]


def load(raw: bytes, max_nodes: int) -> list[BlockDocument] | None:
    """Return the documents of a file, or None when that takes a whole reader of YAML.

    Equal to what such a reader returns, which finds nothing wrong. The file has no more than *max_nodes* values.
    """
    text = _text(raw)
    if text is None:
        return None
    reader = _Reader(text, max_nodes)
    try:
        reader.run()
    except Doubt:
        return None
    return reader.documents


def _text(raw: bytes) -> str | None:
    if len(raw) > MAX_BYTES:
        return None
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return None
    return None if raw.translate(None, _ASCII) and _UNUSUAL.search(text) else text


class _Reader:
    """Builds the documents. *_node* is the innermost list or mapping, at *_rank*; *_above* are those around it."""

    def __init__(self, text: str, max_nodes: int) -> None:
        self.documents: list[BlockDocument] = []
        self._lines, self._next = text.split("\n"), 0
        self._nodes, self._max_nodes = 1 + MAX_NODES * len(self._lines), max_nodes
        self._begin()

    def _begin(self) -> None:
        self._rank = _ROOT
        self._node: Any = []
        self._above: list[tuple[int, Any]] = []
        self._start = 0
        self._item_lines: list[int] = []

    def run(self) -> None:
        lines, last = self._lines, _BEGIN
        while self._next < len(lines):
            line = KNOWN[lines[self._next]]
            rank, inner, key, kind, value = line
            self._next += 1
            if rank != self._rank or inner:
                if rank == BLANK:
                    continue
                if rank == SEPARATOR:
                    if last is not _BEGIN:
                        self._close()
                    last = line
                    continue
                self._enter(rank, inner, last)
            if kind > NOTHING:
                value = self._made(kind, value)
            if key is None:
                self._node.append(value)
            elif key in self._node:
                raise Doubt
            else:
                self._node[key] = value
            last = line
        self._close()
        if self._nodes > self._max_nodes:
            raise Doubt

    def _enter(self, rank: int, inner: tuple[int, ...], last: Line) -> None:
        """Make the list or mapping at *rank* the innermost, and begin those that are *inner* in its line."""
        if rank > self._rank:
            if last[3] != NOTHING:
                raise Doubt
            self._open(rank, last[2])
        else:
            while rank < self._rank:
                self._rank, self._node = self._above.pop()
            if rank != self._rank:
                raise Doubt
        if rank & 1 and len(self._above) == 2 and self._in_items():
            self._item_lines.append(self._next)
        for each in inner:
            self._open(each, None)

    def _open(self, rank: int, key: str | None) -> None:
        """Begin a list or mapping, as the value of *key* or the next item of the innermost."""
        node: Any = [] if rank & 1 else {}
        if key is None:
            self._node.append(node)
        else:
            self._node[key] = node
        if not self._above:
            self._start = self._next
        elif len(self._above) > MAX_DEPTH:
            raise Doubt
        self._above.append((self._rank, self._node))
        self._rank, self._node = rank, node

    def _in_items(self) -> bool:
        root = self._above[1][1]
        return isinstance(root, dict) and root.get("items") is self._node

    def _made(self, kind: int, value: Any) -> Any:
        """Return the value of a line that has more than a scalar."""
        if kind != COLLECTION:
            return self._text_block(kind)
        make, content = value
        self._nodes += 2 * len(content)
        return make(content)

    def _text_block(self, kind: int) -> str:
        """Return the text below `|` or `|-`: all lines that are indented like the first, and empty ones."""
        lines, begin = self._lines, self._next
        first = lines[begin] if begin < len(lines) else ""
        content = first.lstrip(" ")
        indent = first[: len(first) - len(content)]
        if len(indent) <= self._rank // 2 or not content or content[0] == "\t":
            raise Doubt
        end = begin + 1
        while end < len(lines) and (not lines[end] or lines[end].startswith(indent)):
            end += 1
        if kind == CLIPPED and end == len(lines) and lines[-1]:
            raise Doubt  # no line break at the end of the file
        self._next = end
        self._nodes -= MAX_NODES * (end - begin)
        text = "\n".join(lines[begin:end])[len(indent) :].replace("\n" + indent, "\n").rstrip("\n")
        return text + "\n" if kind == CLIPPED else text

    def _close(self) -> None:
        """End a document; one with nothing in it has doubtful places."""
        if self._rank == _ROOT:
            raise Doubt
        data = self._above[0][1][0]
        items = data.get("items") if isinstance(data, dict) else None
        if isinstance(items, list) and len(items) != len(self._item_lines):
            raise Doubt
        self.documents.append(BlockDocument(data, self._start, tuple(self._item_lines)))
        self._begin()
