"""The status of Destinations and state stores: what is said of them, and what must be remembered of them."""

from dataclasses import replace

import pytest
import yaml

from gitops.api.status import Condition, Status
from gitops.core.definitions import Effective
from gitops.core.delivery import DestinationDelivery
from gitops.core.failures import Failure, Step
from gitops.core.keys import Key
from gitops.core.manifests import load
from gitops.core.object_status import record_destination, record_store, repository_file
from gitops.core.problems import Problem, in_order
from gitops.core.provenance import Provenance
from gitops.core.record import CommitName, Facts, Record
from gitops.core.recorded import Recorded
from gitops.core.sketch import Sketch
from gitops.core.targets import Location, Store, Target
from gitops.core.world import ClusterObject

SIDE, DEV = Key("GitStateStore", "", "side"), Key("Destination", "", "dev")
ADA = CommitName(b"\x12\x34\x56\x78" * 5, "Ada")
NOW, HOME = "2026-01-01T00:00:00Z", "main"
FACTS = Facts(NOW, HOME)
GONE = Effective(None, None, None)
WRONG = Effective(None, None, Problem("destinations/new.yaml", 3, 1, "no such field", DEV))


@pytest.fixture
def record():
    return Record(Sketch(), NOW)


def failing(step, branch="out"):
    return Facts(NOW, HOME, failures={branch: Failure(step, "why")})


def condition(status):
    (found,) = status.conditions
    return (found.status, found.reason, found.message)


def told(record):
    return [(h.object, h.transition.reason, h.transition.message) for h in record.happened]


# state stores

DEFINED = """
apiVersion: platform.kratix.io/v1alpha1
kind: GitStateStore
metadata: {name: side, labels: {team: a}}
spec: {branch: out}
"""


def stored(record, facts=FACTS, store=None, before=None, effective=None):
    """Record the store `side`."""
    (manifest,) = load("statestores/side.yaml", DEFINED.encode()).objects
    known = ClusterObject(SIDE, effective or Effective(manifest, None, None), Recorded(before), None)
    return record_store(record, known, store or Store("side", Location("out", "")), Provenance(0, ""), facts)


@pytest.mark.parametrize(
    ("step", "reason", "message"),
    [
        (Step.SECRET, "SecretNotFound", "why"),
        (Step.REACH, "ErrorInitialisingWriter", "unable to clone repository: why"),
        (
            Step.WRITE,
            "ErrorValidatingPermissions",
            "Error validating state store permissions: write permission validation failed: why",
        ),
    ],
)
def test_a_store_says_as_kratix_does_what_cannot_be_done_with_it(record, step, reason, message):
    status = stored(record, failing(step))

    assert condition(status) == ("False", reason, message)
    assert status.extra["status"] == "NotReady"
    assert told(record) == [(SIDE, "NotReady", message)]


def test_a_store_that_is_as_it_was_is_told_of_once(record):
    ready = stored(record)
    assert condition(ready) == ("True", "StateStoreReady", "State store is ready")
    assert (ready.extra["status"], ready.labels, ready.generation) == ("Ready", {"team": "a"}, 1)
    assert ready.extra["observedGeneration"] == 1
    assert stored(record, before=ready) == ready
    broken = stored(record, failing(Step.SECRET), before=ready)
    stored(record, failing(Step.SECRET), before=broken)
    stored(record, failing(Step.REACH), before=broken)
    stored(record, before=broken)

    good = 'GitStateStore "side" is ready'
    assert {h.transition.type for h in record.happened if h.transition.reason == "Ready"} == {"Normal"}
    assert [message for *_, message in told(record)] == [good, "why", "unable to clone repository: why", good]


def test_a_store_that_cannot_be_used_says_why_and_one_that_is_gone_is_forgotten(record):
    status = stored(record, store=Store("side", None, "ErrorInitialisingWriter", "not supported"))
    assert condition(status) == ("False", "ErrorInitialisingWriter", "not supported")
    assert {tuple(h.transition[:3]) for h in record.happened} == {("Warning", "NotReady", "GitStateStoreController")}
    assert stored(record, effective=GONE) is None
    assert record.files["statestores/GitStateStore/side.yaml"] is None


def test_a_store_with_an_invalid_definition_keeps_its_labels_if_it_had_any(record):
    assert stored(record, effective=WRONG).labels == {}
    status = stored(record, before=stored(record), effective=WRONG)
    assert (status.labels, status.conditions[0].reason) == ({"team": "a"}, "InvalidDefinition")
    assert status.extra["invalid"] == "destinations/new.yaml"


# Destinations

REMEMBERED = {
    "path": "state/dev",
    "stateStore": "GitStateStore/side",
    "branch": "out",
    "mode": "aggregatedYAML",
    "filename": "all.yaml",
    "cleanup": "none",
    "parts": {"default/r.dev-5058f": 7},
    "inventory": {"state/dev/all.yaml": "12" * 20},
}
LEFT = {"superseded": {"old": {"state/dev/x.yaml": "34" * 20}}}


def removed(record, facts=FACTS, effective=GONE, ready=None, occupied=True, **extra):
    """Record a Destination that nothing can be written to."""
    conditions = (Condition("Ready", *ready),) if ready else ()
    before = Status("Destination", "dev", conditions=conditions, extra={**REMEMBERED, **LEFT, **extra})
    known = ClusterObject(DEV, effective, Recorded(before), None)
    made = DestinationDelivery(known, None, "out", {}, occupied=occupied)
    return record_destination(record, made, Provenance(3, ""), facts)


@pytest.mark.parametrize(("facts", "left"), [(FACTS, {}), (failing(Step.WRITE), LEFT)])
def test_where_the_documents_are_is_remembered_while_nothing_can_be_written(record, facts, left):
    status = removed(record, facts)

    assert status.extra == {"observedGeneration": 3, **REMEMBERED, **left}
    assert removed(record, facts, source="destinations/dev.yaml", observedCommit="ab" * 20).extra["source"]


def test_a_removed_destination_says_what_removed_it_as_long_as_documents_stay(record):
    facts = Facts(NOW, HOME, removed={DEV: ADA})
    first = removed(record, facts)
    text = "the definition was removed in 1234567 by Ada; its documents are left behind"
    assert condition(first) == ("False", "DestinationNotReady", text)
    assert condition(removed(record, ready=condition(first)))[2] == text
    assert condition(removed(record, facts, ready=("True", "DestinationReady", "Destination is ready")))[2] == text
    assert condition(removed(record))[2] == text.replace("1234567 by Ada", "an unknown commit")


def test_it_is_forgotten_when_nothing_is_placed_there_or_all_is_cleaned_up(record):
    facts = Facts(NOW, HOME, removed={DEV: ADA})
    assert removed(record, facts, occupied=False) is None
    assert removed(record, cleanup="all") is None
    assert record.files == {"destinations/dev.yaml": None}
    assert told(record) == [
        (DEV, "DestinationNotReady", "the definition was removed in 1234567 by Ada; nothing is placed there any more"),
        (DEV, "DestinationNotReady", "the definition was removed in an unknown commit; its documents are removed"),
    ]
    assert removed(record, failing(Step.WRITE), occupied=False)


def test_documents_that_nobody_finds_the_way_to_are_not_told_as_removed(record):
    assert removed(record, Facts(NOW, HOME, unfound={"out"}), cleanup="all") is None
    [(_, _, text)] = told(record)
    assert text.endswith("; its documents stay in out, to which no state store leads any more")


def test_an_invalid_one_names_the_file_that_is_wrong_and_the_one_it_came_from(record):
    status = removed(record, effective=WRONG, source="destinations/dev.yaml", observedCommit="ab" * 20)

    assert condition(status)[1] == "InvalidDefinition"
    assert {name: status.extra[name] for name in ("source", "invalid", "observedCommit")} == {
        "source": "destinations/dev.yaml",
        "invalid": "destinations/new.yaml",
        "observedCommit": "ab" * 20,
    }
    assert removed(record, effective=WRONG).extra["source"] == "destinations/new.yaml"


PLACED = """
apiVersion: platform.kratix.io/v1alpha1
kind: Destination
metadata: {name: dev, labels: {env: dev}}
spec: {stateStoreRef: {kind: GitStateStore, name: side}}
"""
TARGET = Target(
    "dev",
    {},
    False,
    "GitStateStore/side",
    Location("out", ""),
    "state/dev",
    "aggregatedYAML",
    "all.yaml",
    "flux",
    True,
    "all",
)
FILES = {"state/dev/y.yaml": b"\x22" * 20, "state/dev/x.yaml": b"\x11" * 20}
WRITTEN = {"state/dev/x.yaml": "11" * 20, "state/dev/y.yaml": "22" * 20}
OVERLAP = {"reason": "PathOverlap", "message": "overlaps prod"}


def placed(record, facts=FACTS, before=None, definition=PLACED, effective=None, target=None, **made):
    """Record a Destination that documents go to, with what is different about its *target*."""
    (manifest,) = load("destinations/dev.yaml", definition.encode()).objects
    known = ClusterObject(DEV, effective or Effective(manifest, None, None), Recorded(before), None)
    found = DestinationDelivery(known, replace(TARGET, **(target or {})), "out", {})
    return record_destination(record, replace(found, **made), Provenance(3, "destinations/dev.yaml"), facts)


@pytest.mark.parametrize(
    ("situation", "ready"),
    [
        ({}, ("True", "TestDocumentsWritten", "Test documents written to State Store")),
        ({"target": {"canary": False}}, ("True", "DestinationReady", "Destination is ready")),
        ({"target": OVERLAP}, ("False", "PathOverlap", "overlaps prod")),
        ({"target": OVERLAP, "facts": failing(Step.WRITE)}, ("False", "PathOverlap", "overlaps prod")),
        (
            {"facts": failing(Step.WRITE)},
            ("False", "StateStoreWriteFailed", "Failed to write test documents to State Store: why"),
        ),
        ({"facts": failing(Step.REACH)}, ("False", "StateStoreNotReady", "GitStateStore/side: not ready: why")),
        (
            {"facts": failing(Step.WRITE, "main"), "target": {"canary": False}},
            ("True", "DestinationReady", "Destination is ready"),
        ),
    ],
)
def test_a_destination_says_whether_documents_can_go_there(record, situation, ready):
    status = placed(record, **situation)
    assert condition(status) == ready
    good = ready[0] == "True"
    reason, text = ("DestinationReady", "Destination is Ready") if good else ("DestinationNotReady", ready[2])
    assert told(record) == [(DEV, reason, text)]
    assert {h.transition.source for h in record.happened} == {"DestinationController"}
    assert {h.transition.type for h in record.happened} == {"Normal" if good else "Warning"}


@pytest.mark.parametrize(
    ("situation", "extra"),
    [
        ({}, {"branch": "out", "mode": "aggregatedYAML", "filename": "all.yaml", "cleanup": "all"}),
        ({"target": {"mode": "none"}, "branch": "main"}, {"mode": "none", "cleanup": "all"}),
        (
            {"target": {"mode": "none"}, "branch": "main", "parts": {"default/r.dev-5058f": 7}, "inventory": FILES},
            {"mode": "none", "cleanup": "all", "parts": {"default/r.dev-5058f": 7}, "inventory": WRITTEN},
        ),
        (
            {"target": {"mode": "none"}, "branch": "main", "superseded": {"old": FILES}},
            {"mode": "none", "cleanup": "all", "superseded": {"old": WRITTEN}},
        ),
    ],
)
def test_where_documents_go_is_remembered(record, situation, extra):
    status = placed(record, **situation)
    source = {"observedGeneration": 3, "source": "destinations/dev.yaml"}
    assert status.extra == source | {"path": "state/dev", "stateStore": "GitStateStore/side"} | extra
    assert list(status.extra.get("inventory", ())) == sorted(status.extra.get("inventory", ()))
    assert status.spec == {"stateStoreRef": {"kind": "GitStateStore", "name": "side"}}
    assert (status.kind, status.name, status.labels, status.generation) == ("Destination", "dev", {"env": "dev"}, 3)


@pytest.mark.parametrize("situation", [{"target": OVERLAP}, {"facts": failing(Step.WRITE)}])
def test_while_documents_cannot_go_there_where_they_were_is_remembered_with_the_policy_of_today(record, situation):
    before = Status("Destination", "dev", extra={**REMEMBERED, "other": 1})
    source = {"observedGeneration": 3, "source": "destinations/dev.yaml"}
    assert placed(record, before=before, **situation).extra == source | REMEMBERED | {"cleanup": "all"}
    assert placed(record, **situation).extra == source | {"cleanup": "all"}


def test_a_destination_in_this_repository_names_no_store(record):
    assert placed(record, definition=PLACED.replace("stateStoreRef: {kind: GitStateStore, name: side}", "")).spec == {}


def test_a_destination_that_is_invalid_keeps_what_is_known_of_it(record):
    ready = placed(record)
    status = placed(record, before=ready, effective=WRONG)
    assert (status.spec, status.labels) == (ready.spec, ready.labels)
    assert placed(record, effective=WRONG).spec == {}


@pytest.mark.parametrize("branch", ["out", "main"])
def test_drift_is_told_of_as_corrected_unless_the_branch_fails(record, branch):
    facts = replace(failing(Step.WRITE, branch), meddlers={("out", "x"): ADA})
    placed(record, facts, restored=("x",))
    corrected = (DEV, "DriftCorrected", "1 files changed outside gitops in 1234567 by Ada were restored")
    assert (corrected in told(record)) == (branch == "main")


@pytest.mark.parametrize(
    ("effective", "observed", "source"),
    [
        ("now", ADA.oid.hex(), "destinations/dev.yaml"),
        ("last good", "ab" * 20, "destinations/old.yaml"),
    ],
)
def test_the_commit_and_the_file_of_the_definition_that_is_in_effect(record, effective, observed, source):
    (manifest,) = load("destinations/dev.yaml", PLACED.encode()).objects
    known = Effective(manifest, None, None) if effective == "now" else Effective(manifest, None, WRONG.problem, True)
    before = Status("Destination", "dev", extra={"observedCommit": "ab" * 20, "source": "destinations/old.yaml"})
    facts = Facts(NOW, HOME, sources={"destinations/dev.yaml": ADA})
    status = placed(record, facts, before, effective=known)
    assert (status.extra["observedCommit"], status.extra["source"]) == (observed, source)


# the repository


def test_problems_are_listed_once_in_the_order_of_files_and_lines():
    found = [Problem("b.yaml", 1, 1, "wrong", None), Problem("a.yaml", 9, 1, "wrong", None)]
    found += [Problem("a.yaml", 2, 5, "worse", None), Problem("a.yaml", 2, 5, "bad", DEV), found[0]]
    file = yaml.safe_load(repository_file(in_order(found)))

    assert file["apiVersion"] == "platform.kratix.io/v1alpha1"
    assert (file["kind"], file["metadata"]) == ("Repository", {"name": "repository"})
    rows = [(row["file"], row["line"], row["message"]) for row in file["status"]["problems"]]
    assert rows == [("a.yaml", 2, "bad"), ("a.yaml", 2, "worse"), ("a.yaml", 9, "wrong"), ("b.yaml", 1, "wrong")]
    assert repository_file([]) is None
