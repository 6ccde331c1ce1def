from __future__ import annotations

from typing import Any

import pytest

from gitops.views.jsonpath import JSONPathError
from gitops.views.sorting import sort_by


def names(field: str, *values: Any) -> list[Any]:
    objects = [{"name": index, **({} if value is None else {"v": value})} for index, value in enumerate(values)]
    return [obj.get("v") for obj in sort_by(field, objects)]


def test_numbers_are_sorted_by_value_also_inside_of_texts() -> None:
    assert names(".v", 10, 9, 1) == [1, 9, 10]
    assert names("{.v}", "w10", "w9", "v11") == ["v11", "w9", "w10"]


def test_what_lacks_the_field_comes_first_and_equals_keep_their_order() -> None:
    assert names("v", "b", None, "a") == [None, "a", "b"]
    assert [obj["name"] for obj in sort_by("v", [{"name": n, "v": 1} for n in "cab"])] == ["c", "a", "b"]


def test_a_field_that_no_object_has_or_that_has_no_order_is_an_error() -> None:
    with pytest.raises(JSONPathError, match=r'couldn\'t find any field with path "{\.x}"'):
        names(".x", 1)
    with pytest.raises(JSONPathError, match="unsortable"):
        names(".v", {}, {})


def test_nothing_can_be_sorted() -> None:
    assert sort_by(".v", []) == []
