"""The status of Destinations and state stores: what is said of them, and what must be remembered of them."""

import pytest
import yaml

from gitops.api.status import Condition, Status
from gitops.core.definitions import Effective
from gitops.core.delivery import DestinationDelivery
from gitops.core.failures import Failure, Step
from gitops.core.manifests import Key, Problem, load
from gitops.core.object_status import record_destination, record_store, repository_file
from gitops.core.provenance import Provenance
from gitops.core.record import CommitName, Facts, Record
from gitops.core.recorded import Recorded
from gitops.core.sketch import Sketch
from gitops.core.targets import Location, Store
from gitops.core.world import Object

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
    known = Object(SIDE, effective or Effective(manifest, None, None), Recorded(before), None)
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
    assert stored(record, before=ready) == ready
    broken = stored(record, failing(Step.SECRET), before=ready)
    stored(record, failing(Step.SECRET), before=broken)
    stored(record, failing(Step.REACH), before=broken)
    stored(record, before=broken)

    good = 'GitStateStore "side" is ready'
    assert [message for *_, message in told(record)] == [good, "why", "unable to clone repository: why", good]


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
    known = Object(DEV, effective, Recorded(before), None)
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


# the repository


def test_problems_are_listed_once_in_the_order_of_files_and_lines():
    found = [Problem("b.yaml", 1, 1, "wrong", None), Problem("a.yaml", 9, 1, "wrong", None)]
    found += [Problem("a.yaml", 2, 5, "worse", None), Problem("a.yaml", 2, 5, "bad", DEV), found[0]]
    file = yaml.safe_load(repository_file(found))

    assert (file["kind"], file["metadata"]) == ("Repository", {"name": "repository"})
    rows = [(row["file"], row["line"], row["message"]) for row in file["status"]["problems"]]
    assert rows == [("a.yaml", 2, "bad"), ("a.yaml", 2, "worse"), ("a.yaml", 9, "wrong"), ("b.yaml", 1, "wrong")]
    assert repository_file([]) is None
