"""Where workload groups go, and that they stay there."""

from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops.core.outline import Outline
from gitops.core.scheduling import Assignment, Schedule, rendezvous, schedule
from gitops.core.selectors import Matcher, Selector


class Place(NamedTuple):
    name: str
    labels: dict[str, str]
    strict: bool = False


class Group(NamedTuple):
    id: str
    selector: Selector


def group(own="g", **labels):
    return Group(own, Selector(frozenset(labels.items())))


def place(groups, destinations, *, single, existing=None, unready=()):
    matcher = Matcher(Place(name, labels) for name, labels in destinations.items())
    work = Outline("redis", "default", {}, "", "small" if single else "")
    return schedule(work, groups, existing or {}, matcher, unready)


DEV, PROD = {"env": "dev"}, {"env": "prod"}
THREE = {"a": DEV, "b": DEV, "c": PROD}


def test_a_dependency_goes_to_all_that_match():
    assert place([group(env="dev")], THREE, single=False) == Schedule((Assignment("g", "a"), Assignment("g", "b")), ())


def test_a_resource_request_goes_to_one_that_matches():
    found = place([group(env="dev")], THREE, single=True)

    assert len(found.assignments) == 1
    assert found.assignments[0].destination in ("a", "b")
    assert not found.assignments[0].misplaced


def test_a_resource_request_stays_where_it_is():
    for stays in ("a", "b"):
        assert place([group(env="dev")], THREE, single=True, existing={"g": [stays]}).assignments == (
            Assignment("g", stays),
        )


def test_a_resource_request_that_matches_no_more_is_misplaced_and_not_moved():
    assert place([group(env="dev")], THREE, single=True, existing={"g": ["c"]}).assignments == (
        Assignment("g", "c", misplaced=True),
    )


def test_a_dependency_keeps_what_fell_out_and_adds_what_came():
    found = place([group(env="dev")], THREE, single=False, existing={"g": ["b", "c"]})

    assert found.assignments == (Assignment("g", "a"), Assignment("g", "b"), Assignment("g", "c", misplaced=True))


def test_a_group_without_a_match_is_unscheduled_and_the_others_go_on():
    found = place([group("x", env="qa"), group("y", env="prod"), group("z", env="no")], THREE, single=True)

    assert found == Schedule((Assignment("y", "c"),), ("x", "z"))


def test_a_misplaced_group_is_not_unscheduled():
    assert place([group(env="qa")], THREE, single=False, existing={"g": ["c"]}).unscheduled == ()


def test_a_new_choice_passes_over_what_is_not_ready_while_another_is():
    for unready, ready in (("a", "b"), ("b", "a")):
        assert place([group(env="dev")], THREE, single=True, unready={unready}).assignments == (Assignment("g", ready),)


def test_when_no_match_is_ready_one_is_chosen_all_the_same():
    assert place([group(env="dev")], THREE, single=True, unready={"a", "b"}) == place(
        [group(env="dev")], THREE, single=True
    )


def test_readiness_moves_nothing_and_does_not_matter_to_dependencies():
    assert place([group(env="dev")], THREE, single=True, existing={"g": ["a"]}, unready={"a"}).assignments == (
        Assignment("g", "a"),
    )
    assert len(place([group(env="dev")], THREE, single=False, unready={"a"}).assignments) == 2


def test_an_empty_work_has_all_of_its_groups_scheduled():
    assert place([], THREE, single=True) == Schedule((), ())


@pytest.mark.parametrize(
    ("namespace", "work", "expected"),
    [
        ("default", "redis-small", "worker-3"),
        ("default", "redis-large", "worker-1"),
        ("team-a", "redis-small", "worker-1"),
    ],
)
def test_choices_are_pinned_so_that_a_new_version_moves_nobody(namespace, work, expected):
    group_id = "5058f1af8388633f609cadb75a75dc9d"

    assert rendezvous(namespace, work, group_id, [f"worker-{n}" for n in range(1, 4)]) == expected


def test_a_choice_is_that_of_the_namespace_the_work_and_the_group():
    destinations = {f"worker-{n}": DEV for n in range(100)}
    (assignment,) = place([group(env="dev")], destinations, single=True).assignments

    assert assignment.destination == rendezvous("default", "redis", "g", destinations)
    assert assignment.destination != rendezvous("redis", "default", "g", destinations)


names = st.frozensets(st.text("abcdefgh-", min_size=1, max_size=6), min_size=1, max_size=12)


@settings(deadline=None)
@given(names, st.text("xyz", min_size=1, max_size=3), st.text("abcdefgh-", min_size=1, max_size=6))
def test_one_more_destination_takes_over_or_changes_nothing(destinations, work, newcomer):
    before = rendezvous("default", work, "g", destinations)

    assert rendezvous("default", work, "g", destinations | {newcomer}) in (before, newcomer)


@settings(deadline=None)
@given(names, st.text("xyz", min_size=1, max_size=3))
def test_a_lost_destination_moves_only_what_was_on_it(destinations, work):
    before = rendezvous("default", work, "g", destinations)

    for lost in destinations - {before}:
        assert rendezvous("default", work, "g", destinations - {lost}) == before


def test_choices_spread_over_the_destinations():
    destinations = [f"worker-{n}" for n in range(10)]
    chosen = [rendezvous("default", f"work-{n}", "g", destinations) for n in range(1000)]

    assert all(60 < chosen.count(name) < 140 for name in destinations)
