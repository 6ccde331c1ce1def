"""How data is written: one form for the same data, a line for each value, read alike by every YAML reader."""

from __future__ import annotations

from collections.abc import Mapping

from gitops.core.yaml.scalars import render, text

MAX_IMPLICIT_KEY = 1000  # readers look 1,024 characters ahead for the colon


def dump(data: object) -> bytes:
    """Return *data* as one document: block style, keys in the given order, list items not indented below their key.

    A lone surrogate becomes U+FFFD. TypeError for what JSON cannot say.
    """
    lines: list[str] = []
    if isinstance(data, Mapping) and data:
        _mapping(data, "", "", lines)
    elif isinstance(data, list | tuple) and data:
        _sequence(data, "", "", lines)
    else:
        lines.append(_leaf(data))
    lines.append("")
    return "\n".join(lines).encode()


def entries(data: Mapping[str, object], indent: str) -> str:
    """Return the entries of a mapping as they stand in a file after *indent*, each with the end of its line."""
    lines: list[str] = []
    _mapping(data, indent, indent, lines)
    lines.append("")
    return "\n".join(lines)


def _mapping(data: Mapping[str, object], lead: str, indent: str, lines: list[str]) -> None:
    """Write the entries; *lead* stands before the first and *indent* before the others."""
    for key, value in data.items():
        name = text(key)
        name = f"{name}:" if len(name) <= MAX_IMPLICIT_KEY else f"? {name}\n{indent}:"
        if isinstance(value, str):
            lines.append(f"{lead}{name} {text(value)}")
        elif isinstance(value, Mapping) and value:
            lines.append(lead + name)
            _mapping(value, indent + "  ", indent + "  ", lines)
        elif isinstance(value, list | tuple) and value:
            lines.append(lead + name)
            _sequence(value, indent, indent, lines)
        else:
            lines.append(f"{lead}{name} {_leaf(value)}")
        lead = indent


def _sequence(data: list[object] | tuple[object, ...], lead: str, indent: str, lines: list[str]) -> None:
    for value in data:
        if isinstance(value, Mapping) and value:
            _mapping(value, lead + "- ", indent + "  ", lines)
        elif isinstance(value, list | tuple) and value:
            _sequence(value, lead + "- ", indent + "  ", lines)
        else:
            lines.append(f"{lead}- {_leaf(value)}")
        lead = indent


def _leaf(value: object) -> str:
    if isinstance(value, Mapping):
        return "{}"
    return "[]" if isinstance(value, list | tuple) else render(value)
