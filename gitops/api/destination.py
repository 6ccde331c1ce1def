"""Destination: a place that documents are delivered to (Kratix `Destination`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import Field

from gitops.api.meta import Definition, Model, Name

Agent = Literal["flux", "argocd", "none"]

NESTED: Final = "nestedByMetadata"
FLAT: Final = "none"
AGGREGATED: Final = "aggregatedYAML"
"""The modes of `filepath`, named for how documents then stand on a Destination."""

CANARIES = ("kratix-canary-namespace.yaml", "kratix-canary-configmap.yaml")
"""The names of the canary documents: a Namespace, and a ConfigMap in it."""


class StateStoreRef(Model):
    """The state store in which the documents of a Destination are written."""

    kind: Literal["GitStateStore", "BucketStateStore"]
    name: Name


class Filepath(Model):
    """How documents are laid out below the Destination's path."""

    mode: Literal["nestedByMetadata", "aggregatedYAML", "none"] = NESTED
    filename: str = "aggregated.yaml"


class InitWorkloads(Model):
    """Whether the canary documents of Kratix are written."""

    enabled: bool = True


class DestinationSpec(Model):
    """`path` defaults to the name; without `stateStoreRef` the documents stand in this repository, below `state/`."""

    path: str | None = None
    state_store_ref: StateStoreRef | None = None
    strict_match_labels: bool = False
    filepath: Filepath = Field(default_factory=Filepath)
    cleanup: Literal["none", "all"] = "none"
    init_workloads: InitWorkloads = Field(default_factory=InitWorkloads)
    agent: Agent | None = None
    values: Mapping[str, Any] = Field(default_factory=dict)


class Destination(Definition):
    """A Destination; cluster-scoped, so that its namespace means nothing."""

    kind: Literal["Destination"]
    spec: DestinationSpec = Field(default_factory=DestinationSpec)

    @property
    def path(self) -> str:
        """The directory of its documents below the store's path, as written in the definition."""
        return self.spec.path or self.metadata.name

    @property
    def agent(self) -> Agent:
        """What syncs it: as said, or Flux; nothing in mode `none`."""
        return self.spec.agent or ("none" if self.spec.filepath.mode == FLAT else "flux")
