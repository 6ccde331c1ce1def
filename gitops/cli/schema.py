"""JSON Schema of the definitions, for editors."""

from __future__ import annotations

import argparse
import json
from typing import Any

from gitops.cli.parser import Parser
from gitops.core import schema
from gitops.core.manifests import KINDS
from gitops.errors import UsageError
from gitops.views.kinds import find_kind

SETTINGS = ("settings", "gitops.yaml")


def add_arguments(parser: Parser) -> None:
    """Add what the command takes."""
    names = ", ".join(name.lower() for name in KINDS)
    parser.add_argument("kind", metavar="KIND", nargs="?", help=f"{names} or settings (default: all definitions)")


def run(args: argparse.Namespace) -> int:
    """Print the schema of `args.kind`."""
    print(json.dumps(_schema(args.kind), indent=2, ensure_ascii=False))
    return 0


def _schema(word: str | None) -> dict[str, Any]:
    if word is None:
        return schema.of_definitions()
    if word.lower() in SETTINGS:
        return schema.of_settings()
    kind = find_kind(word)
    if kind is None or kind.kind not in KINDS:
        raise UsageError(f'"{word}" is not written by people: try {", ".join(KINDS)} or settings')
    return schema.of_kind(kind.kind)
