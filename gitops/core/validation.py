"""Rules for one definition that its fields' types cannot tell: paths that are safe, groups that are told apart."""

from __future__ import annotations

from collections.abc import Iterator

from gitops.api.destination import Destination
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
            yield from _file(("spec", "filepath", "filename"), model.spec.filepath.filename)
        case GitStateStore():
            yield from _directory(("spec", "path"), model.spec.path)
        case Work():
            yield from _groups(model)


def _groups(work: Work) -> Iterator[Complaint]:
    known: dict[str, int] = {}
    for number, group in enumerate(work.spec.workload_groups):
        place: Path = ("spec", "workloadGroups", number)
        yield from _directory((*place, "directory"), group.directory)
        own = group.id or group_id(group.directory)
        first = known.setdefault(own, number)
        if first != number:
            yield Complaint(place, f"{field(place)}: has the id {own}, as {field((*place[:2], first))} has")


def _directory(where: Path, path: str) -> Iterator[Complaint]:
    try:
        paths.directory(path)
    except ValueError as error:
        yield Complaint(where, f"{field(where)}: {error}")


def _file(where: Path, path: str) -> Iterator[Complaint]:
    if reason := paths.check(path):
        yield Complaint(where, f"{field(where)}: {reason}")
