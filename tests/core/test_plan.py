"""What a plan tells of itself: what it leaves for later, and what must be asked before it is carried out."""

import pytest

from gitops.api.status import Status
from gitops.core.definitions import NOTHING
from gitops.core.delivery import Delivery, DestinationDelivery, PlacementDelivery
from gitops.core.failures import Failure, Step
from gitops.core.keys import Key
from gitops.core.plan import Branch, Plan
from gitops.core.recorded import Recorded, RecordedPlacement
from gitops.core.recovery import Logged
from gitops.core.strays import Written
from gitops.core.world import ClusterObject

WORK, OTHER, DEV = Key("Work", "default", "redis"), Key("Work", "team", "other"), Key("Destination", "", "dev")
FILES = {"state/dev/x.yaml": b"\x01" * 20}
OLD = {"old": FILES}
THERE = Branch(b"\x02" * 20, None, None, Logged(), lost=False)
BROKEN = Failure(Step.WRITE, "no")


def plan(*made, branches=None, strays=None):
    placements = tuple(one for one in made if isinstance(one, PlacementDelivery))
    destinations = tuple(one for one in made if isinstance(one, DestinationDelivery))
    return Plan(None, {}, Delivery(placements, destinations, {}, strays or {}), branches or {})


def placement(branch="main", work=WORK, recorded=None, superseded=None):
    return PlacementDelivery(
        work, "redis.dev-5058f", None, RecordedPlacement(recorded), branch, "", {}, work, superseded=superseded or {}
    )


def destination(branch="main", recorded=None, superseded=None):
    return DestinationDelivery(
        ClusterObject(DEV, NOTHING, Recorded(recorded), None), None, branch, {}, superseded=superseded or {}
    )


def status(kind, branch="", superseded=None):
    files = {name: {path: oid.hex() for path, oid in found.items()} for name, found in (superseded or {}).items()}
    return Status(kind, "x", extra={"branch": branch, "superseded": files})


def test_what_has_left_documents_in_another_branch_is_unfinished():
    assert plan(placement(), destination()).unfinished == set()
    assert plan(placement(superseded=OLD), placement(work=OTHER), destination()).unfinished == {WORK}
    assert plan(placement(), destination(superseded=OLD)).unfinished == {DEV}
    assert plan(placement(superseded=OLD), destination(superseded=OLD)).unfinished == {WORK, DEV}


@pytest.mark.parametrize(
    ("branches", "keys"),
    [
        ((), set()),
        (("side",), {OTHER}),
        (("main",), {WORK, DEV}),
        (("old",), {WORK}),
        (("old", "side"), {WORK, OTHER}),
        (("elsewhere",), set()),
    ],
)
def test_who_is_on_a_branch_has_documents_there_or_had(branches, keys):
    left = placement(recorded=status("WorkPlacement", superseded=OLD))
    assert plan(left, placement("side", OTHER), destination()).on(branches) == keys


def test_the_branches_that_are_remembered_but_that_no_store_has_any_more_are_unseen():
    moved = placement(recorded=status("WorkPlacement", "gone", OLD))
    assert plan(moved, placement()).unfound == {"gone", "old"}
    assert plan(moved, branches={"old": THERE}).unfound == {"gone"}
    assert plan(destination(recorded=status("Destination", "gone"))).unfound == {"gone"}
    assert plan(placement(recorded=status("WorkPlacement", "main")), branches={"main": THERE}).unfound == set()


def test_the_log_is_asked_once_for_each_stray_of_a_branch_that_can_be_written():
    strays = {"main": frozenset({"a", "b"}), "side": frozenset({"c"}), "gone": frozenset({"d"})}
    known = {"main": THERE, "side": THERE._replace(failure=BROKEN)}

    assert plan(branches=known, strays=strays).strays == {"main": {"a", "b"}}
    known["main"] = THERE._replace(writers={"a": None})
    assert plan(branches=known, strays=strays).strays == {"main": {"b"}}
    known["main"] = THERE._replace(writers={"a": None, "b": None})
    assert plan(branches=known, strays=strays).strays == {}


def test_a_branch_with_a_stray_of_ours_is_unsure_until_it_is_withdrawn():
    ours = THERE._replace(writers={"a": Written((WORK,), frozenset()), "b": None})
    strays = {"main": frozenset({"a", "b"}), "side": frozenset({"b"})}
    assert plan(branches={"main": ours, "side": ours}, strays=strays).unsure == {"main"}


def test_the_failures_are_those_of_the_branches():
    assert plan(branches={"main": THERE, "side": THERE._replace(failure=BROKEN)}).failures == {"side": BROKEN}
