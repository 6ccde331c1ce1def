"""What a function of a string has returned, kept within bounds; lru_cache is slower, most of all for what is new."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

MAX_ENTRIES = 8192
MAX_LENGTH = 64  # what is longer seldom comes twice

T = TypeVar("T")


class Memo(dict[str, T], Generic[T]):
    """The values of *function*, of which `memo[argument]` is one. All are forgotten when there are too many."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[[str], T]) -> None:
        super().__init__()
        self._function = function

    def __missing__(self, argument: str) -> T:
        value = self._function(argument)
        if len(argument) <= MAX_LENGTH:
            if len(self) >= MAX_ENTRIES:
                self.clear()
            self[argument] = value
        return value
