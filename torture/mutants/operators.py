"""What can be wrong with one node: the small slips that people make, and that a test should notice."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from typing import Any

_OPPOSITES: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Continue: ast.Break,
    ast.Break: ast.Continue,
}
_TWINS = (
    ("any", "all"),
    ("min", "max"),
    ("startswith", "endswith"),
    ("removeprefix", "removesuffix"),
    ("partition", "rpartition"),
    ("lstrip", "rstrip"),
    ("union", "intersection"),
    ("sorted", "list"),
    ("lower", "upper"),
    ("add", "discard"),
)
_INSTEAD = {one: other for pair in _TWINS for one, other in (pair, pair[::-1])}
_TEXT = (ast.JoinedStr, ast.Tuple, ast.List)
_OPTIONAL = ("default", "key", "reverse", "strict", "maxsplit")


def variants(node: ast.AST, parent: ast.AST, field: str) -> Iterator[ast.AST]:
    """Yield what could stand wrongly in the place of *node*."""
    if isinstance(node, ast.stmt):
        yield from _statements(node)
    elif isinstance(node, ast.expr):
        yield from _expressions(node, parent, field)
        if field == "test" or (field == "ifs"):
            yield from _conditions(node)


def _with(node: ast.AST, **fields: Any) -> Any:
    found = copy.copy(node)
    for name, value in fields.items():
        setattr(found, name, value)
    return found


def _less(nodes: list[Any]) -> Iterator[list[Any]]:
    """Leave out one after the other."""
    yield from (nodes[:at] + nodes[at + 1 :] for at in range(len(nodes)))


def _statements(node: ast.stmt) -> Iterator[ast.AST]:
    match node:
        case ast.Expr() | ast.AugAssign() | ast.Raise() | ast.Delete():
            yield ast.Pass()
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield ast.Pass()
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if _mentions(value, name):
            yield ast.Pass()
        case ast.Continue() | ast.Break():
            yield ast.Pass()
            yield _OPPOSITES[type(node)]()
        case ast.Return(value=None):
            yield ast.Pass()
        case ast.Return(value=value) if not isinstance(value, ast.Constant):
            yield _with(node, value=ast.Constant(None))
    if isinstance(node, ast.AugAssign) and type(node.op) in _OPPOSITES:
        yield _with(node, op=_OPPOSITES[type(node.op)]())


def _mentions(node: ast.AST, name: str) -> bool:
    return any(isinstance(each, ast.Name) and each.id == name for each in ast.walk(node))


def _conditions(node: ast.expr) -> Iterator[ast.AST]:
    if not isinstance(node, ast.Compare | ast.UnaryOp):  # of which the opposite is made anyway
        yield ast.UnaryOp(ast.Not(), node)


def _expressions(node: ast.expr, parent: ast.AST, field: str) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(ops=[op]):
            yield _with(node, ops=[_OPPOSITES[type(op)]()])
        case ast.BoolOp(op=op, values=values):
            yield _with(node, op=_OPPOSITES[type(op)]())
            yield from (_with(node, values=fewer) if len(fewer) > 1 else fewer[0] for fewer in _less(values))
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield operand
        case ast.BinOp():
            yield from _sums(node)
        case ast.Constant():
            yield from _constants(node, parent)
        case ast.Call():
            yield from _calls(node)
        case ast.Dict(keys=keys, values=values):
            yield from (_with(node, keys=k, values=v) for k, v in zip(_less(keys), _less(values), strict=True))
        case ast.Set(elts=elements) if len(elements) > 1:
            yield from (_with(node, elts=fewer) for fewer in _less(elements))
        case ast.Tuple(elts=elements) | ast.List(elts=elements) if _is_choice(elements, parent):
            yield from (_with(node, elts=fewer) for fewer in _less(elements))
        case ast.Subscript(slice=ast.Slice(lower=lower, upper=upper)):
            yield from (_with(node, slice=ast.Slice(None, upper)) for _ in [lower] if lower)
            yield from (_with(node, slice=ast.Slice(lower, None)) for _ in [upper] if upper)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            yield _with(node, test=test, body=orelse, orelse=body) if isinstance(test, ast.Compare) else body


def _is_choice(elements: list[ast.expr], parent: ast.AST) -> bool:
    """Whether a tuple is no row of different things, but a number of alike."""
    if isinstance(parent, ast.Assign) and isinstance(parent.targets[0], ast.Tuple):
        return False
    constant = all(isinstance(each, ast.Constant | ast.Starred) for each in elements) and len(elements) > 1
    return constant and isinstance(parent, ast.Compare | ast.Assign | ast.For | ast.comprehension | ast.Call)


def _sums(node: ast.BinOp) -> Iterator[ast.AST]:
    if isinstance(node.op, ast.BitOr | ast.BitAnd) or any(_is_text(side) for side in (node.left, node.right)):
        yield from (node.left, node.right)
    elif type(node.op) in _OPPOSITES:
        yield _with(node, op=_OPPOSITES[type(node.op)]())


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, _TEXT) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))


def _constants(node: ast.Constant, parent: ast.AST) -> Iterator[ast.AST]:
    match node.value:
        case bool() as value:
            yield ast.Constant(not value)
        case int() | float() as value:
            yield ast.Constant(value + 1)
        case str() as value if not isinstance(parent, ast.JoinedStr) or value.strip():
            yield ast.Constant(f"~{value}")
        case bytes() as value:
            yield ast.Constant(b"~" + value)


def _calls(node: ast.Call) -> Iterator[ast.AST]:
    function, arguments = node.func, node.args
    if isinstance(function, ast.Name) and function.id in _INSTEAD:
        yield _with(node, func=_with(function, id=_INSTEAD[function.id]), keywords=_kept(node, function.id))
    if isinstance(function, ast.Attribute) and function.attr in _INSTEAD:
        yield _with(node, func=_with(function, attr=_INSTEAD[function.attr]))
    if _is_ordered(node):
        yield _with(node, args=[arguments[1], arguments[0], *arguments[2:]])
    yield from (_with(node, keywords=k) for k in _less(node.keywords) if _dropped(node, k) in _OPTIONAL)


def _kept(node: ast.Call, name: str) -> list[ast.keyword]:
    return [] if name == "sorted" else node.keywords


def _dropped(node: ast.Call, keywords: list[ast.keyword]) -> str | None:
    return next(each.arg for each in node.keywords if each not in keywords)


def _is_ordered(node: ast.Call) -> bool:
    """Whether there are two arguments, and their order tells which is which."""
    first = node.args[:2]
    evenly = isinstance(node.func, ast.Name) and node.func.id in ("min", "max")
    return len(first) == 2 and not evenly and not any(isinstance(each, ast.Starred) for each in first)
