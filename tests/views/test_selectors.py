from __future__ import annotations

import pytest

from gitops.views.selectors import SelectorError, by_fields, by_labels


def obj(**labels: str) -> dict[str, object]:
    return {"metadata": {"name": "x", "namespace": "n", "labels": labels}}


@pytest.mark.parametrize(
    "selector",
    [
        "",
        "a=1",
        "a==1",
        "a=1,b=2",
        "a!=2",
        "c!=1",
        "a in (1,2)",
        "a notin (2, 3)",
        "c notin (1)",
        "a",
        "!c",
        "a>0",
        "b<3",
    ],
)
def test_a_selector_that_matches(selector: str) -> None:
    assert by_labels(selector)(obj(a="1", b="2"))


@pytest.mark.parametrize(
    "selector",
    ["a=2", "a=1,b=3", "a!=1", "a in (2)", "a notin (1,2)", "c", "!a", "c=1", "c in (1)", "a>1", "b<2", "c>0"],
)
def test_a_selector_that_does_not_match(selector: str) -> None:
    assert not by_labels(selector)(obj(a="1", b="2"))


def test_a_prefixed_key_and_an_empty_value() -> None:
    assert by_labels("kratix.io/work=redis,empty=")({"metadata": {"labels": {"kratix.io/work": "redis", "empty": ""}}})


@pytest.mark.parametrize(
    ("selector", "message"),
    [
        ("a=b=c", "found '=', expected: ',' or 'end of string'"),
        ("a in b", "found 'b', expected: '('"),
        ("a in (b", "found '', expected: ',' or ')'"),
        ("=b", "found '=', expected: identifier"),
        ("a b", "found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("a,", "found '', expected: identifier after ','"),
        ("a=b!", "found '!', expected: ',' or 'end of string'"),
        ("a>x", "the value must be an integer"),
        ("-a=1", 'Invalid value: "-a"'),
        ("a=-1", 'Invalid value: "-1"'),
    ],
)
def test_a_selector_that_cannot_be_read(selector: str, message: str) -> None:
    with pytest.raises(SelectorError, match="unable to parse requirement") as refusal:
        by_labels(selector)
    assert message in str(refusal.value)


def test_fields_that_can_be_asked_for() -> None:
    assert by_fields("metadata.name=x,metadata.namespace!=m")(obj())
    assert not by_fields("metadata.name!=x")(obj())
    with pytest.raises(SelectorError, match=r"field label not supported: spec\.x"):
        by_fields("spec.x=1")
    with pytest.raises(SelectorError, match="invalid selector"):
        by_fields("metadata.name")
