"""The status of a WorkPlacement: the reason that is its own goes before that of the branch."""

import pytest
import yaml
from support.definitions import work

from gitops.core.definitions import Effective
from gitops.core.delivery import PlacementDelivery
from gitops.core.documents import Documents
from gitops.core.failures import Failure, Step
from gitops.core.layout import Refusal
from gitops.core.manifests import Key, load
from gitops.core.outline import outline
from gitops.core.placement_status import placement_outcome
from gitops.core.placing import Decided
from gitops.core.record import Facts
from gitops.core.recorded import RecordedPlacement, RecordedWork
from gitops.core.tree import Change
from gitops.core.world import Offer, Placement, WorkState

KEY = Key("Work", "default", "r")
FAILING = Facts("now", "main", failures={"out": Failure(Step.WRITE, "no space left")})
HELD_BACK = Offer(refusal=Refusal("PathConflict", "x.yaml belongs to default/a"))
DELIVERED = Offer(documents=Documents((), b""))


def written(offer, changes=()):
    (manifest,) = load("works/r.yaml", yaml.safe_dump(work("r")).encode()).objects
    state = WorkState(outline(manifest.obj), None, (), (), (), manifest.path)
    decided = Decided(KEY, RecordedWork(None), Effective(manifest, None, None), state)
    placement = Placement("r.dev-5058f", "5058f", "dev", False, offer)
    made = PlacementDelivery(KEY, placement.name, placement, RecordedPlacement(None), "out", "", {}, KEY, changes)
    found = placement_outcome(decided, made, 1, FAILING).status.condition("WriteSucceeded")
    return (found.status, found.reason, found.message)


@pytest.mark.parametrize(("offer", "changes"), [(DELIVERED, ()), (HELD_BACK, [Change("x.yaml", None, None)])])
def test_what_should_be_written_to_a_branch_that_fails_says_why_it_fails(offer, changes):
    assert written(offer, changes) == ("False", "WorkloadsFailedWrite", "no space left")


def test_what_is_held_back_and_has_nothing_to_write_says_what_holds_it_back():
    assert written(HELD_BACK) == ("False", "PathConflict", "x.yaml belongs to default/a")
