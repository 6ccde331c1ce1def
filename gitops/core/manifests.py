"""The definitions in a file. A wrong one becomes a Problem with its place, never an exception, and hides no other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

from pydantic import TypeAdapter, ValidationError

from gitops.api.destination import Destination
from gitops.api.meta import API_VERSION, GROUP, Model, Name, Namespace
from gitops.api.settings import Settings
from gitops.api.statestore import BucketStateStore, GitStateStore
from gitops.api.work import Work
from gitops.core import yaml
from gitops.core.complaints import Complaint, Path, complaints, describe, suggestion
from gitops.core.keys import Key
from gitops.core.problems import Problem, Problems
from gitops.core.validation import violations

Object = Work | Destination | GitStateStore | BucketStateStore

KINDS: Mapping[str, type[Object]] = {
    "Work": Work,
    "Destination": Destination,
    "GitStateStore": GitStateStore,
    "BucketStateStore": BucketStateStore,
}
LISTS = ("List", *(f"{kind}List" for kind in KINDS))
"""The kinds of what `kubectl get -o yaml` prints, and of what the API server itself returns."""
NAMESPACED = frozenset(("Work", "WorkPlacement"))

_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_LFS_MESSAGE = "this is a Git LFS pointer, not the file itself: keep definitions out of Git LFS"
_CONFLICT = b"<<<<<<< "
_CONFLICT_MESSAGE = "Git's conflict markers are in the file: finish the merge, and take them out"
_NAME, _NAMESPACE = TypeAdapter(Name), TypeAdapter(Namespace)


@dataclass(frozen=True, slots=True)
class Manifest:
    """A definition, the line where it begins, and what leads to it in its file: a document, an item of a `List`."""

    key: Key
    obj: Object
    path: str
    line: int
    at: yaml.Wanted


class Manifests(NamedTuple):
    """All that a file defines, and all that is wrong in it, in the order of the file."""

    objects: tuple[Manifest, ...]
    problems: tuple[Problem, ...]


@lru_cache(maxsize=4)
def load(path: str, raw: bytes) -> Manifests:
    """Read the definitions in the file *path*: any number of documents, `kind: List`s among them.

    The last few files are remembered, because a file is asked once for each of its definitions.
    """
    if raw.startswith(_LFS_POINTER):
        return Manifests((), (Problem(path, 1, 1, _LFS_MESSAGE, None),))
    documents, error = _read(raw)
    wrong = Problems(path, raw)
    candidates = (candidate for document in documents for candidate in _candidates(document))
    found = [Manifest(_key_of(obj), obj, path, c.line, c.at) for c in candidates if (obj := _object(c, wrong))]
    wrong.errors([error] if error else [])
    return Manifests(tuple(found), wrong.in_order())


def load_settings(path: str, raw: bytes) -> tuple[Settings | None, tuple[Problem, ...]]:
    """Read `gitops.yaml`. An empty file stands for the defaults; None comes with what is wrong."""
    documents, error = _read(raw)
    wrong = Problems(path, raw)
    settings: Settings | None = Settings()
    for document in documents[:1]:
        data = {} if document.data is None else document.data
        wrong.errors([fault.error for fault in document.faults])
        settings = _valid(Settings, _Candidate(document, (), data, document.line, ()), None, wrong)
    surplus = [yaml.YamlError("expected one document", document.line, 1) for document in documents[1:2]]
    wrong.errors([error] if error else surplus)
    problems = wrong.in_order()
    return (None if problems else settings), problems


def _read(raw: bytes) -> tuple[list[yaml.Document], yaml.YamlError | None]:
    """Read the documents of a file; a merge that was left unfinished is told as such."""
    documents, error = yaml.read(raw)
    marked = [number for number, line in enumerate(raw.split(b"\n"), 1) if line.startswith(_CONFLICT)] if error else []
    return documents, yaml.YamlError(_CONFLICT_MESSAGE, marked[0], 1) if marked else error


def _key_of(obj: Object) -> Key:
    """Return the key of a definition."""
    return Key(obj.kind, obj.metadata.namespace if obj.kind in NAMESPACED else "", obj.metadata.name)


class _Candidate(NamedTuple):
    """What should be an object: a document, or an item of a List, at *prefix* in it."""

    document: yaml.Document
    prefix: Path
    data: Any
    line: int
    faults: tuple[yaml.Fault, ...]

    @property
    def at(self) -> yaml.Wanted:
        """What leads to it in its file."""
        return self.document.index, self.prefix


def _candidates(document: yaml.Document) -> Iterator[_Candidate]:
    data = document.data
    if not _is_list(data):
        if data is not None or document.faults:
            yield _Candidate(document, (), data, document.line, document.faults)
        return
    faults: dict[Path, list[yaml.Fault]] = defaultdict(list)
    for fault in document.faults:
        faults[fault.path[:2] if fault.path[:1] == ("items",) else ()].append(fault)
    if around := faults[()] + faults[("items",)]:
        yield _Candidate(document, (), None, document.line, tuple(around))
    lines = document.item_lines or (document.line,) * len(data["items"])  # an alias of a list has no lines of its own
    for index, (item, line) in enumerate(zip(data["items"], lines, strict=True)):
        prefix = ("items", index)
        yield _Candidate(document, prefix, item, line, tuple(faults.get(prefix, ())))


def _is_list(data: Any) -> bool:
    return isinstance(data, dict) and data.get("kind") in LISTS and isinstance(data.get("items"), list)


def _object(candidate: _Candidate, wrong: Problems) -> Object | None:
    """Return the definition that a candidate is, or report why it is none."""
    key = _readable_key(candidate.data)
    if candidate.faults:
        wrong.errors([fault.error for fault in candidate.faults], key)
        return None
    model = _model(candidate.data)
    if isinstance(model, Complaint):
        wrong.complaints(candidate.at, [model], None)
        return None
    return _valid(model, candidate, key, wrong)


def _model(data: Any) -> type[Object] | Complaint:
    """Return the model of the kind that *data* names, or what is wrong with the kind."""
    kinds = f"the kinds of {API_VERSION} are {', '.join(KINDS)}"
    if not isinstance(data, dict):
        return Complaint((), f"expected an object with apiVersion, kind and metadata, found {describe(data)}")
    kind = data.get("kind")
    if kind is None:
        return Complaint(("kind",), f"kind: required; {kinds}")
    if kind in LISTS:
        return Complaint(("items",), f"items: expected a list, found {describe(data.get('items'))}")
    if not isinstance(kind, str) or kind not in KINDS:
        hint = suggestion(kind, list(KINDS)) if isinstance(kind, str) else ""
        return Complaint(("kind",), f"kind: {describe(kind)} is no definition{hint}; {kinds}")
    return KINDS[kind]


def _readable_key(data: Any) -> Key | None:
    """Return the key of an object that may be wrong in all but what makes its key."""
    kind, metadata = (data.get("kind"), data.get("metadata")) if isinstance(data, dict) else (None, None)
    if not isinstance(kind, str) or kind not in KINDS or not isinstance(metadata, dict):
        return None
    if not str(data.get("apiVersion", GROUP)).startswith(GROUP):
        return None
    try:
        name = _NAME.validate_python(metadata.get("name"))
        namespace = _NAMESPACE.validate_python(metadata.get("namespace") or "default")
    except ValidationError:
        return None
    return Key(kind, namespace if kind in NAMESPACED else "", name)


M = TypeVar("M", bound=Model)


def _valid(model: type[M], candidate: _Candidate, key: Key | None, wrong: Problems) -> M | None:
    """Return the candidate as an object of *model*, or report all that is wrong with it."""
    try:
        obj = model.model_validate(candidate.data, by_alias=True, by_name=False)
    except ValidationError as error:
        wrong.complaints(candidate.at, list(complaints(error, model)), key)
        return None
    broken = list(violations(obj))
    wrong.complaints(candidate.at, broken, key)
    return None if broken else obj
