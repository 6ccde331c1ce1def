"""Definitions as people write them, made short: `work("redis", env="dev")` has one document, for `env=dev`."""

from collections.abc import Mapping, Sequence
from typing import Any

API_VERSION = "platform.kratix.io/v1alpha1"
Manifest = dict[str, Any]


def configmap(name: str, text: str = "a", namespace: str = "") -> str:
    """A document that every agent can apply."""
    where = f"\n  namespace: {namespace}" if namespace else ""
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}{where}\ndata:\n  text: {text}\n"


def selector(source: str = "promise", **labels: str) -> Manifest:
    return {"matchLabels": labels, "source": source}


def group(
    documents: Mapping[str, str] | None,
    *selectors: Manifest,
    directory: str = ".",
    **fields: Any,
) -> Manifest:
    """A workload group with *documents* by their paths; None takes the files of *directory*, in a folder Work."""
    found: Manifest = {"directory": directory, "destinationSelectors": list(selectors), **fields}
    if documents is not None:
        found["workloads"] = [{"filepath": path, "content": content} for path, content in documents.items()]
    return found


def work(
    name: str,
    documents: Mapping[str, str] | None = None,
    *,
    namespace: str = "default",
    promise: str = "redis",
    request: str = "",
    pipeline: str = "instance-configure",
    groups: Sequence[Manifest] | None = None,
    values: Mapping[str, Any] | None = None,
    labels: Mapping[str, str] | None = None,
    **selected: str,
) -> Manifest:
    """A Work. *request* makes it a resource request; *selected* are the labels that its one group asks for."""
    if documents is None:
        documents = {f"{name}.yaml": configmap(name)}
    spec: Manifest = {
        "promiseName": promise,
        "resourceName": request,
        "workloadGroups": list(groups) if groups is not None else [group(documents, selector(**selected))],
    }
    if values is not None:
        spec["values"] = dict(values)
    own = {"kratix.io/pipeline-name": pipeline} if pipeline else {}
    metadata = {"name": name, "namespace": namespace, "labels": {**own, **(labels or {})}}
    return {"apiVersion": API_VERSION, "kind": "Work", "metadata": metadata, "spec": spec}


def destination(name: str, *, mode: str = "", filename: str = "", store: str = "", **fields: Any) -> Manifest:
    """A Destination. Fields of its spec by their own names (`cleanup="all"`); all others are labels (`env="dev"`).

    *store* is a GitStateStore's name.
    """
    known = ("path", "cleanup", "agent", "strictMatchLabels", "initWorkloads", "values")
    spec = {key: fields.pop(key) for key in known if key in fields}
    if mode or filename:
        spec["filepath"] = {k: v for k, v in (("mode", mode), ("filename", filename)) if v}
    if store:
        spec["stateStoreRef"] = {"kind": "GitStateStore", "name": store}
    return {
        "apiVersion": API_VERSION,
        "kind": "Destination",
        "metadata": {"name": name, "labels": fields},
        "spec": spec,
    }


def store(name: str, branch: str = "main", path: str = "") -> Manifest:
    """A GitStateStore in this repository."""
    spec = {"branch": branch, "path": path}
    return {"apiVersion": API_VERSION, "kind": "GitStateStore", "metadata": {"name": name}, "spec": spec}
