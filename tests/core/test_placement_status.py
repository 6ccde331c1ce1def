"""The status of a WorkPlacement: what is said of it, what is remembered of it, and what is told of once."""

import pytest

from gitops.api.status import Condition, Status
from gitops.core.definitions import NOTHING
from gitops.core.delivery import PlacementDelivery, UnitId
from gitops.core.documents import Documents
from gitops.core.failures import Failure, Step
from gitops.core.keys import Key
from gitops.core.layout import Refusal
from gitops.core.outline import Outline
from gitops.core.placement_status import placement_outcome, record_departure, record_placement
from gitops.core.placing import Decided
from gitops.core.record import CommitName, Facts, Record
from gitops.core.recorded import RecordedPlacement, RecordedWork
from gitops.core.sketch import Sketch
from gitops.core.tree import Change
from gitops.core.world import Offer, Placement, WorkState

KEY = Key("Work", "default", "r")
NAME, FILE = "r.dev-5058f", "works/default/r/r.dev-5058f.yaml"
NOW, HOME = "2026-01-01T00:00:00Z", "main"
FACTS = Facts(NOW, HOME)


def failing(*branches):
    return Facts(NOW, HOME, failures={branch: Failure(Step.WRITE, f"{branch} is full") for branch in branches})


FAILING = failing("out")
HELD_BACK = Offer(refusal=Refusal("PathConflict", "x.yaml belongs to default/a"))
DELIVERED = Offer(documents=Documents((), b""))
KEPT = Offer()
FILES = {"state/dev/y.yaml": b"\x22" * 20, "state/dev/x.yaml": b"\x11" * 20}
WRITTEN_FILES = {"state/dev/x.yaml": "11" * 20, "state/dev/y.yaml": "22" * 20}
CHANGES = [Change("x.yaml", None, None)]
OLD, NEW = b"\xaa" * 20, b"\xbb" * 20
MADE = Facts(NOW, HOME, versions={UnitId("out", KEY): NEW})
KNOWN = Facts(NOW, HOME, known_versions={(KEY, NAME): NEW})

IN_PLACE = ("True", "WorkloadsWrittenToStateStore", "")
FAILED = ("False", "WorkloadsFailedWrite", "out is full")
CONFLICT = ("False", "PathConflict", "x.yaml belongs to default/a")
READY = ("True", "WorkloadsWrittenToTargetDestination", "Ready")
MISPLACED = ("False", "Misplaced", "Misplaced")
MATCHES = ("True", "ScheduledToDestination", "Scheduled to correct Destination")
MISMATCH = ("False", "DestinationSelectorMismatch", "Target destination no longer matches destinationSelectors")


def recorded(written=None, scheduled=MATCHES, **extra):
    """A placement as its status remembers it."""
    conditions = [Condition("ScheduleSucceeded", *scheduled)]
    conditions += [Condition("WriteSucceeded", *written)] if written else []
    spec = {"targetDestinationName": "dev"}
    return Status("WorkPlacement", NAME, "default", spec=spec, conditions=tuple(conditions), extra=extra)


def delivery(offer, before=None, misplaced=False, **made):
    placement = Placement(NAME, "5058f", "dev", misplaced, offer)
    return PlacementDelivery(KEY, NAME, placement, RecordedPlacement(before), "out", "", {}, KEY)._replace(**made)


def decided(labels=(), resource="small"):
    work = Outline("r", "default", dict(labels), "redis", resource)
    return Decided(KEY, RecordedWork(None), NOTHING, WorkState(work, None, (), (), (), ""))


def outcome(offer=DELIVERED, before=None, misplaced=False, facts=FACTS, **made):
    return placement_outcome(decided(), delivery(offer, before, misplaced, **made), 7, facts)


def told(transitions):
    return [(t.type, t.reason, t.source, t.message) for t in transitions]


# what is said of it


@pytest.mark.parametrize(
    ("situation", "ready", "written"),
    [
        ({}, READY, IN_PLACE),
        ({"misplaced": True}, MISPLACED, IN_PLACE),
        ({"offer": HELD_BACK}, (*CONFLICT[:2], "Failing"), CONFLICT),
        ({"offer": HELD_BACK, "misplaced": True}, (*CONFLICT[:2], "Failing"), CONFLICT),
        # a branch that fails, which goes before what holds it back if there is anything to write
        ({"facts": FAILING}, (*FAILED[:2], "Failing"), FAILED),
        ({"facts": FAILING, "branch": "main"}, READY, IN_PLACE),
        ({"facts": FAILING, "offer": HELD_BACK, "changes": CHANGES}, (*FAILED[:2], "Failing"), FAILED),
        ({"facts": FAILING, "offer": HELD_BACK}, (*CONFLICT[:2], "Failing"), CONFLICT),
        # without a definition: what was recorded, or what became of the documents
        ({"offer": KEPT}, ("False", "ScheduledToDestination", "Pending"), None),
        ({"offer": KEPT, "misplaced": True}, MISPLACED, None),
        ({"offer": KEPT, "before": recorded(IN_PLACE)}, READY, IN_PLACE),
        ({"offer": KEPT, "before": recorded(CONFLICT), "inventory": FILES}, (*CONFLICT[:2], "Failing"), CONFLICT),
        ({"offer": KEPT, "before": recorded(FAILED), "inventory": FILES}, READY, IN_PLACE),
        ({"offer": KEPT, "before": recorded(FAILED)}, (*FAILED[:2], "Failing"), FAILED),
        (
            {"offer": KEPT, "before": recorded(IN_PLACE), "altered": "x"},
            ("False", "WorkloadsFailedWrite", "Failing"),
            ("False", "WorkloadsFailedWrite", "x is not as it was, and no definition tells how that is"),
        ),
        ({"offer": KEPT, "before": recorded(IN_PLACE), "altered": "x", "misplaced": True}, MISPLACED, IN_PLACE),
        ({"offer": KEPT, "before": recorded(IN_PLACE), "altered": "x", "facts": FAILING}, READY, IN_PLACE),
    ],
)
def test_its_conditions(situation, ready, written):
    found = {c.type: c[1:4] for c in outcome(**situation).status.conditions}
    scheduled = MISMATCH if situation.get("misplaced") else MATCHES
    assert found.pop("WriteSucceeded", None) == written
    assert found == {"ScheduleSucceeded": scheduled, "Ready": ready}


def test_what_ties_it_together():
    status = placement_outcome(decided({"kratix.io/pipeline-name": "p"}), delivery(DELIVERED), 7, FACTS).status
    assert (status.kind, status.name, status.namespace) == ("WorkPlacement", NAME, "default")
    assert status.spec == {
        "targetDestinationName": "dev",
        "id": "5058f",
        "promiseName": "redis",
        "resourceName": "small",
        "generation": 7,
    }
    assert status.labels == {
        "kratix.io/work": "r",
        "kratix.io/workload-group-id": "5058f",
        "kratix.io/targetDestinationName": "dev",
        "kratix.io/pipeline-name": "p",
    }
    assert outcome(misplaced=True).status.labels["kratix.io/misplaced"] == "true"
    dependency = placement_outcome(decided(resource=""), delivery(DELIVERED), 7, FACTS).status
    assert "resourceName" not in dependency.spec


def test_its_generation_rises_with_its_spec():
    first = outcome().status
    assert first.generation == 1
    assert outcome(before=first).status.generation == 1
    assert outcome(before=first._replace(spec={}, generation=4)).status.generation == 5


# what is remembered of it


@pytest.mark.parametrize(
    ("situation", "extra"),
    [
        ({"branch": "main"}, {}),
        ({"inventory": FILES}, {"branch": "out", "inventory": WRITTEN_FILES}),
        # a new version is that of the commit, or else what the log tells, or else what it was
        ({"changes": CHANGES, "facts": MADE}, {"versionID": NEW.hex(), "branch": "out"}),
        (
            {"inventory": FILES, "facts": KNOWN, "before": recorded(versionID=OLD.hex())},
            {"versionID": NEW.hex(), "branch": "out", "inventory": WRITTEN_FILES},
        ),
        ({"facts": KNOWN, "before": recorded(versionID=OLD.hex())}, {"versionID": OLD.hex(), "branch": "out"}),
        ({"superseded": {"old": FILES}}, {"branch": "out", "superseded": {"old": WRITTEN_FILES}}),
        # nothing could be written: where its documents are is what it was
        (
            {"facts": FAILING, "inventory": FILES, "before": recorded(versionID="v", branch="b", other="o")},
            {"versionID": "v", "branch": "b"},
        ),
        (
            {"facts": FAILING, "before": recorded(superseded={"c": {}}, inventory={"d": "e"})},
            {"inventory": {"d": "e"}, "superseded": {"c": {}}},
        ),
        ({"facts": FAILING}, {}),
    ],
)
def test_where_its_documents_are_and_their_version(situation, extra):
    assert outcome(**situation).status.extra == extra


def test_files_are_remembered_in_one_order():
    assert list(outcome(inventory=FILES).status.extra["inventory"]) == list(WRITTEN_FILES)


def test_a_new_version_is_noted_and_the_one_that_stays_is_not():
    record = Record(Sketch(), NOW)
    made = delivery(DELIVERED, changes=CHANGES)
    status = record_placement(record, decided(), made, 7, MADE)
    assert (list(record.files), record.versions) == ([FILE], {f"default/{NAME}": NEW.hex()})

    record = Record(Sketch(), NOW)
    record_placement(record, decided(), made._replace(recorded=RecordedPlacement(status)), 7, MADE)
    record_placement(record, decided(), delivery(DELIVERED), 7, FACTS)
    assert record.versions == {}


# what is told of once

WRITTEN_EVENT = ("Normal", "WorkloadsWrittenToStateStore", "WorkPlacementController")
FAILED_EVENT = ("Warning", "FailedWriteToDestination", "WorkPlacementController")
LOST_LABELS = "labels for destination: dev no longer match the expected labels, marking this workplacement as misplaced"
FULL = "failed writing to Destination: dev with error: out is full"


@pytest.mark.parametrize(
    ("situation", "events"),
    [
        ({}, []),
        (
            {"changes": CHANGES, "facts": MADE},
            [(*WRITTEN_EVENT, f"successfully written to Destination: dev with versionID: {NEW.hex()}")],
        ),
        ({"changes": CHANGES, "facts": MADE, "before": recorded(versionID=NEW.hex())}, []),
        # one that recovers without a write is told of like one that is written, if it has any documents
        (
            {"before": recorded(FAILED, versionID=OLD.hex())},
            [(*WRITTEN_EVENT, f"successfully written to Destination: dev with versionID: {OLD.hex()}")],
        ),
        ({"before": recorded(FAILED)}, []),
        ({"before": recorded(IN_PLACE, versionID=OLD.hex())}, []),
        ({"offer": HELD_BACK, "before": recorded(CONFLICT, versionID=OLD.hex())}, []),
        ({"offer": KEPT, "misplaced": True, "before": recorded(None, MISMATCH, versionID=OLD.hex())}, []),
        ({"facts": FAILING}, [(*FAILED_EVENT, FULL)]),
        ({"facts": FAILING, "before": recorded(IN_PLACE)}, [(*FAILED_EVENT, FULL)]),
        ({"facts": FAILING, "before": recorded(("True", *FAILED[1:]))}, [(*FAILED_EVENT, FULL)]),
        ({"facts": FAILING, "before": recorded(CONFLICT)}, [(*FAILED_EVENT, FULL)]),
        ({"facts": FAILING, "before": recorded(FAILED)}, []),
        ({"misplaced": True}, [("Warning", "DestinationSelectorMismatch", "Scheduler", LOST_LABELS)]),
        ({"misplaced": True, "before": recorded(IN_PLACE, MISMATCH)}, []),
        (
            {"restored": ("x",)},
            [
                (
                    "Warning",
                    "DriftCorrected",
                    "WorkPlacementController",
                    "1 files changed outside gitops in 1234567 by Ada were restored",
                )
            ],
        ),
    ],
)
def test_its_events(situation, events):
    facts = situation.get(
        "facts", Facts(NOW, HOME, meddlers={("out", "x"): CommitName(b"\x12\x34\x56\x78" * 5, "Ada")})
    )
    assert told(outcome(**{**situation, "facts": facts}).happened) == events


# when it goes


def departure(facts=FACTS):
    """Record that it goes from `out`, with what is left in `old`; return the record as well."""
    record = Record(Sketch(), NOW)
    before = recorded(IN_PLACE, inventory=WRITTEN_FILES, superseded={"old": WRITTEN_FILES})
    made = delivery(DELIVERED, before)._replace(placement=None)
    return record, record_departure(record, made, facts)


@pytest.mark.parametrize("facts", [FACTS, failing("main")])
def test_a_placement_whose_documents_are_gone_is_forgotten(facts):
    record, status = departure(facts)
    assert (status, record.files, record.happened) == (None, {FILE: None}, [])


@pytest.mark.parametrize(
    ("branches", "cause", "extra"),
    [
        (("out",), "out is full", {"inventory": WRITTEN_FILES, "superseded": {"old": WRITTEN_FILES}}),
        (("old",), "old is full", {"superseded": {"old": WRITTEN_FILES}}),
        (("out", "old"), "old is full", {"inventory": WRITTEN_FILES, "superseded": {"old": WRITTEN_FILES}}),
    ],
)
def test_one_whose_documents_cannot_be_removed_says_so_and_what_is_left(branches, cause, extra):
    record, status = departure(failing(*branches))
    found = {c.type: c[1:4] for c in status.conditions}
    written = ("False", "WorkloadsFailedWrite", cause)
    assert found == {"ScheduleSucceeded": MATCHES, "Ready": (*FAILED[:2], "Failing"), "WriteSucceeded": written}
    assert status.extra == extra
    assert record.files[FILE]
    assert told(h.transition for h in record.happened) == [
        (*FAILED_EVENT, f"failed writing to Destination: dev with error: {cause}")
    ]


def test_one_that_was_never_told_of_is_not_told_of_when_it_goes():
    record = Record(Sketch(), NOW)
    assert record_departure(record, delivery(DELIVERED, branch="out")._replace(placement=None), FAILING) is None
    assert record.files == {}
