"""The machine-readable last paragraph of a commit message, read as `git interpret-trailers --parse` reads it."""

from __future__ import annotations

import re

_TRAILER = re.compile(r"([A-Za-z0-9-]+)[ \t]*:(.*)", re.DOTALL)
_OF_GIT = ("Signed-off-by: ", "(cherry picked from commit ")
_SPACE = " \t\r"


def trailers(message: str) -> list[tuple[str, str]]:
    """Return the trailers of *message* in their order, as (key, value), each value in one line.

    As for Git, a last paragraph is one of trailers when all its lines are, or when a quarter are and one of them is of
    Git's own making; the first paragraph never is.
    """
    paragraph = _last_paragraph(message)
    found: list[list[str]] = []
    open_value = False
    for line in paragraph if _are_trailers(paragraph) else ():
        match = _TRAILER.match(line)
        if match:
            found.append([match[1], match[2]])
        elif open_value and line.startswith(tuple(_SPACE)):
            found[-1][1] += " " + line.lstrip(_SPACE)
            continue
        open_value = match is not None
    return [(key, value.strip(_SPACE)) for key, value in found]


def _last_paragraph(message: str) -> list[str]:
    lines = message.split("\n")
    while lines and (_is_blank(lines[-1]) or lines[-1].startswith("#")):
        lines.pop()
    blank = [number for number, line in enumerate(lines) if _is_blank(line)]
    return lines[blank[-1] + 1 :] if blank else []


def _are_trailers(paragraph: list[str]) -> bool:
    known = others = continued = 0
    of_git = False
    for line in reversed(paragraph):
        if line.startswith(_OF_GIT) or _TRAILER.match(line):
            of_git = of_git or line.startswith(_OF_GIT)
            known, continued = known + 1, 0
        elif line.startswith(tuple(_SPACE)):
            continued += 1  # of a trailer above, if one comes
        else:
            others, continued = others + continued + (not line.startswith("#")), 0
    others += continued
    return known > 0 and (others == 0 or (of_git and known * 3 >= others))


def _is_blank(line: str) -> bool:
    return not line.strip(_SPACE)
