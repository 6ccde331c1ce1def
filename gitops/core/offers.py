"""What the groups of a Work have for each Destination: where the documents go, which they are, or why none go there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitops.api.destination import AGGREGATED, NESTED
from gitops.core import definitions, documents, kubernetes, layout
from gitops.core.definitions import InEffect
from gitops.core.documents import Documents, Group, Refusal, Render
from gitops.core.naming import group_id
from gitops.core.outline import Outline
from gitops.core.ownership import Claim
from gitops.core.parts import Parts, part_name
from gitops.core.recorded import RecordedPlacement, RecordedWork
from gitops.core.targets import Target
from gitops.core.tree import Objects
from gitops.core.world import Offer


class Offers:
    """The offers of one Work. Alike Destinations share one: without templates a thousand cost no more than one."""

    def __init__(
        self,
        work: Outline,
        effective: InEffect,
        recorded: RecordedWork,
        renderer: Render,
        objects: Objects,
        parts: Parts,
    ) -> None:
        self._work, self._effective, self._recorded = work, effective, recorded
        self._renderer, self._objects, self._parts = renderer, objects, parts
        self._shared: dict[tuple[object, ...], Offer] = {}
        self.costly: dict[str, Documents] = {}  # of groups whose templates are not to be tried again

    def of(self, group: Group, target: Target, name: str) -> Offer:
        """Return what *group* has for *target*, as its placement *name*."""
        alike = (group.id, *target.traits)
        offer = self._shared.get(alike)
        if offer is None:
            offer = self._offer(group, target, name)
            if group.documents and not offer.refusal:
                self._shared[alike] = offer
        return offer

    def _offer(self, group: Group, target: Target, name: str) -> Offer:
        root = layout.place(self._work, group.short, target.mode)
        if target.reason:
            return Offer(root, None, Refusal("WorkloadsFailedWrite", target.message))
        made = self.costly.get(group.id) or self._render(group, target)
        if refused := layout.refusal(target, root, made):
            recorded, own = self._recorded.placement(name), part_name(self._work.namespace, name)
            return Offer(root, None, refused, holdings(own, recorded, root, target, self._parts, self._objects))
        return Offer(root, made, None, layout.claim(target, root, made))

    def _render(self, group: Group, target: Target) -> Documents:
        made = documents.render(group, _scope(self._effective, group, target), self._renderer, self._objects)
        if made.costly:
            self.costly[group.id] = made
        is_joined = target.mode == AGGREGATED and target.agent != "none"
        return documents.joined(made, self._objects) if is_joined else made


def _scope(effective: InEffect, group: Group, target: Target) -> Mapping[str, Any]:
    if group.documents is not None:
        return {}
    work = definitions.work(effective)
    directory = next((g.directory for g in work.spec.workload_groups if group_id(g) == group.id), ".")
    spec = {"promiseName": work.spec.promise_name, "resourceName": work.spec.resource_name}
    meta = work.metadata
    return {
        "work": {
            "metadata": {
                "name": meta.name,
                "namespace": meta.namespace,
                "labels": dict(meta.labels),
                "annotations": dict(meta.annotations),
            },
            "spec": spec,
        },
        "destination": {
            "metadata": {"name": target.name, "labels": dict(target.labels)},
            "spec": {"path": target.path, "filepath": {"mode": target.mode}},
        },
        "group": {"id": group.id, "directory": directory},
        "values": {**work.spec.values, **target.values},
    }


def holdings(
    name: str, recorded: RecordedPlacement, root: str, target: Target, parts: Parts, objects: Objects
) -> Claim:
    """Return what a placement at *root* holds from before: its recorded files, and for an agent the objects in them.

    Of an aggregate those in its part, which has this *name*. It goes along with a Destination that moves, but stays
    where it was of one that is no aggregate any more.
    """
    inventory, part = recorded.inventory(), parts.one(target.name, name, recorded)
    if target.aggregate and (part or target.aggregate in inventory):
        return layout.object_claim(frozenset(kubernetes.recognised(part or b"")))
    below = [target.relative(path) for path in inventory if target.holds(path)]
    if target.mode == NESTED and any(path.startswith(f"{root}/") for path in below):
        below = [root]
    if not below:
        return Claim()
    claim = layout.path_claim(below, shared_from=2 if target.mode == NESTED else 1)
    if target.agent == "none":
        return claim
    found = tuple((path, oid) for path, oid in inventory.items() if oid in objects)
    own = documents.finish(found, objects).objects if part is None else frozenset(kubernetes.recognised(part))
    return claim | layout.object_claim(own)
