"""Which Destinations a group matches: Kratix's table, precedence and strictness, and Kubernetes' matchExpressions."""

from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops.api.work import DestinationSelector, LabelSelectorRequirement
from gitops.core.selectors import Matcher, Requirement, Selector, merge, misses


class Place(NamedTuple):
    name: str
    labels: dict[str, str]
    strict: bool = False


def labels(text):
    return dict(pair.split("=") for pair in text.split(",")) if text else {}


def selector(text="", *expressions):
    return Selector(frozenset(labels(text).items()), frozenset(expressions))


def wants(source, **match_labels):
    return DestinationSelector(match_labels=match_labels, source=source)


@pytest.mark.parametrize(
    ("destination", "asked", "lax", "strict"),
    [
        ("", "", True, True),
        ("env=dev", "", True, False),
        ("env=dev,zone=eu", "env=dev", True, True),
        ("env=dev", "env=dev,zone=eu", False, False),
        ("", "env=dev", False, False),
        ("env=prod", "env=dev", False, False),
    ],
)
def test_kratix_table_of_labels_selectors_and_strictness(destination, asked, lax, strict):
    matcher = Matcher([Place("lax", labels(destination)), Place("strict", labels(destination), strict=True)])

    assert matcher.match(selector(asked)) == {name for name, yes in (("lax", lax), ("strict", strict)) if yes}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (Requirement("zone", "In", frozenset(("eu", "us"))), {"eu", "us"}),
        (Requirement("zone", "NotIn", frozenset(("eu",))), {"us", "bare"}),
        (Requirement("zone", "Exists", frozenset()), {"eu", "us"}),
        (Requirement("zone", "DoesNotExist", frozenset()), {"bare"}),
        (Requirement("zone", "In", frozenset(("asia",))), set()),
    ],
)
def test_match_expressions_mean_what_they_mean_in_kubernetes(expression, expected):
    places = [Place("eu", {"zone": "eu"}), Place("us", {"zone": "us"}), Place("bare", {"env": "dev"})]

    assert Matcher(places).match(selector("", expression)) == expected


def test_an_expression_alone_is_a_selector_so_that_a_strict_destination_may_match():
    strict = [Place("strict", {"zone": "eu"}, strict=True)]

    assert Matcher(strict).match(selector("", Requirement("zone", "Exists", frozenset()))) == {"strict"}


def test_labels_and_expressions_must_all_match():
    places = [
        Place("a", {"env": "dev", "zone": "eu"}),
        Place("b", {"env": "dev", "zone": "us"}),
        Place("c", {"zone": "eu"}),
    ]

    assert Matcher(places).match(selector("env=dev", Requirement("zone", "NotIn", frozenset(("us",))))) == {"a"}


@pytest.mark.parametrize(
    ("sources", "winner"),
    [
        (("resource-workflow", "promise-workflow", "promise"), "promise"),
        (("promise", "promise-workflow", "resource-workflow"), "promise"),
        (("promise-workflow", "resource-workflow"), "promise-workflow"),
        (("resource-workflow", "promise-workflow"), "promise-workflow"),
        (("promise-workflow", "who-knows"), "promise-workflow"),
        (("who-knows", "resource-workflow"), "resource-workflow"),
        (("resource-workflow", "who-knows"), "who-knows"),
    ],
)
def test_on_one_key_the_higher_source_wins_and_of_equals_the_later(sources, winner):
    merged = merge([wants(source, env=source) for source in sources], {})

    assert merged == selector(f"env={winner}")


def test_all_keys_of_all_sources_must_match():
    merged = merge([wants("promise", env="dev"), wants("resource-workflow", zone="eu")], {})

    assert merged == selector("env=dev,zone=eu")


def test_expressions_of_all_sources_must_match():
    expressions = [
        DestinationSelector(match_expressions=(LabelSelectorRequirement(key=key, operator="Exists"),))
        for key in ("env", "zone")
    ]

    assert merge(expressions, {}).expressions == {Requirement(key, "Exists", frozenset()) for key in ("env", "zone")}


def test_a_dry_run_work_goes_to_dry_run_destinations_and_nowhere_else():
    places = [Place("real", {"env": "dev"}), Place("dry", {"kratix.io/dry-run": "true"})]
    dry = merge([wants("promise", env="dev")], {"kratix.io/dry-run": "true"})

    assert Matcher(places).match(dry) == {"dry"}


@pytest.mark.parametrize("asked", ["", "env=dev"])
def test_other_work_never_goes_to_a_dry_run_destination(asked):
    places = [Place("dry", {"kratix.io/dry-run": "true", "env": "dev"}), Place("real", {"env": "dev"})]

    assert Matcher(places).match(selector(asked)) == {"real"}


def test_a_dry_run_label_that_is_not_true_means_nothing():
    assert merge([wants("promise", env="dev")], {"kratix.io/dry-run": "yes"}) == selector("env=dev")


some_labels = st.dictionaries(st.sampled_from("abc"), st.sampled_from("xyz"), max_size=3)


@settings(deadline=None)
@given(
    st.lists(st.tuples(some_labels, st.booleans()), max_size=8),
    some_labels,
    st.lists(
        st.tuples(
            st.sampled_from("abc"),
            st.sampled_from(["In", "NotIn", "Exists", "DoesNotExist"]),
            st.frozensets(st.sampled_from("xyz"), min_size=1),
        ),
        max_size=2,
    ),
)
def test_the_index_answers_as_looking_at_each_destination_would(places, asked, expressions):
    found = [Place(str(number), own, strict) for number, (own, strict) in enumerate(places)]
    requirements = [
        Requirement(key, op, values if op.endswith("In") else frozenset()) for key, op, values in expressions
    ]

    def fits(place):
        if not asked and not requirements and place.strict and place.labels:
            return False
        holds = {
            "In": lambda r: place.labels.get(r.key) in r.values,
            "NotIn": lambda r: place.labels.get(r.key) not in r.values,
            "Exists": lambda r: r.key in place.labels,
            "DoesNotExist": lambda r: r.key not in place.labels,
        }
        return asked.items() <= place.labels.items() and all(holds[r.operator](r) for r in requirements)

    wanted = Selector(frozenset(asked.items()), frozenset(requirements))
    assert Matcher(found).match(wanted) == {place.name for place in found if fits(place)}
    assert {place.name for place in found if not misses(wanted, place)} == Matcher(found).match(wanted)


@pytest.mark.parametrize(
    ("destination", "strict", "wanted", "told"),
    [
        ("env=dev", False, selector("env=prod,zone=eu"), ["env=prod: it has env=dev", "zone=eu: it has no label zone"]),
        ("env=dev", False, selector("", Requirement("env", "In", frozenset("ba"))), ["env In (a,b): it has env=dev"]),
        ("", False, selector("", Requirement("env", "Exists", frozenset())), ["env Exists: it has no label env"]),
        (
            "env=dev",
            True,
            selector(),
            ["the group asks for nothing, and spec.strictMatchLabels with labels is only for those that ask"],
        ),
        (
            "env=dev,kratix.io/dry-run=true",
            False,
            selector("env=prod"),
            ["it is for dry runs alone: it has kratix.io/dry-run=true", "env=prod: it has env=dev"],
        ),
        ("env=dev", False, selector("env=dev"), []),
    ],
)
def test_what_rules_a_destination_out_is_told_in_a_fixed_order(destination, strict, wanted, told):
    assert misses(wanted, Place("there", labels(destination), strict)) == told
