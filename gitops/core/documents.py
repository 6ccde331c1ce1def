"""The documents of a workload group: from a definition to file names and blob ids, rendered for a Destination.

Adding the blobs and the tree here means naming them; what becomes lasting is decided when a placement is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from gitops.api.work import Work, Workload, WorkloadGroup
from gitops.core import content, kubernetes, paths, selectors
from gitops.core.catalog import FOLDER_WORK
from gitops.core.kubernetes import ObjectId
from gitops.core.naming import group_id, short_ids
from gitops.core.patch import patch
from gitops.core.selectors import Selector
from gitops.core.text import printable
from gitops.core.tree import BLOB, FILE, LINK, Entry, Objects, Oid, files, lookup
from gitops.core.yaml import YamlError

TEMPLATE = ".j2"
_READ = (".yaml", ".yml")  # by agents
_LFS = b"version https://git-lfs.github.com/spec/"
MAX_DOCUMENTS, MAX_DOCUMENT_BYTES, MAX_WORK_BYTES = 10_000, 10 << 20, 64 << 20

Render = Callable[[str, Mapping[str, Any]], bytes]
"""Render a template's text in a scope. Raises `TemplateError`."""


class TemplateError(ValueError):
    """A template that cannot be rendered, and why; in its *line*, from 1, where that is known."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(f"line {line}: {message}" if line else message)
        self.message, self.line = message, line


class CostlyTemplateError(TemplateError):
    """A template that takes more than its share. Nobody should try it for another Destination."""


class DocumentError(ValueError):
    """What is wrong with a document; *path* is its own in the group, empty when it is none alone. *line* is from 1."""

    def __init__(self, path: str, message: str, line: int = 1) -> None:
        super().__init__(message)
        self.path, self.line = path, line


class Refusal(NamedTuple):
    """Why the documents of a placement are not written: a condition's reason and message.

    *document* is the path in the group of the one at fault, where it is one alone, and *line* where it is in that.
    """

    reason: str
    message: str
    document: str = ""
    line: int = 1


@dataclass(frozen=True, slots=True)
class Documents:
    """Finished documents: their paths (relative to the placement's place) and ids, in the Work's order, and their tree.

    `objects` are the Kubernetes objects that an agent would apply; `unfit` refuses them to one that could not. With a
    *costly* template the refusal is that of all Destinations.
    """

    files: tuple[tuple[str, Oid], ...]
    tree: Oid
    objects: frozenset[ObjectId] = frozenset()
    unfit: Refusal | None = None
    refusal: Refusal | None = None
    costly: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """A workload group ready for scheduling. `documents` is None while templates wait for a Destination."""

    id: str
    short: str
    selector: Selector
    documents: Documents | None
    sources: tuple[tuple[str, Oid], ...] = ()


def groups(work: Work, folder: Oid | None, objects: Objects) -> tuple[Group, ...]:
    """Read the groups of a Work; *folder* is the tree of a folder Work."""
    reader = _Reader(work, folder, objects)
    ids = [group_id(group) for group in work.spec.workload_groups]
    rows = zip(work.spec.workload_groups, ids, short_ids(ids), strict=True)
    return tuple(reader.group(group, own, short) for group, own, short in rows)


class _Reader(NamedTuple):
    """Reads the groups of a *work*, and of a folder Work the files in its *folder*."""

    work: Work
    folder: Oid | None
    objects: Objects

    def group(self, group: WorkloadGroup, own: str, short: str) -> Group:
        """Read one group, which has the id *own*."""
        selector = selectors.merge(group.destination_selectors, self.work.metadata.labels)
        try:
            found = tuple(self._folder_files(group) if group.workloads is None else self._inline(group.workloads))
        except DocumentError as error:
            return Group(own, short, selector, Documents((), b"", refusal=_invalid(error)))
        if any(path.endswith(TEMPLATE) for path, _ in found):
            return Group(own, short, selector, None, found)
        return Group(own, short, selector, finish(found, self.objects))

    def _inline(self, workloads: Iterable[Workload]) -> Iterator[tuple[str, Oid]]:
        """Decode the documents that stand in the definition."""
        for workload in workloads:
            try:
                raw = content.decode(workload.content)
            except ValueError as error:
                raise DocumentError(workload.filepath, f"{workload.filepath}: {error}") from None
            yield workload.filepath, self.objects.add(BLOB, raw)

    def _folder_files(self, group: WorkloadGroup) -> Iterator[tuple[str, Oid]]:
        """List the files of a group's directory, but for those in the directories of other groups."""
        own = paths.directory(group.directory)
        entry = lookup(self.objects, self.folder, own)
        if entry is None or not entry.is_tree:
            raise DocumentError("", f"directory {group.directory} is not in the folder")
        others = {paths.directory(other.directory) for other in self.work.spec.workload_groups} - {own}
        skip = tuple(f"{other}/" for other in others if other and (not own or other.startswith(f"{own}/")))
        for path, file in sorted(files(self.objects, entry.oid, f"{own}/" if own else "")):
            if path == FOLDER_WORK or path.startswith(skip):
                continue
            if not file.is_file:
                what = "symbolic link" if file.mode == LINK else "submodule"
                raise DocumentError(path, f"{path}: is a {what}, not a file")
            yield path, file.oid


def _invalid(error: DocumentError) -> Refusal:
    return Refusal("InvalidDocument", printable(str(error)), error.path, error.line)


def render(group: Group, scope: Mapping[str, Any], renderer: Render, objects: Objects) -> Documents:
    """Render the templates of *group* in *scope*; a group without templates is the same everywhere."""
    if group.documents is not None:
        return group.documents
    done: list[tuple[str, Oid]] = []
    for path, oid in group.sources:
        if not path.endswith(TEMPLATE):
            done.append((path, oid))
            continue
        try:
            text = _text(objects.blob(oid))
            done.append((path.removesuffix(TEMPLATE), objects.add(BLOB, renderer(text, scope))))
        except TemplateError as error:
            refusal = Refusal("TemplateError", printable(f"{path}: {error}"), path, error.line or 1)
            return Documents((), b"", refusal=refusal, costly=isinstance(error, CostlyTemplateError))
    return finish(tuple(done), objects)


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise TemplateError(str(error)) from None


def finish(found: tuple[tuple[str, Oid], ...], objects: Objects) -> Documents:
    """Check documents that are no templates (any more), and build their tree."""
    try:
        _check_paths([path for path, _ in found])
        identities, unfit = _check_contents(found, objects)
    except DocumentError as error:
        return Documents((), b"", refusal=_invalid(error))
    tree = patch(objects, None, [(path, Entry(FILE, oid)) for path, oid in found])
    return Documents(found, tree, identities, unfit)


def joined(made: Documents, objects: Objects) -> Documents:
    """Return *made* as parts of one file that an agent reads: all of them have to be objects, whatever their names."""
    if made.refusal or made.unfit or all(path.endswith(_READ) for path, _ in made.files):
        return made
    seen: dict[ObjectId, str] = {}
    for path, oid in made.files:
        if unfit := _identify(path, objects.blob(oid), seen):
            return replace(made, unfit=unfit)
    return replace(made, objects=frozenset(seen))


def _check_paths(found: list[str]) -> None:
    if len(found) > MAX_DOCUMENTS:
        raise DocumentError("", f"{len(found)} documents, the limit is {MAX_DOCUMENTS}")
    folded: dict[str, str] = {}
    for path in found:
        if reason := paths.check(path):
            raise DocumentError(path, reason)
        if other := folded.get(own := paths.fold(path)):
            clash = f"clashes with {other} of the same group" if other != path else "is given twice in the same group"
            raise DocumentError(path, f"{path}: {clash}")
        folded[own] = path
    for path in found:
        above = paths.fold(path)
        while above := above.rpartition("/")[0]:
            if above in folded:
                raise DocumentError(path, f"{path}: clashes with the file {folded[above]} of the same group")


def _check_contents(found: tuple[tuple[str, Oid], ...], objects: Objects) -> tuple[frozenset[ObjectId], Refusal | None]:
    seen: dict[ObjectId, str] = {}
    unfit, total = None, 0
    for path, oid in found:
        raw = objects.blob(oid)
        total += len(raw)
        if len(raw) > MAX_DOCUMENT_BYTES or total > MAX_WORK_BYTES:
            limits = f"{MAX_DOCUMENT_BYTES >> 20} MiB, or {MAX_WORK_BYTES >> 20} MiB in all"
            raise DocumentError(path, f"{path}: more than {limits}")
        if raw.startswith(_LFS):
            raise DocumentError(path, f"{path}: is a pointer of Git LFS, not the document itself")
        if path.endswith(_READ) and not unfit:
            unfit = _identify(path, raw, seen)
    return frozenset(seen), unfit


def _identify(path: str, raw: bytes, seen: dict[ObjectId, str]) -> Refusal | None:
    """Add the objects of one document to *seen*; return why an agent could not apply it."""
    try:
        found = kubernetes.objects(raw)
    except YamlError as error:
        return _invalid(DocumentError(path, f"{path}: {error}", error.line))
    for identity in found:
        if identity in seen:
            also = f", also in {seen[identity]}" if seen[identity] != path else ""
            return _invalid(DocumentError(path, f"{path}: {identity} comes twice{also}"))
        seen[identity] = path
    return None
