"""Events as kubectl shows them: what comes back is counted, and the newest are kept."""

from hypothesis import given, settings
from hypothesis import strategies as st

from gitops.api.status import Event
from gitops.core.events import DESTINATION, KEPT, NORMAL, SCHEDULER, WARNING, WORK, WORKPLACEMENT, Transition, fold

EARLY, LATE = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"


def transition(reason="Reason", message="message"):
    return Transition(WARNING, reason, SCHEDULER, message)


def test_an_event_has_what_kubectl_shows():
    assert fold([], [transition()], EARLY) == (Event("Warning", "Reason", "Scheduler", "message", 1, EARLY, EARLY),)


def test_the_words_of_events_are_those_of_kubernetes_and_kratix():
    assert (NORMAL, WARNING) == ("Normal", "Warning")
    assert SCHEDULER == "Scheduler"
    assert (WORK, WORKPLACEMENT, DESTINATION) == (
        "WorkController",
        "WorkPlacementController",
        "DestinationController",
    )


def test_one_that_comes_back_raises_its_count_and_becomes_the_newest():
    first, other = fold([], [transition("A"), transition("B")], EARLY)

    assert fold([first, other], [transition("A")], LATE) == (
        other,
        Event("Warning", "A", "Scheduler", "message", 2, EARLY, LATE),
    )


def test_events_differ_by_type_reason_source_and_message():
    happened = [
        transition(),
        transition(message="other"),
        transition("Other"),
        transition()._replace(type=NORMAL),
        transition()._replace(source="X"),
    ]

    assert [event.count for event in fold([], happened, EARLY)] == [1] * 5


def test_an_object_keeps_its_newest():
    events = fold([], [transition(str(number)) for number in range(KEPT + 5)], EARLY)

    assert [event.reason for event in events] == [str(number) for number in range(5, KEPT + 5)]
    assert KEPT == 25


def test_nothing_happened_nothing_changes():
    events = fold([], [transition()], EARLY)

    assert fold(events, [], LATE) == events


def test_a_clock_that_went_back_moves_no_time_back():
    assert fold(fold([], [transition()], LATE), [transition()], EARLY)[0].last_timestamp == LATE


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from("abc"), max_size=4), max_size=6))
def test_nothing_that_happened_is_lost_while_there_is_room(passes):
    events = ()
    for reasons in passes:
        events = fold(events, [transition(reason) for reason in reasons], EARLY)

    happened = [reason for reasons in passes for reason in reasons]
    assert {event.reason: event.count for event in events} == {reason: happened.count(reason) for reason in happened}
