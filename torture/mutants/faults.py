"""Which small faults a module can have: each a change of one node of its syntax tree."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from typing import Any

from torture.mutants.operators import variants

_SHOWN = 40  # characters on each side of a change: enough to know it by, however long the statement
_FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Fault:
    """One change of a module. `change` says it as `git diff --word-diff` would; with `where` it is the fault's name.

    `line` is where the changed statement begins, None when it is run by the import and not by the tests.
    """

    module: str
    where: str
    line: int | None
    number: int
    change: str
    _tree: ast.Module
    _place: _Place
    _node: ast.AST

    @property
    def function(self) -> str:
        return f"{self.module}.{self.where}".removesuffix(".")

    def tree(self) -> ast.Module:
        """Make the change, in the one tree that all faults of the module share, and return that."""
        self._place.put(self._node)
        return self._tree


@dataclass(frozen=True)
class _Place:
    """Where a node stands in its parent, and in which statement of which function."""

    parent: ast.AST
    field: str
    index: int | None
    node: ast.AST
    statement: ast.stmt
    where: tuple[str, ...] = ()
    inside: bool = False  # a function

    def put(self, node: ast.AST) -> None:
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


def faults(module: str, source: str) -> list[Fault]:
    """List the faults that *source* can have."""
    tree, found, shown = ast.parse(source), [], cache(_shown)
    for place in list(_below(tree, ast.Pass(), (), False)):
        before = shown(place.statement)
        for node in variants(place.node, place.parent, place.field):
            place.put(ast.fix_missing_locations(ast.copy_location(node, place.node)))
            after = _shown(node if isinstance(node, ast.stmt) else place.statement)
            place.put(place.node)
            if after != before:
                line = _first_run(place) if place.inside else None
                where, number = ".".join(place.where), place.statement.lineno
                found.append(Fault(module, where, line, number, _word_diff(before, after), tree, place, node))
    return found


def _first_run(place: _Place) -> int:
    statement = place.statement
    return statement.body[0].lineno if isinstance(statement, _FUNCTION) else statement.lineno


def _below(node: ast.AST, statement: ast.stmt, where: tuple[str, ...], inside: bool) -> Iterator[_Place]:
    """List the places below *node*, but for what only readers and type checkers see."""
    for field, index, child in _children(node):
        if _is_for_readers(node, field, child):
            continue
        of = child if isinstance(child, ast.stmt) else statement
        yield _Place(node, field, index, child, of, where, inside)
        named = (*where, child.name) if isinstance(child, _FUNCTION | ast.ClassDef) else where
        yield from _below(child, of, named, inside or isinstance(child, _FUNCTION))


def _children(node: ast.AST) -> Iterator[tuple[str, int | None, ast.AST]]:
    for field, value in ast.iter_fields(node):
        if isinstance(value, ast.AST):
            yield field, None, value
        elif isinstance(value, list):
            yield from ((field, index, child) for index, child in enumerate(value) if isinstance(child, ast.AST))


def _is_for_readers(parent: ast.AST, field: str, child: Any) -> bool:
    match child:
        case ast.Expr(value=ast.Constant()) | ast.Assert() | ast.Import() | ast.ImportFrom():
            return True
        case ast.Assign(targets=[ast.Name(id=name)], value=value):  # the alias of a type, or what the linter asks for
            return name.startswith("__") or isinstance(value, ast.Subscript)
    return field in ("annotation", "returns", "decorator_list", "bases", "ctx", "format_spec", "targets", "target")


def _shown(statement: ast.stmt) -> str:
    """Return a statement on one line, without those in it."""
    fields = {name: getattr(statement, name) for name in statement._fields if hasattr(statement, name)}
    for name in ("body", "orelse", "finalbody", "handlers"):
        if isinstance(fields.get(name), list):
            fields[name] = [ast.Pass()] if name == "body" else []
    fields |= {"returns": None, "decorator_list": []} if isinstance(statement, _FUNCTION | ast.ClassDef) else {}
    alone = type(statement)(**fields, lineno=1)
    return ast.unparse(alone).partition("\n")[0] if not isinstance(statement, ast.Try) else "try:"


def _word_diff(before: str, after: str) -> str:
    old, new = (re.findall(r"\w+|.", text) for text in (before, after))
    head = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False))))
    rest = zip(reversed(old[head:]), reversed(new[head:]), strict=False)
    tail = len(list(takewhile(lambda pair: pair[0] == pair[1], rest)))
    gone, come = ("".join(words[head : len(words) - tail]) for words in (old, new))
    left, right = "".join(old[:head]), "".join(old[len(old) - tail :]) if tail else ""
    left = left if len(left) <= _SHOWN else f"…{left[-_SHOWN:]}"
    right = right if len(right) <= _SHOWN else f"{right[:_SHOWN]}…"
    return left + (f"[-{gone}-]" if gone else "") + (f"{{+{come}+}}" if come else "") + right
