"""Rules for one definition that its fields' types cannot tell: paths that are safe, groups that are told apart."""

from __future__ import annotations

from collections.abc import Iterator

from gitops.api.destination import AGGREGATED, CANARIES, Destination, DestinationSpec
from gitops.api.meta import Model
from gitops.api.statestore import GitStateStore
from gitops.api.work import Work
from gitops.core import paths
from gitops.core.complaints import Complaint, Path, field
from gitops.core.naming import group_id


def violations(model: Model) -> Iterator[Complaint]:
    """List the rules that a definition, valid by its types, breaks."""
    match model:
        case Destination():
            yield from _directory(("spec", "path"), model.path)
            yield from _filename(model.spec)
        case GitStateStore():
            yield from _directory(("spec", "path"), model.spec.path)
        case Work():
            yield from _groups(model)


def _groups(work: Work) -> Iterator[Complaint]:
    known: dict[str, int] = {}
    for number, group in enumerate(work.spec.workload_groups):
        place: Path = ("spec", "workloadGroups", number)
        yield from _directory((*place, "directory"), group.directory)
        own = group_id(group)
        first = known.setdefault(own, number)
        if first != number:
            yield Complaint(place, f"{field(place)}: has the id {own}, as {field((*place[:2], first))} has")


def _directory(where: Path, path: str) -> Iterator[Complaint]:
    try:
        paths.directory(path)
    except ValueError as error:
        yield Complaint(where, f"{field(where)}: {error}")


def _filename(spec: DestinationSpec) -> Iterator[Complaint]:
    where, name = ("spec", "filepath", "filename"), spec.filepath.filename
    if reason := paths.check(name) or _taken(spec, paths.fold(name).partition("/")[0]):
        yield Complaint(where, f"{field(where)}: {reason}")


def _taken(spec: DestinationSpec, top: str) -> str | None:
    """Return why the file of an aggregate cannot be, or be below, *top* of the Destination's directory."""
    taken = spec.filepath.mode == AGGREGATED and spec.init_workloads.enabled and top in CANARIES
    return f"{top} is a canary document of this Destination" if taken else None
