"""Which lines a test runs: told by a mark before each statement."""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Iterable
from pathlib import Path

from torture.mutants.graft import graft

_MARK = "__reached__"


class Marks:
    """Marks in modules, which tell the lines that ran."""

    def __init__(self, modules: Iterable[str]) -> None:
        self._seen: set[tuple[str, int]] = set()
        setattr(builtins, _MARK, self._seen.add)
        for name in modules:
            module = sys.modules[name]
            tree = _Marking(name).visit(ast.parse(Path(module.__file__ or "").read_text()))
            graft(module, ast.fix_missing_locations(tree))

    def take(self) -> dict[str, frozenset[int]]:
        """Return the lines that ran since the last time, by module."""
        seen = {module: frozenset(line for of, line in self._seen if of == module) for module, _ in self._seen}
        self._seen.clear()
        return seen


class _Marking(ast.NodeTransformer):
    """Puts a mark before each statement of each function."""

    def __init__(self, module: str) -> None:
        self._module, self._inside = module, False

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        outer, self._inside = self._inside, True
        self.generic_visit(node)
        self._inside = outer
        return node

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        for name in ("body", "orelse", "finalbody") if self._inside else ():
            statements = getattr(node, name, None)
            if isinstance(statements, list):
                setattr(node, name, [each for found in statements for each in (self._mark(found.lineno), found)])
        return node

    def _mark(self, line: int) -> ast.stmt:
        place = ast.Tuple([ast.Constant(self._module), ast.Constant(line)], ast.Load())
        call = ast.Call(ast.Name(_MARK, ast.Load()), [place], [])
        return ast.copy_location(ast.Expr(call), ast.Pass(lineno=line, col_offset=0))
