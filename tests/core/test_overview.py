"""The overview on a forge's web page: first what needs attention, bounded, and nothing of it is markup."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from gitops.api.status import Condition, Status
from gitops.core import overview
from gitops.core.keys import Key
from gitops.core.overview import MAX_ROWS, ORDER, Verdict, Verdicts, verdict


def work(reason, message, scheduled="True", told="All workplacements scheduled successfully"):
    ready = "True" if reason == "AllWorkplacementsScheduled" else "False"
    return Status(
        "Work",
        "w",
        "default",
        conditions=(Condition("ScheduleSucceeded", scheduled, "R", told), Condition("Ready", ready, reason, message)),
    )


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (work("AllWorkplacementsScheduled", "Ready"), "Ready"),
        (work("UnscheduledWorkloadGroups", "Pending", "False", "No match"), "Pending"),
        (work("Misplaced", "Misplaced", "False", "Mismatch"), "Misplaced"),
        (work("WorkplacementsFailing", "Workplacements failed to write: [x]"), "Failing"),
        (work("InvalidDefinition", "works/x.yaml:1: bad"), "Invalid"),
        (Status("Work", "w"), "Pending"),
    ],
)
def test_a_work_stands_as_its_ready_condition_says(status, expected):
    assert verdict(status).category == expected


def test_the_message_is_the_one_that_tells_why():
    assert (
        verdict(work("UnscheduledWorkloadGroups", "Pending", "False", "No match for [x]")).message == "No match for [x]"
    )
    assert verdict(work("InvalidDefinition", "works/x.yaml:1: bad")).message == "works/x.yaml:1: bad"


def standing(*categories):
    return Verdicts().after({Key("Work", "a", str(n)): Verdict(c, "") for n, c in enumerate(categories)})


def test_the_tally_counts_what_there_is_worst_last():
    assert standing("Failing", "Ready", "Pending", "Ready").tally == "4 Works, 2 Ready, 1 Pending, 1 Failing"
    assert standing("Failing").tally == "1 Work, 1 Failing"
    assert Verdicts().tally == "0 Works"


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from([*ORDER, None]))))
def test_verdicts_are_counted_along_as_if_all_were_counted_at_once(changes):
    verdicts, known = Verdicts(), {}
    for number, category in changes:
        key = Key("Work", "a", str(number))
        known[key] = Verdict(category, "") if category else None
        verdicts = verdicts.after({key: known[key]})

    assert verdicts == Verdicts().after(known)
    assert verdicts.unready == {key: found for key, found in known.items() if found and found.category != "Ready"}
    assert list(verdicts.counts) == [category for category in ORDER if category in verdicts.counts]
    assert sum(verdicts.counts.values()) == len(verdicts.each)


def scope(verdicts, objects=None, problems=()):
    return overview.scope(Verdicts().after(verdicts), objects or {}, {}, problems)


def test_only_what_is_not_ready_needs_attention():
    found = scope({Key("Work", "a", "x"): Verdict("Ready", "Ready"), Key("Work", "a", "y"): Verdict("Pending", "why")})

    assert found["attention"] == [{"kind": "Work", "name": "a/y", "state": "Pending", "message": "why"}]
    assert (found["total"], found["counts"]) == (2, {"Ready": 1, "Pending": 1})


def test_a_destination_that_is_not_ready_needs_attention_too():
    bad = Status(
        "Destination",
        "dev",
        conditions=(Condition("Ready", "False", "StateStoreNotFound", "GitStateStore/x: not found"),),
    )
    found = scope({}, {Key("Destination", "", "dev"): bad})

    assert found["attention"][0] == {
        "kind": "Destination",
        "name": "dev",
        "state": "NotReady",
        "message": "GitStateStore/x: not found",
    }
    assert found["destinations"][0]["ready"] == "NotReady"


def test_it_is_bounded_and_says_how_much_is_left_out():
    found = scope(
        {Key("Work", "a", str(n)): Verdict("Pending", "why") for n in range(MAX_ROWS + 7)},
        problems=["p"] * (MAX_ROWS + 3),
    )

    assert (len(found["attention"]), found["attention_more"]) == (MAX_ROWS, 7)
    assert len(found["problems"]) == MAX_ROWS


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("a | b", r"a \| b"),
        ("<script>alert(1)</script>", r"\<script\>alert\(1\)\</script\>"),
        ("[x](javascript:y)", r"\[x\]\(javascript:y\)"),
        ("a\nb", r"a\\nb"),
        ("a & b", "a &amp; b"),
        ("**bold** `code`", r"\*\*bold\*\* \`code\`"),
        ("\u202e", r"\\u202e"),
    ],
)
def test_messages_are_text_and_never_markup(text, cell):
    assert scope({Key("Work", "a", "x"): Verdict("Invalid", text)})["attention"][0]["message"] == cell
