"""The status of a Work: what its conditions say of its groups and placements, and what is told of once."""

import pytest

from gitops.api.status import Condition, Status
from gitops.core.definitions import Effective, Unread
from gitops.core.delivery import PlacementDelivery
from gitops.core.documents import Documents, Group
from gitops.core.failures import Failure, Step
from gitops.core.keys import Key
from gitops.core.layout import Refusal
from gitops.core.outline import Outline
from gitops.core.placing import Decided
from gitops.core.problems import Problem
from gitops.core.provenance import Provenance
from gitops.core.record import CommitName, Facts, Record
from gitops.core.recorded import RecordedPlacement, RecordedWork
from gitops.core.selectors import Selector
from gitops.core.sketch import Sketch
from gitops.core.tree import FILE, Entry
from gitops.core.work_status import record_work
from gitops.core.world import Offer, Placement, WorkState

NOW, HOME = "2026-01-01T00:00:00Z", "main"
KEY, DEV = Key("Work", "team", "r"), Key("Destination", "", "dev")
FOLDER, WORK_FILE = "works/team/r", "works/team/r/work.yaml"
ENTRY = Entry(FILE, b"\x01" * 20)
ADA = CommitName(b"\x12\x34\x56\x78" * 5, "Ada")
FACTS = Facts(NOW, HOME)
FULL = Facts(NOW, HOME, failures={"out": Failure(Step.WRITE, "no space left")})
WRONG = Problem("works/r.yaml", 3, 1, "no such field", KEY)
INVALID = ("False", "InvalidDefinition", str(WRONG))
SCHEDULED = ("True", "AllWorkplacementsScheduled", "All workplacements scheduled successfully")
READY = ("True", "AllWorkplacementsScheduled", "Ready")
WAITING = ("False", "UnscheduledWorkloadGroups", "No matching destination found for workloadGroups: [one,two]")
PENDING = ("False", "UnscheduledWorkloadGroups", "Pending")
LOST = "Target destination no longer matches destinationSelectors for workloadGroups: [one,two]"
MISMATCH = ("False", "DestinationSelectorMismatch", LOST)
MISPLACED = ("False", "Misplaced", "Misplaced")
FAILING_TEXT = "Workplacements failed to write: [r.dev-one,r.dev-two]"
FAILING = ("False", "WorkplacementsFailing", FAILING_TEXT)
CREATED = [
    ("Normal", "WorkplacementReconciled", "Scheduler", f"workplacement reconciled: r.dev-{g}, operation: created")
    for g in ("one", "two")
]
ALL_SCHEDULED = ("Normal", "AllWorkplacementsScheduled", "Scheduler", SCHEDULED[2])
TOLD_FAILING = ("Warning", "WorkplacementsFailing", "WorkController", FAILING_TEXT)


def placed(group, misplaced=False, refusal=None):
    documents = None if refusal else Documents((), b"")
    return Placement(f"r.dev-{group}", group, "dev", misplaced, Offer("", documents, refusal))


def state(*placements, groups=("one", "two"), unscheduled=(), entry=ENTRY):
    outline = Outline("r", "team", {"team": "a"}, "redis", "")
    found = tuple(Group(group, group, Selector(frozenset()), None) for group in groups)
    return WorkState(outline, entry, found, placements, unscheduled, "works/r.yaml")


BOTH = (placed("one"), placed("two"))
OFF = (placed("two", misplaced=True), placed("one", misplaced=True))
NOWHERE = tuple(found._replace(offer=Offer()) for found in BOTH)  # their Destination is removed
REFUSED = tuple(placed(group, refusal=Refusal("PathConflict", "x")) for group in ("one", "two"))


def status_of_work(scheduled=None, ready=None, **fields):
    wanted = {"ScheduleSucceeded": scheduled, "Ready": ready}
    conditions = tuple(Condition(kind, *found) for kind, found in wanted.items() if found)
    return Status("Work", "r", "team", conditions=conditions, **fields)


def status_of_placement(group, written=None, scheduled=None):
    wanted = {"WriteSucceeded": written, "ScheduleSucceeded": scheduled}
    conditions = tuple(Condition(kind, found, "Any", "any") for kind, found in wanted.items() if found)
    spec = {"targetDestinationName": "dev", "id": group, "promiseName": "redis", "generation": 7}
    return Status("WorkPlacement", f"r.dev-{group}", "team", conditions=conditions, spec=spec)


class Situation:
    """What a pass has decided of the Work `r`, and what status remembers of it."""

    def __init__(self, state=None, before=None, remembered=(), problem=None, last_good=False, facts=FACTS, known=None):
        placements = {found.name: RecordedPlacement(found) for found in remembered}
        found = Effective(None, ENTRY if state else None, problem, last_good)
        in_effect = found if problem or state is None else Unread(KEY, "works/r.yaml", ENTRY, None, None)
        self.decided = Decided(KEY, RecordedWork(before, placements), in_effect, state, known or {})
        self.facts, self.remembered = facts, placements
        self.objects = Sketch()
        self.record = Record(self.objects, NOW)

    def made(self, steady):
        """What is placed, and what was. Nobody looked at what is remembered of those that are *steady*."""
        placements = {p.name: p for p in (self.decided.state.placements if self.decided.state else ())}
        names = [*placements, *(name for name in self.remembered if name not in placements)]
        for name in names:
            recorded = self.remembered.get(name, RecordedPlacement()) if name not in steady else RecordedPlacement()
            made = PlacementDelivery(KEY, name, placements.get(name), recorded, "out", "", {}, KEY)
            yield made._replace(steady=name in steady)

    def status(self, steady=()):
        made = list(self.made(steady))
        return record_work(self.record, self.decided, made, Provenance(7, "works/r.yaml"), self.facts)

    def conditions(self):
        return {c.type: c[1:4] for c in self.status().conditions}

    def events(self, steady=()):
        """What is told of the Work."""
        self.status(steady)
        return [tuple(found.transition) for found in self.record.happened if found.object == KEY]


# what is said of it


@pytest.mark.parametrize(
    ("situation", "scheduled", "ready"),
    [
        ({"state": state(*BOTH)}, SCHEDULED, READY),
        ({"state": state(groups=())}, SCHEDULED, READY),
        ({"state": state(unscheduled=("one", "two"))}, WAITING, PENDING),
        ({"state": state(*OFF)}, MISMATCH, MISPLACED),
        ({"state": state(*REFUSED)}, SCHEDULED, FAILING),
        ({"state": state(*BOTH), "facts": FULL}, SCHEDULED, FAILING),
        ({"state": state(*NOWHERE)}, SCHEDULED, READY),
        # of several the worst
        ({"state": state(*OFF, unscheduled=("one", "two"))}, WAITING, PENDING),
        ({"state": state(*REFUSED, unscheduled=("one", "two"))}, WAITING, PENDING),
        ({"state": state(*OFF), "facts": FULL}, MISMATCH, ("False", "WorkplacementsFailing", FAILING_TEXT[:-20])),
        ({"state": state(*REFUSED), "problem": WRONG, "before": status_of_work()}, SCHEDULED, INVALID),
        ({"state": state(*BOTH), "problem": WRONG}, INVALID, INVALID),
        # of one that nobody can read there is only what was recorded
        ({"problem": WRONG}, INVALID, INVALID),
        ({"problem": WRONG, "before": status_of_work(WAITING, PENDING)}, WAITING, INVALID),
        ({"state": state(*BOTH, entry=None), "problem": WRONG, "before": status_of_work(MISMATCH)}, MISMATCH, INVALID),
    ],
)
def test_its_conditions(situation, scheduled, ready):
    found = Situation(**situation).conditions()
    assert found["ScheduleSucceeded"] == scheduled
    assert found["Ready"][:2] == ready[:2]
    assert found["Ready"][2].startswith(ready[2])


# what is remembered of it


@pytest.mark.parametrize(
    ("situation", "extra"),
    [
        ({"state": state(*BOTH)}, {"source": "works/r.yaml", "workPlacements": 2, "workPlacementsCreated": 2}),
        (
            {"state": state(placed("one"), unscheduled=("two",))},
            {"source": "works/r.yaml", "workPlacements": 2, "workPlacementsCreated": 1},
        ),
        ({"state": state(unscheduled=("one", "two"))}, {"source": "works/r.yaml", "workPlacements": 2}),
        ({"state": state(groups=())}, {"source": "works/r.yaml"}),
        # the commit of its definition, or the one that was recorded
        (
            {"state": state(groups=()), "facts": Facts(NOW, HOME, sources={"works/r.yaml": ADA})},
            {"observedCommit": ADA.oid.hex(), "source": "works/r.yaml"},
        ),
        (
            {"state": state(groups=()), "before": status_of_work(extra={"observedCommit": "old"})},
            {"observedCommit": "old", "source": "works/r.yaml"},
        ),
        # while it is invalid, where the good definition stands, and where the wrong one
        (
            {
                "state": state(groups=()),
                "problem": WRONG._replace(path="works/wrong.yaml"),
                "last_good": True,
                "before": status_of_work(extra={"source": "works/good.yaml"}),
            },
            {"source": "works/good.yaml", "invalid": "works/wrong.yaml"},
        ),
    ],
)
def test_where_it_comes_from_and_how_many_placements_it_has(situation, extra):
    status = Situation(**situation).status()
    assert status.extra == {"observedGeneration": 7, **extra}
    assert (status.kind, status.name, status.namespace) == ("Work", "r", "team")
    assert (status.labels, status.generation) == ({"team": "a"}, 7)


def test_of_one_that_nobody_can_read_all_stays_that_was_recorded():
    before = status_of_work(
        extra={"source": "works/good.yaml", "observedGeneration": 3}, labels={"a": "b"}, generation=3
    )
    status = Situation(problem=WRONG, before=before).status()
    assert status.extra == {"source": "works/good.yaml", "observedGeneration": 3, "invalid": "works/r.yaml"}
    assert (status.labels, status.generation) == ({"a": "b"}, 3)

    never_good = Situation(problem=WRONG).status()
    assert never_good.extra == {"source": "works/r.yaml", "invalid": "works/r.yaml"}
    assert (never_good.labels, never_good.generation, never_good.namespace) == ({}, 1, "team")


# what is told of once


def one_and_two(**fields):
    return [status_of_placement(group, **fields) for group in ("one", "two")]


@pytest.mark.parametrize(
    ("situation", "events"),
    [
        ({"state": state(*BOTH)}, [*CREATED, ALL_SCHEDULED]),
        ({"state": state(*BOTH), "remembered": one_and_two(), "before": status_of_work(SCHEDULED)}, []),
        ({"state": state(*BOTH), "remembered": one_and_two(), "before": status_of_work(WAITING)}, [ALL_SCHEDULED]),
        (
            {"state": state(groups=()), "remembered": one_and_two(), "before": status_of_work(SCHEDULED)},
            [(*found[:3], found[3].replace("created", "deleted")) for found in CREATED],
        ),
        (
            {"state": state(*BOTH), "remembered": [found._replace(spec={}) for found in one_and_two()]},
            [*((*found[:3], found[3].replace("created", "updated")) for found in CREATED), ALL_SCHEDULED],
        ),
        # groups that wait: each is told of once
        (
            {"state": state(unscheduled=("one", "two"))},
            [
                (
                    "Warning",
                    "NoMatchingDestination",
                    "Scheduler",
                    f"waiting for a destination with labels for workloadGroup: {group}",
                )
                for group in ("one", "two")
            ],
        ),
        ({"state": state(unscheduled=("one", "two")), "before": status_of_work(WAITING)}, []),
        ({"state": state(unscheduled=("a[b",)), "before": status_of_work((*WAITING[:2], "groups: [a[b]"))}, []),
        (
            {"state": state(unscheduled=("one", "three")), "before": status_of_work(WAITING)},
            [
                (
                    "Warning",
                    "NoMatchingDestination",
                    "Scheduler",
                    "waiting for a destination with labels for workloadGroup: three",
                )
            ],
        ),
        (
            {"state": state(unscheduled=("one",)), "before": status_of_work((*MISMATCH[:2], WAITING[2]))},
            [
                (
                    "Warning",
                    "NoMatchingDestination",
                    "Scheduler",
                    "waiting for a destination with labels for workloadGroup: one",
                )
            ],
        ),
        # misplaced: when others are it than before
        (
            {"state": state(*OFF), "remembered": one_and_two(scheduled="True"), "before": status_of_work(SCHEDULED)},
            [("Warning", "DestinationSelectorMismatch", "Scheduler", LOST)],
        ),
        ({"state": state(*OFF), "remembered": one_and_two(scheduled="False"), "before": status_of_work(MISMATCH)}, []),
        (
            {
                "state": state(*OFF),
                "remembered": one_and_two(scheduled="True"),
                "known": {found.name: found for found in OFF},
                "before": status_of_work(MISMATCH),
            },
            [],
        ),
        (
            {"state": state(*BOTH), "remembered": one_and_two(scheduled="False"), "before": status_of_work(SCHEDULED)},
            [],
        ),
        # failing, in whatever order
        (
            {"state": state(*REFUSED), "remembered": one_and_two(written="True"), "before": status_of_work(SCHEDULED)},
            [TOLD_FAILING],
        ),
        (
            {"state": state(*REFUSED), "remembered": one_and_two(written="False"), "before": status_of_work(SCHEDULED)},
            [],
        ),
        (
            {
                "state": state(*REFUSED[::-1]),
                "remembered": one_and_two(written="False"),
                "before": status_of_work(SCHEDULED),
            },
            [],
        ),
        (
            {
                "state": state(*REFUSED),
                "remembered": one_and_two(written="False")[::-1],
                "before": status_of_work(SCHEDULED),
            },
            [],
        ),
        ({"state": state(*BOTH), "remembered": one_and_two(written="False"), "before": status_of_work(SCHEDULED)}, []),
        # invalid
        (
            {"problem": WRONG, "before": status_of_work(SCHEDULED, READY)},
            [("Warning", "InvalidDefinition", "WorkController", str(WRONG))],
        ),
        ({"problem": WRONG}, [("Warning", "InvalidDefinition", "WorkController", str(WRONG))]),
        ({"problem": WRONG, "before": status_of_work(SCHEDULED, INVALID)}, []),
        (
            {"problem": WRONG, "before": status_of_work(SCHEDULED, (*INVALID[:2], "something else"))},
            [("Warning", "InvalidDefinition", "WorkController", str(WRONG))],
        ),
        (
            {"problem": WRONG, "before": status_of_work(SCHEDULED, ("False", "Else", INVALID[2]))},
            [("Warning", "InvalidDefinition", "WorkController", str(WRONG))],
        ),
    ],
)
def test_its_events(situation, events):
    assert Situation(**situation).events() == events


def test_what_stands_as_it_was_is_not_told_of_unless_its_branch_fails():
    remembered, before = one_and_two(written="True"), status_of_work(SCHEDULED)
    steady = ["r.dev-one", "r.dev-two"]
    still = Situation(state(*BOTH), before, remembered)
    assert (still.events(steady), list(still.record.files)) == ([], [WORK_FILE])
    remembered = [found._replace(extra={"versionID": "abc"}) for found in remembered]
    failing = Situation(state(*BOTH), before, remembered, facts=FULL)
    assert failing.events(steady) == [TOLD_FAILING]
    assert sorted(failing.record.files) == [f"{FOLDER}/r.dev-one.yaml", f"{FOLDER}/r.dev-two.yaml", WORK_FILE]
    assert b"versionID: abc" in failing.objects.blob(failing.record.files[f"{FOLDER}/r.dev-one.yaml"].oid)


def test_beside_one_that_stands_as_it_was_a_new_one_is_told_of():
    beside = Situation(state(*BOTH), status_of_work(SCHEDULED), one_and_two()[:1])
    assert beside.events(["r.dev-one"]) == CREATED[1:]
    assert f"{FOLDER}/r.dev-two.yaml" in beside.record.files


def test_a_placement_that_cannot_be_removed_yet_fails_and_is_not_told_of_as_deleted():
    leaving = Situation(state(groups=()), status_of_work(SCHEDULED), one_and_two(written="True"), facts=FULL)
    assert leaving.events() == [TOLD_FAILING]
    assert leaving.conditions()["Ready"] == FAILING


# when it goes


@pytest.mark.parametrize(
    ("removed", "tail"),
    [
        ({}, ""),
        ({KEY: ADA}, " (definition removed in 1234567 by Ada)"),
        ({DEV: ADA}, " (Destination/dev removed in 1234567 by Ada)"),
        ({KEY: ADA, DEV: CommitName(b"\x00" * 20, "Bob")}, " (definition removed in 1234567 by Ada)"),
    ],
)
def test_a_work_that_is_removed_is_forgotten_with_its_placements(removed, tail):
    gone = Situation(before=status_of_work(), remembered=one_and_two(), facts=Facts(NOW, HOME, removed=removed))
    assert gone.events() == [(*found[:3], found[3].replace("created", f"deleted{tail}")) for found in CREATED]
    assert gone.record.files[FOLDER] is None
    assert gone.status() is None


def test_of_a_removed_work_that_status_does_not_tell_of_nothing_is_kept():
    gone = Situation(remembered=one_and_two(written="True"), facts=FULL)
    assert gone.status() is None
    assert gone.record.files[FOLDER] is None


def test_a_removed_work_whose_documents_cannot_be_removed_says_so_once():
    before = status_of_work(WAITING, PENDING, extra={"source": "works/r.yaml"})
    waits = Situation(before=before, remembered=one_and_two(written="True"), facts=FULL)
    assert waits.conditions() == {"ScheduleSucceeded": WAITING, "Ready": FAILING}
    assert waits.status().extra == before.extra
    assert waits.record.files[WORK_FILE]
    assert Situation(before=before, remembered=one_and_two(written="True"), facts=FULL).events() == [TOLD_FAILING]
    for remembered in (one_and_two(written="False"), one_and_two(written="False")[::-1]):
        assert Situation(before=before, remembered=remembered, facts=FULL).events() == []
