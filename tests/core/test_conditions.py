"""A condition changes its time when its status changes, and otherwise not a byte."""

from gitops.api.status import Condition
from gitops.core.conditions import READY, SCHEDULED, WRITTEN, false, settle, true

EARLY, LATE = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"


def settled(before, wanted, now=LATE):
    return settle([before] if before else [], [wanted], now)[0]


def at(condition, when):
    return Condition(condition.type, condition.status, condition.reason, condition.message, when)


def test_a_new_condition_has_the_time_of_the_pass():
    assert settled(None, true("Ready", "Good", "Ready")) == Condition("Ready", "True", "Good", "Ready", LATE)


def test_a_condition_that_does_not_hold_is_false():
    assert settled(None, false("Ready", "Bad", "Failing")) == Condition("Ready", "False", "Bad", "Failing", LATE)


def test_the_types_of_conditions_are_those_of_kratix():
    assert (SCHEDULED, WRITTEN, READY) == ("ScheduleSucceeded", "WriteSucceeded", "Ready")


def test_an_unchanged_condition_is_the_same():
    assert settled(at(true("Ready", "Good", "Ready"), EARLY), true("Ready", "Good", "Ready")) == at(
        true("Ready", "Good", "Ready"), EARLY
    )


def test_another_reason_or_message_is_no_transition():
    before = at(false("Ready", "Misplaced", "Misplaced"), EARLY)

    assert settled(before, false("Ready", "WorkplacementsFailing", "Failing")).last_transition_time == EARLY


def test_another_status_is():
    assert settled(at(false("Ready", "Bad", ""), EARLY), true("Ready", "Good", "")).last_transition_time == LATE


def test_a_clock_that_went_back_moves_no_time_back():
    assert (
        settled(at(false("Ready", "Bad", ""), LATE), true("Ready", "Good", ""), now=EARLY).last_transition_time == LATE
    )


def test_conditions_are_told_apart_by_type_and_those_not_wanted_go():
    before = [at(true("ScheduleSucceeded", "A", ""), EARLY), at(true("WriteSucceeded", "B", ""), EARLY)]

    assert settle(before, [true("WriteSucceeded", "B", "")], LATE) == (at(true("WriteSucceeded", "B", ""), EARLY),)


def test_a_remembered_condition_without_a_time_gets_one():
    assert settled(true("Ready", "Good", ""), true("Ready", "Good", "")).last_transition_time == LATE
