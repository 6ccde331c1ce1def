from __future__ import annotations

from typing import Any

import pytest

from gitops.errors import GitOpsError
from gitops.views.waiting import read_for


def work(status: str = "True", generation: int = 1, **rest: Any) -> dict[str, Any]:
    condition = {"type": "Ready", "status": status, **rest.pop("condition", {})}
    return {"metadata": {"name": "x", "generation": generation}, "status": {"conditions": [condition], **rest}}


@pytest.mark.parametrize(
    "text", ["condition=Ready", "condition=ready=TRUE", "jsonpath={.status.conditions[0].type}=Ready"]
)
def test_a_condition_that_is_met(text: str) -> None:
    assert read_for(text).met(work())


@pytest.mark.parametrize(
    "text", ["condition=Ready=False", "condition=Other", "jsonpath={.x}", "jsonpath={.x}=y", "delete"]
)
def test_a_condition_that_is_not_met(text: str) -> None:
    assert not read_for(text).met(work())


def test_a_condition_of_an_older_generation_says_nothing() -> None:
    ready = read_for("condition=Ready").met
    assert not ready(work(generation=2, observedGeneration=1))
    assert not ready(work(generation=2, observedGeneration=2, condition={"observedGeneration": 1}))
    assert ready(work(generation=2, observedGeneration=2))


def test_creation_and_deletion_are_about_what_is_not_there() -> None:
    create, delete = read_for("create"), read_for("Delete")
    assert (create.may_be_absent, create.met(None), create.met(work())) == (True, False, True)
    assert (delete.may_be_absent, delete.met(None), delete.met(work())) == (True, True, False)
    assert not read_for("condition=Ready").may_be_absent
    assert not read_for("condition=Ready").met(None)


def test_a_value_is_compared_as_text_and_may_hold_equals_signs_in_the_path() -> None:
    assert read_for('jsonpath={.status.conditions[?(@.type=="Ready")].status}=True').met(work())
    assert read_for("jsonpath='{.metadata.generation}'=3".replace("'", "")).met(work(generation=3))


@pytest.mark.parametrize("text", ["", "Ready", "jsonpath=", "jsonpath={.x}=", "jsonpath={.x"])
def test_what_cannot_be_waited_for(text: str) -> None:
    with pytest.raises(GitOpsError):
        read_for(text)


@pytest.mark.parametrize(
    "text", ["jsonpath={.status}=x", "jsonpath={.status.conditions[0].*}=x", "jsonpath={.status[0]}=x"]
)
def test_what_makes_no_sense_for_the_object(text: str) -> None:
    with pytest.raises(GitOpsError):
        read_for(text).met(work())
