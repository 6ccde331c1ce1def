"""The tables of `get`: one for each run of objects of one kind, with kubectl's columns, escapes and empty lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from gitops.views.escape import escape
from gitops.views.kinds import Kind, Object, labels_of, name_of, namespace_of
from gitops.views.tabwriter import TabWriter


@dataclass(frozen=True)
class Options:
    """What the user wants to see: *namespaces* and *labels* as columns, *kinds* before the names, *headers* above."""

    headers: bool = True
    namespaces: bool = False
    kinds: bool = False
    labels: bool = False


def writer() -> TabWriter:
    """Return the layout of kubectl's tables. One is kept for as long as rows are added, so that columns stay."""
    return TabWriter(minwidth=6, padding=3, remember=True)


@dataclass
class Tables:
    """Prints objects as they come. The columns of a table keep their widths from one call to the next."""

    options: Options
    _kind: Kind | None = None
    _namespaces: bool = False
    _writer: TabWriter = field(default_factory=writer)

    def add(self, kind: Kind, objects: Sequence[Object]) -> str:
        """Return the rows of *objects*, after a header when another kind begins."""
        lines = self._begin(kind) if kind is not self._kind else []
        lines += [self._line(self._row(kind, obj)) for obj in objects]
        return self._writer.lay_out("".join(lines))

    def _begin(self, kind: Kind) -> list[str]:
        first, self._kind, self._writer = self._kind is None, kind, writer()
        self._namespaces = self._namespaces or (self.options.namespaces and kind.namespaced)
        if not self.options.headers:
            return []
        headers = ["NAME", *(column.header for column in kind.columns)]
        line = self._line([*["NAMESPACE"] * self._namespaces, *headers, *["LABELS"] * self.options.labels])
        return [line] if first else ["\n", line]

    def _row(self, kind: Kind, obj: Object) -> list[str]:
        name = f"{kind.full_singular}/{name_of(obj)}" if self.options.kinds else name_of(obj)
        cells = [name, *(column.cell(obj) for column in kind.columns)]
        namespace = [namespace_of(obj)] if self._namespaces else []
        return [*namespace, *cells, *([_labels(obj)] if self.options.labels else [])]

    def _line(self, cells: Iterable[str]) -> str:
        return "\t".join(map(_cell, cells)) + "\n"


def _labels(obj: Object) -> str:
    labels = labels_of(obj)
    return ",".join(f"{key}={labels[key]}" for key in sorted(labels)) or "<none>"


def _cell(text: str) -> str:
    """Return the first line of *text*."""
    first = re.split("[\f\n\r]", text, maxsplit=1)[0]
    return escape(first if first == text else first + "...")
