"""Work: the output of a workflow, groups of documents to be delivered (Kratix `Work`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from gitops.api.meta import Definition, Labels, LabelValue, Listed, Model, label_key

PIPELINE_NAME = "kratix.io/pipeline-name"
DRY_RUN = "kratix.io/dry-run"


class Workload(Model):
    """One document: `content` is plain text, or base64 of gzip as Kratix stores it."""

    filepath: str
    content: str


class LabelSelectorRequirement(Model):
    """One of a selector's `matchExpressions` (Kubernetes `LabelSelectorRequirement`)."""

    key: Annotated[str, AfterValidator(label_key)]
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: Annotated[tuple[LabelValue, ...], Listed] = ()

    def model_post_init(self, _: Any) -> None:
        if self.operator in ("In", "NotIn") and not self.values:
            raise ValueError(f"values must be specified when operator is {self.operator}")
        if self.operator in ("Exists", "DoesNotExist") and self.values:
            raise ValueError(f"values may not be specified when operator is {self.operator}")


class DestinationSelector(Model):
    """Which Destinations a group wants. `source` sets whose word counts when two name one key."""

    match_labels: Labels = Field(default_factory=dict)
    match_expressions: Annotated[tuple[LabelSelectorRequirement, ...], Listed] = ()
    source: str = ""


class WorkloadGroup(Model):
    """The unit of scheduling. Without `workloads` it takes the files of `directory` (a folder Work)."""

    id: LabelValue = ""
    directory: str = "."
    destination_selectors: Annotated[tuple[DestinationSelector, ...], Listed] = ()
    workloads: Annotated[tuple[Workload, ...], Listed] | None = None


class WorkSpec(Model):
    """`resourceName` makes a resource request (one Destination); without it a dependency (all that match)."""

    promise_name: str = ""
    resource_name: str = ""
    last_execution_timestamp: Any = Field(default=None, exclude=True)
    workload_groups: Annotated[tuple[WorkloadGroup, ...], Listed] = ()
    values: Mapping[str, Any] = Field(default_factory=dict)


class Work(Definition):
    """A Work, as a person commits it or as `kubectl get works -o yaml` dumps it."""

    kind: Literal["Work"]
    spec: WorkSpec
