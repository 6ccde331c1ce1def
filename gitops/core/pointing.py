"""Where in its file a definition is at fault: the workload that a refusal is about, or else the definition itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from gitops.core import definitions, yaml
from gitops.core.catalog import FOLDER_WORK
from gitops.core.documents import TEMPLATE, Refusal
from gitops.core.manifests import Manifest
from gitops.core.naming import group_id
from gitops.core.placing import Decided
from gitops.core.problems import Problem
from gitops.core.tree import Entry, Objects, lookup


class _Fault(NamedTuple):
    """What is wrong with the definition, and what leads there in its file; *at* is None where it is the whole."""

    manifest: Manifest
    at: yaml.Wanted | None
    message: str


def refusals(works: Iterable[Decided], objects: Objects) -> Iterator[Problem]:
    """Point at all for which documents of *works* would not be written; each file is read once."""
    found: dict[Entry, list[_Fault]] = {}
    for work in works:
        if work.effective.entry:
            found.setdefault(work.effective.entry, []).extend(_faults(work))
    for entry, faults in found.items():
        wanted = [fault.at for fault in faults if fault.at]
        file = lookup(objects, entry.oid, FOLDER_WORK) if entry.is_tree else entry
        places = yaml.locate(objects.blob(file.oid), wanted) if wanted and file else {}
        for manifest, at, message in faults:
            line, column = places[at].position if at else (manifest.line, 1)
            yield Problem(manifest.path, line, column, message, manifest.key)


def _faults(work: Decided) -> Iterator[_Fault]:
    """List each fault of a Work once; of one that is in effect only as it once was, what is wrong is told already."""
    manifest = work.effective.manifest
    if manifest is None or work.effective.problem or work.state is None:
        return
    refused = [(group.id, group.documents.refusal) for group in work.state.groups if group.documents]
    refused += [(placement.group, placement.offer.refusal) for placement in work.state.placements]
    for group, refusal in dict.fromkeys(refused):
        if refusal:
            message = f"{work.key}: {refusal.reason}: {refusal.message}"
            yield _Fault(manifest, _workload(work, manifest, group, refusal), message)


def _workload(work: Decided, manifest: Manifest, group: str, refusal: Refusal) -> yaml.Wanted | None:
    """Return what leads to the path of the document at fault; None where the definition does not have it."""
    index, prefix = manifest.at
    definition, document = definitions.work(work.effective), refusal.document.removesuffix(TEMPLATE)
    for number, own in enumerate(definition.spec.workload_groups if definition else ()):
        named = [w.filepath.removesuffix(TEMPLATE) for w in own.workloads or ()]
        if group == (own.id or group_id(own.directory)) and document in named:
            last = len(named) - 1 - named[::-1].index(document)  # of two with one path
            return index, (*prefix, "spec", "workloadGroups", number, "workloads", last, "filepath")
    return None
