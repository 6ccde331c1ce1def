"""Where documents stand below a Destination's directory, in each filepath mode (Kratix reference, section 6)."""

from __future__ import annotations

from collections.abc import Iterator

from gitops.api.destination import CANARIES, FLAT, NESTED
from gitops.core import paths
from gitops.core.documents import Documents, Refusal
from gitops.core.kubernetes import ObjectId
from gitops.core.outline import Outline
from gitops.core.ownership import Claim
from gitops.core.targets import Target

SEPARATOR = b"\n---\n"
_PATH, _OBJECT = "path ", "object "

CANARY_NAMESPACE = b"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: kratix-worker-system\n"
CANARY_CONFIGMAP = (
    b"apiVersion: v1\ndata:\n  canary: this confirms your infrastructure is reading from Kratix state stores\n"
    b"kind: ConfigMap\nmetadata:\n  name: kratix-info\n  namespace: kratix-worker-system\n"
)
_CANARY_OBJECTS = frozenset({
    ObjectId("", "Namespace", "", "kratix-worker-system"),
    ObjectId("", "ConfigMap", "kratix-worker-system", "kratix-info"),
})  # fmt: skip


def place(work: Outline, short: str, mode: str) -> str:
    """Return the directory of a group's documents, relative to the Destination's; "" in the flat modes."""
    if mode != NESTED:
        return ""
    promise = work.promise or work.name
    if work.resource:
        return paths.join("resources", work.namespace, promise, work.resource, work.pipeline, short)
    return paths.join("dependencies", promise, work.pipeline, short)


def canaries(target: Target) -> dict[str, bytes]:
    """Return the canary documents of a Destination, by their path relative to its directory."""
    return _canaries(target.mode) if target.canary else {}


def is_canary(target: Target, path: str) -> bool:
    """Whether *path*, a file of the branch, is where *target* has canary documents, or had them in another mode."""
    own = target.relative(path)
    return any(own in _canaries(mode) for mode in (NESTED, FLAT))


def gives_way(target: Target, path: str) -> bool:
    """Whether *path*, a file of the branch, stands where a canary document of *target* comes, or below that."""
    own = target.relative(path)
    return any(own == canary or own.startswith(f"{canary}/") for canary in canaries(target))


def _canaries(mode: str) -> dict[str, bytes]:
    above = ("dependencies", "resources") if mode == NESTED else ("", "")
    return dict(zip(map(paths.join, above, CANARIES), (CANARY_NAMESPACE, CANARY_CONFIGMAP), strict=True))


def refusal(target: Target, root: str, documents: Documents) -> Refusal | None:
    """Return why these documents cannot be delivered at *root* of *target*."""
    if documents.refusal:
        return documents.refusal
    if target.agent != "none" and documents.unfit:
        return documents.unfit
    if target.aggregate:
        final = {target.aggregate: ""}
    else:
        final = {paths.join(target.directory, root, path): path for path, _ in documents.files}
    for path, document in final.items():
        if reason := paths.check(path):
            return Refusal("InvalidDocument", reason, document)
        if path.startswith("."):
            text = f"{path}: {path.split('/', 1)[0]} is not a Destination's place"
            return Refusal("InvalidDocument", text, document)
    return None


def claim(target: Target, root: str, documents: Documents) -> Claim:
    """Return what a placement needs for itself: its directory or its files, and for an agent its objects."""
    if target.mode == NESTED:
        wanted = path_claim([root], shared_from=2)
    elif target.mode == FLAT:
        wanted = path_claim([path for path, _ in documents.files])
    else:
        wanted = Claim()
    return wanted if target.agent == "none" else wanted | object_claim(documents.objects)


def path_claim(wanted: list[str], shared_from: int = 1) -> Claim:
    """Claim paths for oneself, and the directories above them (from depth *shared_from* on) together with others."""
    own = {_PATH + paths.fold(path) for path in wanted}
    above = {_PATH + directory for path in wanted for directory in _above(paths.fold(path), shared_from)}
    return Claim(frozenset(own), frozenset(above - own))


def _above(path: str, shared_from: int) -> Iterator[str]:
    parts = path.split("/")
    return ("/".join(parts[:n]) for n in range(shared_from, len(parts)))


def tokens(target: Target, path: str) -> list[str]:
    """Return the claims by which *path*, a file of the branch, may belong to somebody on *target*."""
    own = paths.fold(target.relative(path))
    return [_PATH + directory for directory in _above(own, 1)] + [_PATH + own]


def object_claim(objects: frozenset[ObjectId]) -> Claim:
    """Claim Kubernetes objects."""
    return Claim(frozenset(_OBJECT + str(o) for o in objects))


def canary_claim(mode: str) -> Claim:
    """Claim the canary documents of a filepath mode, and the objects in them."""
    return _canary_paths(mode) | object_claim(_CANARY_OBJECTS)


def _canary_paths(mode: str) -> Claim:
    return Claim(path_claim(list(_canaries(mode))).exclusive)


def reserved(target: Target) -> Claim:
    """Return what belongs to the Destination itself, whatever a placement wants."""
    if not target.canary:
        return Claim()
    return _canary_paths(target.mode) if target.agent == "none" else canary_claim(target.mode)


def lost(token: str, owner: str) -> Refusal:
    """Put a lost claim into words: the path or the object, and whose it is."""
    if token.startswith(_PATH):
        return Refusal("PathConflict", f"{token.removeprefix(_PATH)} belongs to {owner}")
    return Refusal("InvalidDocument", f"{token.removeprefix(_OBJECT)} is already delivered by {owner}")
