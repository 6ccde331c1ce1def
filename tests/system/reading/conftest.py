"""A repository with status files of every kind, the same objects behind an API server, and kubectl to ask it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from gitops import authoring
from gitops.cli.main import main
from gitops.core import yaml
from gitops.git.commits import Identity
from gitops.git.repository import Repository

GROUP = "platform.kratix.io"
VERSION = f"{GROUP}/v1alpha1"
SHA = "0123456789abcdef0123456789abcdef01234567"
Object = dict[str, Any]


def condition(kind: str, status: str, reason: str, message: str) -> Object:
    when = "2025-06-23T14:03:20Z"
    return {"lastTransitionTime": when, "message": message, "reason": reason, "status": status, "type": kind}


def event(kind: str, reason: str, source: str, message: str, count: int, first: timedelta, last: timedelta) -> Object:
    now = datetime.now(UTC)
    first_time, last_time = ((now - ago).strftime("%Y-%m-%dT%H:%M:%SZ") for ago in (first, last))
    return {
        "type": kind,
        "reason": reason,
        "from": source,
        "message": message,
        "count": count,
        "firstTimestamp": first_time,
        "lastTimestamp": last_time,
    }


def status_file(kind: str, name: str, namespace: str = "default", **parts: Any) -> Object:
    """A status file; *parts* are labels, spec, conditions, events, and other fields of `status`."""
    cluster_scoped = kind in ("Destination", "GitStateStore", "BucketStateStore")
    metadata: Object = {"name": name} | ({} if cluster_scoped else {"namespace": namespace})
    metadata |= {"labels": parts.pop("labels")} if "labels" in parts else {}
    file: Object = {"apiVersion": VERSION, "kind": kind, "metadata": metadata | {"generation": 1}}
    file |= {"spec": parts.pop("spec")} if "spec" in parts else {}
    events = parts.pop("events", [])
    file["status"] = {"conditions": parts.pop("conditions", []), **parts}
    return file | ({"events": events} if events else {})


def path_of(file: Object) -> str:
    kind, name, namespace = file["kind"], file["metadata"]["name"], file["metadata"].get("namespace")
    if kind == "Work":
        return f"status/works/{namespace}/{name}/work.yaml"
    if kind == "WorkPlacement":
        return f"status/works/{namespace}/{file['metadata']['labels']['kratix.io/work']}/{name}.yaml"
    return f"status/destinations/{name}.yaml" if kind == "Destination" else f"status/statestores/{kind}/{name}.yaml"


class StatusRepo:
    """A repository in which the status files of objects are committed, as the daemon would."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.repo = Repository.init(path)

    def commit(self, *files: Object, message: str = "status", branch: str = "main") -> str:
        return self.commit_raw({path_of(file): yaml.dump(file) for file in files}, message, branch)

    def commit_raw(self, files: Mapping[str, bytes], message: str = "status", branch: str = "main") -> str:
        author = Identity("gitops", "gitops@localhost")
        return authoring.commit(self.repo, branch, files, author, datetime(2025, 6, 23, tzinfo=UTC), message).hex()


@pytest.fixture
def status_repo(tmp_path: Path) -> StatusRepo:
    return StatusRepo(tmp_path / "repo")


@dataclass
class Ran:
    """What a command printed, and its exit code."""

    out: str
    err: str
    code: int


Gitops = Callable[..., Ran]


@pytest.fixture
def gitops(status_repo: StatusRepo, capfd: pytest.CaptureFixture[str]) -> Gitops:
    """Runs `gitops --repo <the repository>` with the given words."""

    def run(*words: str) -> Ran:
        try:
            code = main(["--repo", str(status_repo.path), *words])
        except SystemExit as stopped:
            code = int(stopped.code or 0)
        captured = capfd.readouterr()
        return Ran(captured.out, captured.err, code)

    return run


@pytest.fixture
def sample() -> Sequence[Object]:
    """Objects of every kind, with hostile texts among them. Ages are such that they stay the same for a minute."""
    ready = condition("Ready", "True", "AllWorkplacementsScheduled", "Ready")
    return [
        status_file(
            "Work",
            "redis-small",
            labels={"team": "a", "kratix.io/promise-name": "redis"},
            conditions=[
                condition(
                    "ScheduleSucceeded",
                    "True",
                    "AllWorkplacementsScheduled",
                    "All workplacements scheduled successfully",
                ),
                ready,
            ],
            observedGeneration=1,
            observedCommit="1e20" + "0" * 36,
            source="works/redis.yaml",
            workPlacements=1,
            workPlacementsCreated=1,
        ),
        status_file(
            "Work",
            "search",
            labels={"team": "b"},
            conditions=[
                condition(
                    "ScheduleSucceeded",
                    "False",
                    "UnscheduledWorkloadGroups",
                    f"No matching destination found for workloadGroups: [{SHA},{SHA}]",
                ),
                condition("Ready", "False", "UnscheduledWorkloadGroups", "Pending"),
            ],
            events=[
                event(
                    "Warning",
                    "NoMatchingDestination",
                    "Scheduler",
                    "waiting for a destination with labels for workloadGroup: 5058f\n",
                    2,
                    timedelta(days=5, hours=3, minutes=30),
                    timedelta(hours=3, minutes=10),
                ),
                event(
                    "Normal",
                    "WorkplacementReconciled",
                    "Scheduler",
                    "two\nlines, a\ttab, \x1b[31mred\x1b[0m and\rback",
                    1,
                    timedelta(days=20, hours=1),
                    timedelta(days=20, hours=1),
                ),
            ],
        ),
        status_file(
            "Work", "hostile", labels={"team": "b"}, conditions=[condition("Ready", "False", "X", "one\ntwo \x1b[1m")]
        ),
        status_file(
            "Work", "escaped", conditions=[condition("Ready", "False", "X", '\x1b]0;title and "quotes" 日本語')]
        ),
        status_file("Work", "bare"),
        status_file("Work", "other", "team-c", conditions=[ready]),
        status_file(
            "WorkPlacement",
            "redis-small.worker-1-5058f",
            labels={"kratix.io/work": "redis-small"},
            spec={"targetDestinationName": "worker-1", "id": "5058f1af8388633f609cadb75a75dc9d", "generation": 1},
            conditions=[
                condition("Ready", "True", "WorkloadsWrittenToTargetDestination", "Ready"),
                condition("WriteSucceeded", "True", "WorkloadsWrittenToStateStore", ""),
            ],
            versionID=SHA,
            inventory={"state/worker-1/a 10.yaml": SHA, "state/worker-1/a 9.yaml": SHA},
            events=[
                event(
                    "Normal",
                    "WorkloadsWrittenToStateStore",
                    "WorkPlacementController",
                    f"successfully written to Destination: worker-1 with versionID: {SHA}",
                    1,
                    timedelta(minutes=42),
                    timedelta(minutes=42),
                )
            ],
        ),
        status_file(
            "Destination",
            "worker-1",
            labels={"env": "dev"},
            spec={"stateStoreRef": {"kind": "GitStateStore", "name": "default"}},
            conditions=[condition("Ready", "True", "TestDocumentsWritten", "Test documents written to State Store")],
            events=[
                event(
                    "Normal",
                    "DestinationReady",
                    "DestinationController",
                    "Destination is Ready",
                    3,
                    timedelta(days=800, hours=5),
                    timedelta(days=300, hours=5),
                )
            ],
        ),
        status_file("Destination", "worker-2"),
        status_file(
            "GitStateStore", "default", conditions=[condition("Ready", "True", "StateStoreReady", "x")], status="Ready"
        ),
    ]


@dataclass(frozen=True)
class Resource:
    """What the API server says of a kind; *columns* are those of Kratix's CRDs."""

    kind: str
    short: Sequence[str]
    namespaced: bool
    columns: Mapping[str, Callable[[Object], object]]


def _ready(key: str) -> Callable[[Object], object]:
    return lambda obj: next((c[key] for c in obj["status"]["conditions"] if c["type"] == "Ready"), None)


def _store(key: str) -> Callable[[Object], object]:
    return lambda obj: obj.get("spec", {}).get("stateStoreRef", {}).get(key)


RESOURCES = {
    "works": Resource("Work", ["wk"], True, {"STATUS": _ready("message")}),
    "workplacements": Resource(
        "WorkPlacement",
        ["wp", "wps"],
        True,
        {"DESTINATION": lambda obj: obj["spec"]["targetDestinationName"], "STATUS": _ready("message")},
    ),
    "destinations": Resource(
        "Destination",
        ["dest", "dests"],
        False,
        {"StateStoreKind": _store("kind"), "StateStoreName": _store("name"), "Ready": _ready("status")},
    ),
    "gitstatestores": Resource("GitStateStore", [], False, {"Ready": _ready("status")}),
    "bucketstatestores": Resource("BucketStateStore", [], False, {"Ready": _ready("status")}),
}


class ApiServer(ThreadingHTTPServer):
    """A Kubernetes API server of these kinds, just enough for kubectl to read from it."""

    daemon_threads = True

    def __init__(self, files: Sequence[Object]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        ordered = sorted(files, key=lambda f: (f["metadata"].get("namespace", ""), f["metadata"]["name"]))
        self.objects = [{key: value for key, value in file.items() if key != "events"} for file in ordered]
        self.events = [_cluster_event(f, e, n) for f in ordered for n, e in enumerate(f.get("events", []))]


def _cluster_event(file: Object, entry: Object, number: int) -> Object:
    metadata = file["metadata"]
    about = {"apiVersion": VERSION, "kind": file["kind"], "name": metadata["name"]}
    about |= {"namespace": metadata["namespace"]} if "namespace" in metadata else {}
    kept = {key: value for key, value in entry.items() if key != "from"}
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{metadata['name']}.{number}", "namespace": metadata.get("namespace", "default")},
        "involvedObject": about,
        "source": {"component": entry["from"]},
        **kept,
    }


class _Handler(BaseHTTPRequestHandler):
    server: ApiServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        discovered = _DISCOVERY.get(url.path)
        if discovered is not None:
            self._send(discovered)
            return
        found = re.search(r"/v1(?:alpha1)?(?:/namespaces/([^/]+))?/([^/]+)(?:/([^/]+))?$", url.path)
        assert found, url.path
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        self._answer(*found.groups(), query)

    def _answer(self, namespace: str | None, plural: str, name: str | None, query: Mapping[str, str]) -> None:
        chosen = [obj for obj in self._all(plural) if namespace in (None, obj["metadata"].get("namespace"))]
        chosen = _by_fields(chosen, query.get("fieldSelector", ""))
        chosen = _by_labels(chosen, query.get("labelSelector", ""))
        if name is not None:
            chosen = [obj for obj in chosen if obj["metadata"]["name"] == name]
        if query.get("watch"):
            self._stay_silent()
        elif name is not None and not chosen:
            self._send(_not_found(plural, name), 404)
        elif "as=Table" in self.headers.get("Accept", "") and plural in RESOURCES:
            self._send(_table(RESOURCES[plural], chosen, query.get("includeObject") == "Object"))
        elif name is not None:
            self._send(chosen[0])
        else:
            kind, version = (RESOURCES[plural].kind, VERSION) if plural in RESOURCES else ("Event", "v1")
            self._send({"kind": f"{kind}List", "apiVersion": version, "metadata": {}, "items": chosen})

    def _stay_silent(self) -> None:
        """Answer a watch during which nothing happens, until the client goes."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Connection", "close")
        self.end_headers()
        self.rfile.read(1)

    def _all(self, plural: str) -> list[Object]:
        if plural == "events":
            return self.server.events
        return [obj for obj in self.server.objects if obj["kind"] == RESOURCES[plural].kind]

    def _send(self, body: Object, code: int = 200) -> None:
        content = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _resource(plural: str, resource: Resource) -> Object:
    return {
        "name": plural,
        "singularName": resource.kind.lower(),
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "shortNames": resource.short,
        "verbs": ["get", "list", "watch"],
        "categories": ["kratix"],
    }


_GROUP_VERSION = {"groupVersion": VERSION, "version": "v1alpha1"}
_EVENTS = {"name": "events", "singularName": "event", "namespaced": True, "kind": "Event", "verbs": ["get", "list"]}
_DISCOVERY: Mapping[str, Object] = {
    "/version": {"major": "1", "minor": "32", "gitVersion": "v1.32.0"},
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": [_EVENTS]},
    "/apis": {
        "kind": "APIGroupList",
        "apiVersion": "v1",
        "groups": [{"name": GROUP, "versions": [_GROUP_VERSION], "preferredVersion": _GROUP_VERSION}],
    },
    f"/apis/{VERSION}": {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": VERSION,
        "resources": [_resource(plural, resource) for plural, resource in RESOURCES.items()],
    },
}


def _table(resource: Resource, objects: Sequence[Object], whole: bool) -> Object:
    columns = {"Name": lambda obj: obj["metadata"]["name"], **resource.columns}
    partial = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {},
        "columnDefinitions": [
            {"name": name, "type": "string", "format": name.lower(), "description": "", "priority": 0}
            for name in columns
        ],
        "rows": [
            {
                "cells": [cell(obj) for cell in columns.values()],
                "object": obj if whole else {**partial, "metadata": obj["metadata"]},
            }
            for obj in objects
        ],
    }


def _not_found(plural: str, name: str) -> Object:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "reason": "NotFound",
        "message": f'{plural}.{GROUP} "{name}" not found',
        "details": {"name": name, "group": GROUP, "kind": plural},
        "code": 404,
    }


def _by_fields(objects: Sequence[Object], selector: str) -> list[Object]:
    def value(obj: Object, path: str) -> object:
        for key in path.split("."):
            obj = obj.get(key, {})
        return obj or ""

    terms = [term.partition("=") for term in selector.split(",") if term and not term.startswith("involvedObject.uid")]
    return [obj for obj in objects if all(value(obj, path) == wanted for path, _, wanted in terms)]


def _by_labels(objects: Sequence[Object], selector: str) -> list[Object]:
    """Only `a=b`, `a!=b` and `a in (b,c)`, as kubectl sends them."""

    def holds(obj: Object, term: str) -> bool:
        labels = obj["metadata"].get("labels", {})
        if found := re.fullmatch(r"(\S+) in \((.*)\)", term):
            return labels.get(found[1]) in found[2].split(",")
        if term.isalnum():
            return term in labels
        key, sign, value = re.split("(!?=)", term, maxsplit=1)
        return (labels.get(key) == value) == (sign == "=")

    terms = re.findall(r"\S+ in \(.*?\)|[^,]+", selector)
    return [obj for obj in objects if all(holds(obj, term) for term in terms)]


@dataclass
class Kubectl:
    """The real kubectl, asking an API server that has the objects of *files*."""

    home: Path
    server: ApiServer = field(init=False)

    def serve(self, files: Sequence[Object]) -> None:
        self.server = ApiServer(files)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def __call__(self, *words: str) -> Ran:
        frugal = {"GOGC": "off", "GOMAXPROCS": "1"}  # it lives for a moment
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), "KUBECONFIG": os.devnull, **frugal}
        command = ["kubectl", f"--server=http://127.0.0.1:{self.server.server_port}", *words]
        ran = subprocess.run(command, env=environment, capture_output=True, check=False)
        return Ran(ran.stdout.decode(), ran.stderr.decode(), ran.returncode)


@pytest.fixture
def kubectl(tmp_path: Path) -> Iterator[Kubectl]:
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")
    asked = Kubectl(tmp_path)
    yield asked
    asked.server.shutdown()
    asked.server.server_close()
