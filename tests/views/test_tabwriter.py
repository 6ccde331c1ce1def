from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gitops.views.tabwriter import TabWriter


def test_a_column_is_as_wide_as_its_longest_cell_and_the_padding() -> None:
    assert TabWriter(0, 2).lay_out("a\tbb\tc\nlong\tb\td\n") == "a     bb  c\nlong  b   d\n"


def test_a_column_has_a_smallest_width() -> None:
    assert TabWriter(6, 3).lay_out("a\tb\nc\td\n") == "a     b\nc     d\n"


def test_a_line_without_the_cell_ends_the_column() -> None:
    assert TabWriter(0, 1).lay_out("long cell\tx\nno cell\na\ty\n") == "long cell x\nno cell\na y\n"


def test_remembered_widths_hold_for_later_texts() -> None:
    writer = TabWriter(0, 1, remember=True)
    assert writer.lay_out("long cell\tx\n") == "long cell x\n"
    assert writer.lay_out("a\ty\n") == "a         y\n"


def test_a_form_feed_is_a_line_break_that_ends_all_columns() -> None:
    assert TabWriter(0, 1).lay_out("long cell\tx\fa\ty\n") == "long cell x\na y\n"


cells = st.text(st.characters(exclude_characters="\t\v\n\f"), max_size=8)


@given(st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(cells, min_size=n, max_size=n), min_size=1, max_size=5)))
def test_cells_of_a_column_begin_below_each_other(rows: list[list[str]]) -> None:
    lines = TabWriter(0, 1).lay_out("\n".join("\t".join(row) for row in rows)).split("\n")
    starts = [sum(max(len(row[i]) for row in rows) + 1 for i in range(column)) for column in range(len(rows[0]))]
    for row, line in zip(rows, lines, strict=True):
        assert all(line[start:].startswith(cell) for start, cell in zip(starts, row, strict=True))
