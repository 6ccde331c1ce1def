"""What ships with the package: the example repository, and templates, which `templates/` of a repository overrides."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from gitops.core import render
from gitops.core.catalog import TEMPLATES
from gitops.core.documents import Render, TemplateError
from gitops.core.problems import Problem
from gitops.core.recording import RenderOverview
from gitops.core.tree import Objects, Oid, lookup

OVERVIEW = "status-README.md.j2"


def resource(name: str) -> Traversable:
    """Return a folder that ships with the package: inside it when installed, beside it in a checkout."""
    installed = files("gitops") / name
    return installed if installed.is_dir() else Path(__file__).parent.parent / name


@cache
def packaged(name: str) -> str:
    """Return the text of a packaged template."""
    return (resource(TEMPLATES) / name).read_text("utf-8")


def render_overview(objects: Objects, source: Oid | None, renderer: Render) -> RenderOverview:
    """Return what renders status/README.md; an override that fails is reported, and the packaged one takes its place.

    *renderer* bounds what an override may cost.
    """
    path = f"{TEMPLATES}/{OVERVIEW}"
    entry = lookup(objects, source, path)

    def rendered(scope: Mapping[str, Any]) -> tuple[bytes, tuple[Problem, ...]]:
        problems: tuple[Problem, ...] = ()
        if entry and not entry.is_tree:
            try:
                return renderer(objects.blob(entry.oid).decode(), scope), ()
            except (TemplateError, UnicodeDecodeError) as error:
                problems = (Problem(path, 1, 1, str(error), None),)
        return render.render(packaged(OVERVIEW), scope), problems

    return rendered
