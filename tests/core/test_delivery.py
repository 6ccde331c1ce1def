"""What a pass writes for a placement and for a Destination, and whose commit it is."""

from dataclasses import replace

import pytest

from gitops.api.status import Status
from gitops.core.delivery import Drift, PlacementDelivery, Unit, left_by_move, tally
from gitops.core.documents import Documents
from gitops.core.keys import Key
from gitops.core.recorded import RecordedPlacement
from gitops.core.targets import Location, Target
from gitops.core.tree import FILE, Change, Entry
from gitops.core.world import Offer, Placement

WORK, OTHER, DEV = Key("Work", "default", "r"), Key("Work", "team", "a"), Key("Destination", "", "dev")
ONE, TWO = b"\x01" * 20, b"\x02" * 20
PLACED = {"state/dev/r/5058f/x.yaml": ONE}
TARGET = Target("dev", {}, False, "side", Location("out", "state"), "state/dev", "none", "", "none", False, "none")
DOCUMENTS = Documents((), b"")


def recorded(inventory=None, **extra):
    files = {path: oid.hex() for path, oid in (inventory or {}).items()}
    spec = {"targetDestinationName": "dev"}
    return RecordedPlacement(Status("WorkPlacement", "r.dev-5058f", spec=spec, extra={"inventory": files, **extra}))


def delivery(inventory=None, before=None, place="state/dev/r/5058f", documents=DOCUMENTS, root="r/5058f", **fields):
    placement = Placement("r.dev-5058f", "5058f", "dev", False, Offer(root, documents))
    made = PlacementDelivery(WORK, placement.name, placement, before or recorded(), "out", place, inventory or {}, WORK)
    return made._replace(**fields)


@pytest.mark.parametrize(
    ("place", "before", "moved"),
    [
        ("state/dev/r/5058f", {"state/dev/r/5058f/x.yaml": ONE}, False),
        ("state/dev/r/5058f", {"state/old/y.yaml": ONE, "state/dev/r/5058f/y.yaml": ONE}, False),
        ("state/dev/r/5058f", {"state/dev/r/5058f-2/x.yaml": ONE}, True),
        ("state/dev/all.yaml", {"state/dev/all.yaml": ONE}, False),
        ("state/dev/all.yaml", {"state/dev/all.yml": ONE}, True),
        ("", {"x.yaml": ONE}, False),
        ("state/dev", {}, False),
    ],
)
def test_documents_move_when_none_of_them_was_at_the_place_before(place, before, moved):
    assert delivery(PLACED, recorded(before), place).moved is moved
    assert not delivery({}, recorded(before), place).moved


def test_documents_that_are_held_back_elsewhere_are_astray():
    targets = {"dev": TARGET}
    held = delivery(PLACED, documents=None)

    assert not held.astray(targets)
    assert held._replace(branch="main").astray(targets)
    assert held._replace(inventory={**PLACED, "state/old/x.yaml": ONE}).astray(targets)
    assert held._replace(inventory={"state/dev-2/x.yaml": ONE}).astray(targets)
    assert not held.astray({"dev": replace(TARGET, directory="")})


def test_nothing_is_astray_that_is_delivered_or_whose_destination_is_not_known_to_be_elsewhere():
    stray = delivery(PLACED, documents=None, branch="main")

    assert stray.astray({"dev": TARGET})
    for targets in ({}, {"dev": replace(TARGET, location=None)}, {"dev": replace(TARGET, reason="NotReady")}):
        assert not stray.astray(targets)
    assert not stray._replace(placement=None, inventory={}, recorded=recorded(PLACED)).astray({"dev": TARGET})
    assert not delivery(PLACED, branch="main").astray({"dev": TARGET})


def test_the_version_of_documents_in_place_is_known_where_status_tells_it_and_history_has_it():
    version = b"\xab" * 20
    known = recorded(PLACED, versionID=version.hex())

    assert delivery(PLACED, known).version_is_in({version})
    assert not delivery(PLACED, known).version_is_in(set())
    assert not delivery(PLACED, recorded(PLACED)).version_is_in({version})
    assert not delivery(PLACED, recorded({"x": TWO}, versionID=version.hex())).version_is_in({version})
    assert not delivery(PLACED, known, superseded={"main": PLACED}).version_is_in({version})


def test_documents_that_are_held_back_without_a_version_have_none():
    assert delivery(PLACED, recorded(PLACED), documents=None).version_is_in(set())


def test_the_log_is_asked_for_a_version_only_where_documents_stay_as_they_are():
    assert delivery(PLACED).version_paths == ("state/dev/r/5058f",)
    for fields in ({"steady": True}, {"changes": (Change("x", None, None),)}, {"inventory": {}}):
        assert delivery(PLACED, recorded(PLACED))._replace(**fields).version_paths == ()


def test_files_that_share_their_directory_are_asked_for_one_by_one():
    assert delivery(PLACED, root="").version_paths == tuple(PLACED)
    assert delivery({"all.yaml": ONE}, place="all.yaml").version_paths == ("all.yaml",)


def test_files_of_which_some_stand_elsewhere_are_asked_for_one_by_one():
    scattered = {**PLACED, "state/old/y.yaml": ONE}
    assert delivery(scattered).version_paths == tuple(scattered)


def test_a_commit_is_of_all_works_whose_documents_it_holds():
    made = delivery()._replace(work=OTHER)
    assert Unit(WORK, "main").works == {WORK}
    assert Unit(DEV, "main", placements=[made], authors={WORK}).works == {WORK, OTHER}


def test_a_file_that_comes_back_counts_though_it_was_gone_and_is_not_removed_twice():
    entry = Entry(FILE, ONE)
    booked = [[Change("back", None, entry), Change("gone", entry, None), Change("going", entry, None)]]
    assert tally([Unit(WORK, "main", booked=booked)], {"back", "gone"}) == (1, 0, 1)


def test_what_others_changed_is_found_among_what_is_written():
    changes = [Change("a", None, None), Change("b", None, None)]
    drift = Drift({"main": frozenset({"b", "c"})})
    assert drift.among("main", changes) == ("b",)
    assert drift.among("out", changes) == ()


def test_what_stands_in_another_branch_is_left_to_remove():
    assert left_by_move(recorded(PLACED, branch="out"), "main", "main") == {"out": PLACED}
    assert left_by_move(recorded(PLACED), "out", "main") == {"main": PLACED}
    assert left_by_move(recorded(PLACED), "main", "main") == {}
    assert left_by_move(recorded(branch="out"), "main", "main") == {}
