"""A plan as a comment on a pull request: Markdown as forges show it, no longer than they take."""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import accumulate

from gitops.core.plan import Plan
from gitops.core.text import counted, markdown, printable
from gitops.core.tree import Change, Objects
from gitops.views.placements import SIGNS, Row, pending, placements
from gitops.views.plan import MARKS, Compare, File, files, headline, patched, problems

MAX_LENGTH = 60_000
"""Characters. GitHub takes 65,536 in a comment."""

_MAX_LIST = 10_000  # characters of each list, so that there is room for what happens to documents
_FENCE = re.compile("`{3,}")


def as_markdown(plan: Plan, objects: Objects, compare: Compare, *, writes: bool) -> str:
    """Return the plan with the changes of each document, as far as there is room; *writes* as for `as_json`."""
    changed = files(plan, objects)
    told = "".join(f"{line}\n" for line in _lines(plan, objects, changed, writes=writes))
    return told + _fitting(plan, objects, changed, compare, MAX_LENGTH - len(told))


def _lines(plan: Plan, objects: Objects, changed: Collection[File], *, writes: bool) -> Iterator[str]:
    rows = placements(plan)
    yield f"### {headline(rows, changed, writes=writes)}"
    if rows:
        yield from ("", "| | placement | Destination | why |", "|---|---|---|---|")
        yield from _bounded([_placement(row) for row in rows], "| | … {} more | | |")
    if waiting := pending(plan):
        yield from ("", "**Waiting**", "")
        yield from _bounded(
            [f"- {row.action}: {_code(row.work)} {markdown(row.reason)}" for row in waiting], "- … {} more"
        )
    if wrong := problems(plan, objects):
        yield from ("", "**Problems**", "")
        yield from _bounded([f"- {_code(found.location)} {markdown(found.message)}" for found in wrong], "- … {} more")
    if failing := sorted(plan.failures.items()):
        yield from ("", "**Nothing can be written to**", "")
        yield from _bounded([f"- branch {_code(name)}: {markdown(str(why))}" for name, why in failing], "- … {} more")


def _placement(row: Row) -> str:
    where = f"{_code(row.full_name)} | {_code(row.destination)}"
    return f"| {SIGNS[row.action]} {row.action} | {where} | {markdown(row.reason)} |"


def _bounded(lines: Sequence[str], more: str) -> Iterator[str]:
    """Yield the first of *lines*, as far as there is room, and how many *more* there are."""
    fitting = sum(length <= _MAX_LIST for length in accumulate(len(line) + 1 for line in lines))
    yield from lines[:fitting]
    if fitting < len(lines):
        yield more.format(len(lines) - fitting)


def _fitting(plan: Plan, objects: Objects, changed: Mapping[File, Change], compare: Compare, room: int) -> str:
    """Return the changes of the first files, folded away, and how many others there are."""
    told: list[str] = []
    for file, change in changed.items():
        where = "" if file.branch == plan.survey.home else f" (branch <code>{_html(file.branch)}</code>)"
        told.append(_folded(file, where, patched(change, objects, compare)))
        room -= len(told[-1])
        if room < 0:
            told.pop()
            left = len(changed) - len(told)
            told.append(f"\n{counted(left, 'more file')}: `gitops plan -o diff` shows all.\n")
            break
    return "".join(told)


def _folded(file: File, where: str, patch: str) -> str:
    fence = "`" * (1 + max([2, *map(len, _FENCE.findall(patch))]))
    title = f"{MARKS[file.change]} <code>{_html(file.path)}</code>{where}"
    return f"\n<details><summary>{title}</summary>\n\n{fence}diff\n{patch}{fence}\n\n</details>\n"


def _html(name: str) -> str:
    return html.escape(printable(name))


def _code(text: str) -> str:
    """Return a name as code; what would end the code, or the cell of a table, is left out."""
    return f"`{re.sub('[`|]', '', printable(text))}`"
