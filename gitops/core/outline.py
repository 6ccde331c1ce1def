"""What a Work says besides its documents: enough to place it once more, and little enough to be kept in mind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gitops.api.work import PIPELINE_NAME, Work


@dataclass(frozen=True, slots=True)
class Outline:
    """A Work without its groups. *resource* is empty unless it is a resource request."""

    name: str
    namespace: str
    labels: Mapping[str, str]
    promise: str
    resource: str

    @property
    def single(self) -> bool:
        """Whether it goes to one Destination: a resource request does."""
        return bool(self.resource)

    @property
    def pipeline(self) -> str:
        """The name of the pipeline that made it; empty when it does not say."""
        return self.labels.get(PIPELINE_NAME, "")


def outline(work: Work) -> Outline:
    """Return what is kept in mind of a Work."""
    meta, spec = work.metadata, work.spec
    return Outline(meta.name, meta.namespace, meta.labels, spec.promise_name, spec.resource_name)
