"""Where a Work is at fault: the document that a refusal is about, where the definition has it, or the definition."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from gitops.api.work import Work, WorkloadGroup
from gitops.core import documents, yaml
from gitops.core.catalog import FOLDER_WORK, unit_path
from gitops.core.documents import TEMPLATE, Refusal
from gitops.core.keys import Key
from gitops.core.manifests import Manifest
from gitops.core.naming import group_id
from gitops.core.placing import Decided
from gitops.core.problems import Problem
from gitops.core.tree import Entry, Objects, lookup


class _Fault(NamedTuple):
    """What is wrong in a file, from a line on; *at* leads to the very place in a definition, where there is one."""

    path: str
    line: int
    at: yaml.Wanted | None
    message: str
    key: Key


def refusals(works: Iterable[Decided], objects: Objects) -> Iterator[Problem]:
    """Point at all for which documents of *works* would not be written; each file is read once."""
    found: dict[Entry, list[_Fault]] = {}
    for work in works:
        if work.effective.entry:
            found.setdefault(work.effective.entry, []).extend(_faults(work, objects))
    for entry, faults in found.items():
        wanted = [fault.at for fault in faults if fault.at]
        file = lookup(objects, entry.oid, FOLDER_WORK) if entry.is_tree else entry
        places = yaml.locate(objects.blob(file.oid), wanted) if wanted and file else {}
        for path, first, at, message, key in faults:
            line, column = places[at].position if at else (first, 1)
            yield Problem(path, line, column, message, key)


def alone(manifest: Manifest, raw: bytes, objects: Objects) -> Iterator[Problem]:
    """Point at the documents of a definition in the file *raw* that no Destination would be given."""
    if not isinstance(manifest.obj, Work):
        return
    for group in documents.groups(manifest.obj, None, objects):
        refusal = group.documents and group.documents.refusal
        if refusal and (at := _workload(manifest, group.id, refusal)):
            line, column = yaml.locate(raw, [at])[at].position
            message = f"{manifest.key}: {refusal.reason}: {refusal.message}"
            yield Problem(manifest.path, line, column, message, manifest.key)


def _faults(work: Decided, objects: Objects) -> Iterator[_Fault]:
    """List each fault of a Work once; of one that is in effect only as it once was, what is wrong is told already."""
    manifest = work.effective.manifest
    if manifest is None or work.effective.problem or work.state is None:
        return
    refused = [(group.id, group.documents.refusal) for group in work.state.groups if group.documents]
    refused += [(placement.group, placement.offer.refusal) for placement in work.state.placements]
    for group, refusal in dict.fromkeys(refused):
        if refusal:
            message = f"{work.key}: {refusal.reason}: {refusal.message}"
            if file := _file(work, manifest, group, refusal, objects):
                yield _Fault(*file, None, message, work.key)
            else:
                yield _Fault(manifest.path, manifest.line, _workload(manifest, group, refusal), message, work.key)


def _file(work: Decided, manifest: Manifest, group: str, refusal: Refusal, objects: Objects) -> tuple[str, int] | None:
    """Return the file of a folder Work that is at fault, and its line: of what was rendered that is the first."""
    entry, own = work.effective.entry, next((own for _, own in _groups(manifest, group) if own.workloads is None), None)
    if entry is None or own is None or not refusal.document:
        return None
    places = (refusal.document, refusal.line), (f"{refusal.document}{TEMPLATE}", 1)
    folder = unit_path(work.effective.source)
    return next(((f"{folder}/{path}", line) for path, line in places if lookup(objects, entry.oid, path)), None)


def _workload(manifest: Manifest, group: str, refusal: Refusal) -> yaml.Wanted | None:
    """Return what leads to the path of the document at fault; None where the definition does not have it."""
    index, prefix = manifest.at
    document = refusal.document.removesuffix(TEMPLATE)
    for number, own in _groups(manifest, group):
        named = [w.filepath.removesuffix(TEMPLATE) for w in own.workloads or ()]
        if document in named:
            last = len(named) - 1 - named[::-1].index(document)  # of two with one path
            return index, (*prefix, "spec", "workloadGroups", number, "workloads", last, "filepath")
    return None


def _groups(manifest: Manifest, group: str) -> Iterator[tuple[int, WorkloadGroup]]:
    """List the groups of the definition with this id, and their places in it."""
    for number, own in enumerate(manifest.obj.spec.workload_groups if isinstance(manifest.obj, Work) else ()):
        if group == group_id(own):
            yield number, own
