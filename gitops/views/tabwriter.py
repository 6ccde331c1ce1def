"""Columns of text as Go's text/tabwriter lays them out, for kubectl's tables are made with it.

A tab ends a cell. A column is a run of lines that all have that cell, so that a line break inside of a cell ends the
columns of the lines above. What follows the last tab of a line belongs to no column.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

Line = Sequence[str]


class TabWriter:
    """Pads each column to *minwidth*, or to its longest cell and *padding*. *remember*: later texts keep the widths."""

    def __init__(self, minwidth: int, padding: int, remember: bool = False) -> None:
        self.minwidth, self.padding, self.remember = minwidth, padding, remember
        self.remembered: list[int] = []

    def lay_out(self, text: str) -> str:
        """Return *text* with its tabs replaced by spaces."""
        pages = [[re.split("[\t\v]", line) for line in page.split("\n")] for page in text.split("\f")]
        return "\n".join("\n".join(self._format(page, [])) for page in pages)

    def _format(self, lines: Sequence[Line], widths: list[int]) -> list[str]:
        column = len(widths)
        out: list[str] = []
        start = 0
        while start < len(lines):
            end = start
            while end < len(lines) and column < len(lines[end]) - 1:
                end += 1
            if end == start:
                out.append(_padded(lines[start], widths))
                start += 1
                continue
            block = lines[start:end]
            out += self._format(block, [*widths, self._width(column, [line[column] for line in block])])
            start = end
        return out

    def _width(self, column: int, cells: Sequence[str]) -> int:
        width = max(self.minwidth, max(map(len, cells)) + self.padding)
        if self.remember:
            self.remembered += [0] * (column + 1 - len(self.remembered))
            width = self.remembered[column] = max(width, self.remembered[column])
        return width


def _padded(line: Line, widths: Sequence[int]) -> str:
    padded = [cell.ljust(width) for cell, width in zip(line, widths, strict=False)]
    return "".join(padded) + "".join(line[len(widths) :])
