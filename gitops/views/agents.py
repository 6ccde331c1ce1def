"""What an agent has to be told so that it syncs Destinations: manifests of Flux and of Argo CD.

In mode `nestedByMetadata` dependencies come before the resources that need them; in the other modes a Destination is
one folder. An agent fetches, or looks for changes in, no more than the Destination's own folder.

A path that is not in Git stops an agent, which then removes nothing either. Only the canary documents keep a folder
there when nothing else is in it: without them the path is the top of the repository, of which all else is left out.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

from gitops.api.destination import NESTED
from gitops.views.serialise import to_yaml

FLUX, ARGOCD = "flux", "argocd"
NAMESPACES = {FLUX: "flux-system", ARGOCD: "argocd"}

_DESTINATION = "platform.kratix.io/destination"
_TIERS = ("dependencies", "resources")
_PROJECT = "gitops-destinations"
_MAGIC = re.compile(r"[*?[]| (?=/|$)")  # what a `.gitignore` takes for more, or less, than it is
_GLOB = re.compile(r"[*?{}[\]\\]")  # what Argo CD takes for more than it is
_LABEL = 63  # characters of a label's value: agents write the names of their objects into labels of what they apply
_RETRY = {"limit": -1, "backoff": {"duration": "10s", "factor": 2, "maxDuration": "5m"}}

Object = Mapping[str, Any]


class Folder(NamedTuple):
    """Where the documents of a Destination stand: a repository as the agent reaches it, a branch, a directory.

    *lasting* tells that there are documents in it at any time, the canary documents at least.
    """

    destination: str
    url: str
    branch: str
    directory: str
    mode: str
    lasting: bool


class Wishes(NamedTuple):
    """What the agent is to be given besides: its namespace, and the Secret that lets it into the repository, if any.

    *in_cluster* tells that each Destination has an Argo CD of its own; else one knows them as clusters, by their names.
    """

    namespace: str
    secret: str = ""
    in_cluster: bool = False


def manifests(agent: str, folders: Sequence[Folder], wishes: Wishes) -> str:
    """Return the YAML to apply: for *agent* and all of *folders*."""
    return "---\n".join(map(to_yaml, _MAKERS[agent](folders, wishes)))


def flux(folders: Sequence[Folder], wishes: Wishes) -> Iterator[Object]:
    """List a GitRepository for each Destination, and the Kustomizations that apply it."""
    for folder in folders:
        yield _git_repository(folder, wishes)
        before: list[str] = []
        for name, path in _parts(folder):
            yield _kustomization(folder, wishes, name, path, before)
            before = [name]


def _git_repository(folder: Folder, wishes: Wishes) -> Object:
    spec: dict[str, Any] = {"interval": "1m0s", "url": folder.url, "ref": {"branch": folder.branch}}
    if wishes.secret:
        spec["secretRef"] = {"name": wishes.secret}
    if folder.directory:
        spec["ignore"] = "".join(f"{line}\n" for line in _all_but(folder.directory))
    return _object("source.toolkit.fluxcd.io/v1", "GitRepository", _source(folder), folder, wishes, spec)


def _source(folder: Folder) -> str:
    return _short(f"gitops-{folder.destination}")


def _kustomization(folder: Folder, wishes: Wishes, name: str, path: str, before: Sequence[str]) -> Object:
    spec: dict[str, Any] = {
        "interval": "10m0s",
        "retryInterval": "1m0s",
        "timeout": "5m0s",
        "path": f"./{path}",
        "prune": True,
        "wait": True,
        "sourceRef": {"kind": "GitRepository", "name": _source(folder)},
    }
    if before:
        spec["dependsOn"] = [{"name": other} for other in before]
    return _object("kustomize.toolkit.fluxcd.io/v1", "Kustomization", name, folder, wishes, spec)


def _all_but(directory: str) -> Iterator[str]:
    """List the lines of a `.gitignore` that leave nothing but *directory*: each folder above hides what is beside."""
    yield "/*"
    pattern = _MAGIC.sub(r"\\\g<0>", directory)
    for folder in accumulate(pattern.split("/"), "{}/{}".format):
        yield f"!/{folder}"
        if folder != pattern:
            yield f"/{folder}/*"


def argocd(folders: Sequence[Folder], wishes: Wishes) -> Iterator[Object]:
    """List an AppProject for all, and the Applications of each Destination, which sync in waves."""
    yield _project(folders, wishes)
    for folder in folders:
        for wave, (name, path) in enumerate(_parts(folder)):
            yield _application(folder, wishes, name, path, wave)


def _project(folders: Sequence[Folder], wishes: Wishes) -> Object:
    anywhere = [{"server": "*", "namespace": "*"}]
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {
            "name": _PROJECT,
            "namespace": wishes.namespace,
            "annotations": {"argocd.argoproj.io/sync-wave": "-1"},
        },
        "spec": {
            "description": "Documents written by gitops",
            "sourceRepos": sorted({folder.url for folder in folders}),
            "destinations": anywhere,
            "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
        },
    }


def _application(folder: Folder, wishes: Wishes, name: str, path: str, wave: int) -> Object:
    cluster = {"server": "https://kubernetes.default.svc"} if wishes.in_cluster else {"name": folder.destination}
    alone = {} if path or not folder.directory else {"include": _all_below(folder.directory)}
    spec = {
        "project": _PROJECT,
        "source": {
            "repoURL": folder.url,
            "targetRevision": folder.branch,
            "path": path or ".",
            "directory": {"recurse": True, **alone},
        },
        "destination": {**cluster, "namespace": "default"},
        "syncPolicy": {
            "automated": {"prune": True, "selfHeal": True, "allowEmpty": True},
            "retry": _RETRY,
            "syncOptions": ["ServerSideApply=true", "SkipDryRunOnMissingResource=true"],
        },
    }
    found = _object("argoproj.io/v1alpha1", "Application", name, folder, wishes, spec)
    found["metadata"]["finalizers"] = ["resources-finalizer.argocd.argoproj.io"]
    found["metadata"]["annotations"] = {
        "argocd.argoproj.io/sync-wave": str(wave),
        "argocd.argoproj.io/manifest-generate-paths": f"/{folder.directory}" if alone else ".",
    }
    return found


def _all_below(directory: str) -> str:
    """Return the pattern of Argo CD, whose `*` takes in slashes, for all that is in *directory*."""
    return _GLOB.sub(r"\\\g<0>", directory) + "/*"


def _parts(folder: Folder) -> list[tuple[str, str]]:
    """Return what is applied as one, in its order: names, and directories from the top of the repository."""
    if not folder.lasting:
        return [(_whole(folder.destination), "")]
    if folder.mode != NESTED:
        return [(_whole(folder.destination), folder.directory)]
    above = f"{folder.directory}/" if folder.directory else ""
    return [(_short(folder.destination, f"-{tier}"), f"{above}{tier}") for tier in _TIERS]


def _object(version: str, kind: str, name: str, folder: Folder, wishes: Wishes, spec: Object) -> dict[str, Any]:
    labels = {"app.kubernetes.io/managed-by": "gitops", _DESTINATION: _short(folder.destination)}
    metadata = {"name": name, "namespace": wishes.namespace, "labels": labels}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}


def _short(name: str, end: str = "") -> str:
    """Return *name* and *end*; of a name that is too long its beginning, and a hash by which it differs from others."""
    return name + end if len(name + end) <= _LABEL else _hashed(name, end)


def _whole(name: str) -> str:
    """Name what is applied as one: never as the tiers of another, as a Destination `dev-resources` beside `dev`."""
    return _hashed(name) if name.endswith(tuple(f"-{tier}" for tier in _TIERS)) else _short(name)


def _hashed(name: str, end: str = "") -> str:
    end = f"-{hashlib.sha256(name.encode()).hexdigest()[:8]}{end}"
    return name[: _LABEL - len(end)].rstrip("-.") + end


_MAKERS: Mapping[str, Callable[[Sequence[Folder], Wishes], Iterator[Object]]] = {FLUX: flux, ARGOCD: argocd}
