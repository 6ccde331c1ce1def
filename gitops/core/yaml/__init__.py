"""YAML as it is read and written here: JSON's data model, within limits, every value with its place."""

from __future__ import annotations

from gitops.core.yaml.builder import Document, Fault, read
from gitops.core.yaml.emitter import dump, entries
from gitops.core.yaml.places import Place, Wanted, locate
from gitops.core.yaml.scalars import text
from gitops.core.yaml.stream import YamlError

__all__ = [
    "Document",
    "Fault",
    "Place",
    "Wanted",
    "YamlError",
    "dump",
    "entries",
    "locate",
    "read",
    "text",
]
