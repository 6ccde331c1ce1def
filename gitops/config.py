"""Where templates come from: the package, or `templates/` of the repository that overrides them."""

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
from gitops.core.manifests import Problem
from gitops.core.tree import Objects, Oid, lookup

OVERVIEW = "status-README.md.j2"
TEMPLATE_NAMES = (OVERVIEW,)


def resource(name: str) -> Traversable:
    """Return a folder that ships with the package: inside it when installed, beside it in a checkout."""
    installed = files("gitops") / name
    return installed if installed.is_dir() else Path(__file__).parent.parent / name


@cache
def packaged(name: str) -> str:
    """Return the text of a packaged template."""
    return (resource(TEMPLATES) / name).read_text("utf-8")


class Templates:
    """The templates in effect for a source tree. *renderer* bounds what those of the repository may cost."""

    def __init__(self, objects: Objects, source: Oid | None, renderer: Render) -> None:
        self._objects, self._source, self._renderer = objects, source, renderer
        self.problems: list[Problem] = []

    def render(self, name: str, scope: Mapping[str, Any]) -> bytes:
        """Render a template; an override that fails is reported, and the packaged one takes its place."""
        path = f"{TEMPLATES}/{name}"
        entry = lookup(self._objects, self._source, path)
        if entry and not entry.is_tree:
            try:
                return self._renderer(self._objects.blob(entry.oid).decode(), scope)
            except (TemplateError, UnicodeDecodeError) as error:
                self.problems.append(Problem(path, 1, 1, str(error), None))
        return render.render(packaged(name), scope)
