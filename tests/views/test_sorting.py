from __future__ import annotations

from typing import Any

import pytest

from gitops.views.jsonpath import JSONPathError
from gitops.views.sorting import order


def names(field: str, *values: Any) -> list[Any]:
    objects = [{"name": index, **({} if value is None else {"v": value})} for index, value in enumerate(values)]
    return [objects[place].get("v") for place in order(field, objects)]


def test_numbers_are_sorted_by_value_also_inside_of_texts() -> None:
    assert names(".v", 10, 9, 1) == [1, 9, 10]
    assert names("{.v}", "w10", "w9", "v11") == ["v11", "w9", "w10"]


def test_what_lacks_the_field_comes_first_and_equals_keep_their_order() -> None:
    assert names("v", "b", None, "a") == [None, "a", "b"]
    assert order("v", [{"v": 1}, {"v": 1}, {}, {"v": 1}, {}]) == [2, 4, 0, 1, 3]


def test_a_field_that_no_object_has_or_that_has_no_order_is_an_error() -> None:
    with pytest.raises(JSONPathError, match=r'couldn\'t find any field with path "{\.x}"'):
        names(".x", 1)
    with pytest.raises(JSONPathError, match=r"Field {\.v} is an unsortable type: \[\]interface {}$"):
        names(".v", [], None, [1])
    with pytest.raises(JSONPathError, match=r"is an unsortable type: int64 and string$"):
        names(".v", "a", 1)


def test_nothing_can_be_sorted() -> None:
    assert order(".v", []) == []
