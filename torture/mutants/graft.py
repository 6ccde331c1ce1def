"""Putting changed source into a module that others have imported already: everybody's functions stay the same objects.

So a process need import the program and the tests only once, and each fault costs a fork.
"""

from __future__ import annotations

import ast
import re
import sys
import types
from collections.abc import Iterator
from functools import cached_property

_PLAIN = (bool, int, float, str, bytes, tuple, list, dict, set, frozenset, re.Pattern, types.NoneType)


def graft(module: types.ModuleType, tree: ast.Module) -> None:
    """Make *module*, and all who have imported something of it, behave as *tree* says."""
    fresh = types.ModuleType(module.__name__)
    fresh.__file__ = module.__file__
    exec(compile(tree, module.__file__ or "", "exec"), fresh.__dict__)
    for name, new in vars(fresh).items():
        old = vars(module).get(name)
        if isinstance(new, _PLAIN) and type(old) is type(new) and new != old and not name.startswith("__"):
            _replace(name, old, new)
        elif getattr(new, "__module__", None) == module.__name__:
            for ours, theirs in _functions(old, new):
                _transplant(ours, theirs)


def _replace(name: str, old: object, new: object) -> None:
    for each in list(sys.modules.values()):
        if getattr(each, "__dict__", {}).get(name) is old:
            setattr(each, name, new)


def _functions(old: object, new: object) -> Iterator[tuple[types.FunctionType, types.FunctionType]]:
    """Pair the functions that two things are made of."""
    if isinstance(old, type) and isinstance(new, type):
        for name, member in vars(new).items():
            yield from _functions(vars(old).get(name), member)
    elif isinstance(new, property) and isinstance(old, property):
        yield from _functions(old.fget, new.fget)
    elif isinstance(new, cached_property) and isinstance(old, cached_property):
        yield from _functions(old.func, new.func)
    elif isinstance(new, types.FunctionType) and isinstance(old, types.FunctionType) and _is_own(old, new):
        yield old, new
    elif hasattr(new, "__wrapped__") and hasattr(old, "__wrapped__"):  # a class method, a context manager, a cache
        yield from _functions(old.__wrapped__, new.__wrapped__)


def _is_own(old: types.FunctionType, new: types.FunctionType) -> bool:
    """Whether it is no wrapper of a decorator, whose code is the same for all that it wraps."""
    return not hasattr(new, "__wrapped__") and len(old.__code__.co_freevars) == len(new.__code__.co_freevars)


def _transplant(old: types.FunctionType, new: types.FunctionType) -> None:
    old.__code__ = new.__code__
    old.__defaults__, old.__kwdefaults__ = new.__defaults__, new.__kwdefaults__
