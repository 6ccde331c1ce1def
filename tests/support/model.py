"""What should be delivered, worked out a second time and as plainly as can be.

From the definitions and the placements that were accepted; written from the contract, knowing nothing of `gitops`.

"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import yaml
from support.oracle import Scene, destination
from support.platform import Platform

Definition = dict[str, Any]
CONFIGMAP = "kratix-canary-configmap.yaml"


class Folder(NamedTuple):
    """A Work and the files beside it, by their path below its folder."""

    work: Definition
    files: Mapping[str, bytes]


def judge(platform: Platform, scene: Scene) -> None:
    """Assert that placements and documents are what the definitions on the source branch ask for."""
    found = platform.files()
    defined = list(_definitions(found, "destinations/", "Destination"))
    destinations = _only(defined)
    invalid = {file for file, status in scene.statuses.items() if _reason(status) == "InvalidDefinition"}
    if len(destinations) < len(defined) or any(file.startswith("destinations/") for file in invalid):
        return
    works = {k: w for k, w in _only(list(_definitions(found, "works/", "Work"))).items() if _file(*k) not in invalid}
    for key, (work, files) in works.items():
        assert _file(*key) in scene.statuses, f"{key} has no status"
        _placements_fit(scene, key, work, destinations)
        for status in _placements(scene, key):
            name = status["spec"]["targetDestinationName"]
            target = destination(scene.statuses, name)
            if name in destinations and _written(status) and target["status"]["mode"] != "aggregatedYAML":
                definition = destinations[name].work
                _documents_are(platform, scene, status, _expected(work, files, status, target, definition))
    for file, status in scene.statuses.items():
        if file.startswith("destinations/") and status["status"].get("mode") == "aggregatedYAML":
            _aggregate_is(platform, scene, status, works, destinations, broken=_is_broken(found))
        if file.startswith("destinations/"):
            _objects_come_once(platform, scene, status, destinations)
            _parts_are_all(platform, scene, status)


def _definitions(found: Mapping[str, bytes], prefix: str, kind: str) -> Iterator[Folder]:
    folders = [
        path.removesuffix("work.yaml") for path in found if path.startswith("works/") and path.endswith("/work.yaml")
    ]
    for path, raw in found.items():
        folder = next((f for f in folders if path.startswith(f)), "")
        if not path.startswith(prefix) or (folder and path != f"{folder}work.yaml"):
            continue
        below = {p.removeprefix(folder): raw for p, raw in found.items() if folder and p.startswith(folder)}
        try:
            documents = list(yaml.load_all(raw, yaml.CSafeLoader))
        except yaml.YAMLError:
            continue
        yield from (Folder(d, below) for d in documents if isinstance(d, dict) and d.get("kind") == kind)


def _is_broken(found: Mapping[str, bytes]) -> bool:
    """Whether there is a file that may define whatever nobody has: what was written for that has to stay."""
    for path, raw in found.items():
        try:
            list(yaml.parse(raw, yaml.CSafeLoader) if path.startswith("works/") else ())
        except yaml.YAMLError:
            return True
    return False


def _only(found: list[Folder]) -> dict[Any, Folder]:
    """Index definitions by (namespace, name), or name; what is defined twice is left to others to judge."""
    listed: dict[Any, list[Folder]] = {}
    for folder in found:
        metadata = folder.work.get("metadata", {})
        own = (metadata.get("namespace", "default"), metadata.get("name"))
        listed.setdefault(own if folder.work["kind"] == "Work" else own[1], []).append(folder)
    return {key: folders[0] for key, folders in listed.items() if len(folders) == 1}


def _file(namespace: str, name: str) -> str:
    return f"works/{namespace}/{name}/work.yaml"


def _reason(status: Definition, kind: str = "Ready") -> str:
    return next((c["reason"] for c in status["status"].get("conditions", []) if c["type"] == kind), "")


def _written(status: Definition) -> bool:
    return _reason(status, "WriteSucceeded") == "WorkloadsWrittenToStateStore"


def _placements(scene: Scene, key: tuple[str, str]) -> list[Definition]:
    folder = _file(*key).removesuffix("work.yaml")
    return [s for f, s in scene.statuses.items() if f.startswith(folder) and s["kind"] == "WorkPlacement"]


def _group_id(group: Definition) -> str:
    directory = "/".join(part for part in group.get("directory", ".").split("/") if part not in ("", "."))
    return group.get("id") or hashlib.md5((directory or ".").encode()).hexdigest()


# scheduling


def _placements_fit(scene: Scene, key: tuple[str, str], work: Definition, destinations: Mapping[str, Folder]) -> None:
    single = bool(work["spec"].get("resourceName"))
    for group in work["spec"]["workloadGroups"]:
        fit = {name for name, folder in destinations.items() if _matches(group, folder.work)}
        placed = {
            s["spec"]["targetDestinationName"]: s
            for s in _placements(scene, key)
            if s["spec"]["id"] == _group_id(group)
        }
        if fit and single:
            assert placed, f"{key}: not placed although {fit} match"
        if not single:
            assert fit <= placed.keys(), f"{key}: only on {placed.keys()} although {fit} match"
        for name, status in placed.items():
            if name in destinations:
                misplaced = status["metadata"]["labels"].get("kratix.io/misplaced") == "true"
                assert misplaced == (name not in fit), f"{key} on {name}: misplaced is {misplaced}, and {fit} match"


def _matches(group: Definition, destination: Definition) -> bool:
    rank = {"promise": 2, "promise-workflow": 1}
    wanted: dict[str, str] = {}
    for selector in sorted(group.get("destinationSelectors", ()), key=lambda s: rank.get(s.get("source"), 0)):
        wanted |= selector.get("matchLabels", {})
    labels = destination["metadata"].get("labels") or {}
    if not wanted and labels and destination.get("spec", {}).get("strictMatchLabels"):
        return False
    return wanted.items() <= labels.items()


# documents


def _expected(
    work: Definition, files: Mapping[str, bytes], status: Definition, target: Definition, destination: Definition
) -> dict[str, bytes]:
    spec, metadata, body = work["spec"], work["metadata"], target["status"]
    group = next(g for g in spec["workloadGroups"] if _group_id(g) == status["spec"]["id"])
    parts: list[str] = []
    if body["mode"] == "nestedByMetadata":
        promise = spec.get("promiseName") or metadata["name"]
        parts = ["dependencies", promise]
        if spec.get("resourceName"):
            parts = ["resources", metadata.get("namespace", "default"), promise, spec["resourceName"]]
        parts += [
            metadata.get("labels", {}).get("kratix.io/pipeline-name", ""),
            status["metadata"]["name"].rpartition("-")[2],
        ]
    above = [part for part in (body["path"], *parts) if part]
    values = {**(spec.get("values") or {}), **(destination.get("spec", {}).get("values") or {})}
    return {
        "/".join([*above, path.removesuffix(".j2")]): _rendered(path, raw, destination["metadata"]["name"], values)
        for path, raw in _documents(work, group, files)
    }


def _documents(work: Definition, group: Definition, files: Mapping[str, bytes]) -> list[tuple[str, bytes]]:
    if "workloads" in group:
        return [(w["filepath"], w["content"].encode()) for w in group["workloads"]]
    own = "" if group["directory"] == "." else f"{group['directory']}/"
    others = tuple(
        f"{g['directory']}/" for g in work["spec"]["workloadGroups"] if g is not group and g["directory"] != "."
    )
    mine = {
        path for path in files if path.startswith(own) and path != "work.yaml" and (own or not path.startswith(others))
    }
    return [(path, files[path]) for path in sorted(mine)]


def _rendered(path: str, raw: bytes, destination: str, values: Mapping[str, Any]) -> bytes:
    if not path.endswith(".j2"):
        return raw
    text = raw.decode().replace("{{ destination.metadata.name }}", destination)
    return text.replace("{{ values.size }}", str(values.get("size"))).encode()


def _documents_are(platform: Platform, scene: Scene, status: Definition, expected: Mapping[str, bytes]) -> None:
    body, name = status["status"], status["metadata"]["name"]
    assert body.get("inventory", {}).keys() == expected.keys(), (
        f"{name}: {body.get('inventory')} but {expected} is wanted"
    )
    there = platform.files(at=body.get("branch", scene.home))
    for path, content in expected.items():
        assert there.get(path) == content, f"{name}: {path} holds {there.get(path)!r} and should hold {content!r}"


def _aggregate_is(
    platform: Platform,
    scene: Scene,
    target: Definition,
    works: Mapping[tuple[str, str], Folder],
    destinations: Mapping[str, Folder],
    *,
    broken: bool,
) -> None:
    """The documents of all placements, by (namespace, name, group), when all of them are plain cases."""
    name, body = target["metadata"]["name"], target["status"]
    found = [
        s
        for s in scene.statuses.values()
        if s["kind"] == "WorkPlacement" and s["spec"]["targetDestinationName"] == name
    ]
    keys = [(s["metadata"]["namespace"], s["metadata"]["labels"]["kratix.io/work"]) for s in found]
    if (
        name not in destinations
        or _reason(target) == "PathOverlap"
        or not all(map(_written, found))
        or (not found and broken)
        or not set(keys) <= works.keys()
    ):
        return
    parts: list[bytes] = []
    for key, status in sorted(zip(keys, found, strict=True), key=lambda pair: (*pair[0], pair[1]["spec"]["id"])):
        work, files = works[key]
        parts += _expected(work, files, status, target, destinations[name].work).values()
    path = "/".join(part for part in (body["path"], body["filename"]) if part)
    there = platform.files(path, at=body.get("branch", scene.home)).get(path)
    assert there == (b"\n---\n".join(parts) if parts else None), f"{path} holds {there!r}"


def _parts_are_all(platform: Platform, scene: Scene, target: Definition) -> None:
    """Where the parts of an aggregate stand there is nothing else; no aggregate any more, it has what is held back."""
    body, name = target["status"], target["metadata"]["name"]
    placements = [status for status in scene.statuses.values() if status["kind"] == "WorkPlacement"]
    placed = {f"{s['metadata']['namespace']}/{s['metadata']['name']}": s for s in placements}
    found = [placed[own] for own in body.get("parts", {}) if own in placed]
    unmoved = any(_reason(s, "WriteSucceeded") == "WorkloadsFailedWrite" or "superseded" in s["status"] for s in found)
    if not found or unmoved or _reason(target) not in ("TestDocumentsWritten", "DestinationReady"):
        return
    assert len(found) == len(body["parts"]), f"{name}: {body['parts'].keys()} are not all there"
    assert body["mode"] == "aggregatedYAML" or not any(map(_written, found)), f"{name}: {body['parts']} are written"
    sizes = sum(body["parts"].values()) + len(b"\n---\n") * (len(found) - 1)
    for status in found:
        [path] = status["status"]["inventory"]
        raw = platform.files(path, at=status["status"].get("branch", scene.home)).get(path, b"")
        assert len(raw) == sizes, f"{path} should hold no more than {body['parts'].keys()}"


def _objects_come_once(
    platform: Platform, scene: Scene, target: Definition, destinations: Mapping[str, Folder]
) -> None:
    """No object of a written placement stands a second time in the directory from which an agent syncs it.

    A placement that is held back may have one twice by itself, from a time without an agent.
    """
    name = target["metadata"]["name"]
    spec = destinations[name].work.get("spec", {}) if name in destinations else {}
    flat = spec.get("filepath", {}).get("mode") == "none"
    if name not in destinations or spec.get("agent", "none" if flat else "flux") == "none":
        return
    seen: dict[tuple[str, ...], list[Definition]] = {}
    for status, raw in _synced(platform, scene, target):
        for found in _objects(raw):
            seen.setdefault(found, []).append(status)
    for found, owners in seen.items():
        names = [status["metadata"]["name"] for status in owners]
        assert len(owners) == 1 or not any(map(_written, owners)), f"{name}: {found} comes from each of {names}"


def _synced(platform: Platform, scene: Scene, target: Definition) -> Iterator[tuple[Definition, bytes]]:
    """The documents of each placement in the directory of a Destination; of an aggregate its part."""
    name, body = target["metadata"]["name"], target["status"]
    branch, below = body.get("branch", scene.home), f"{body['path']}/" if body.get("path") else ""
    there, at = platform.files(below, at=branch), 0
    placed = [s for s in scene.statuses.values() if s.get("spec", {}).get("targetDestinationName") == name]
    owners = {f"{s['metadata']['namespace']}/{s['metadata']['name']}": s for s in placed}
    whole = below + body.get("filename", "")
    for owner, size in body.get("parts", {}).items():
        if owner in owners:
            yield owners[owner], there.get(whole, b"")[at : at + size]
        at += size + len(b"\n---\n")
    for status in placed:
        for path in (
            status["status"].get("inventory", {}) if status["status"].get("branch", scene.home) == branch else ()
        ):
            if path in there and path != whole and path.endswith((".yaml", ".yml")):
                yield status, there[path]


def _objects(raw: bytes) -> Iterator[tuple[str, ...]]:
    for document in raw.split(b"\n---\n"):
        try:
            found = list(yaml.load_all(document, yaml.CSafeLoader))
        except yaml.YAMLError:
            continue
        for one in found:
            if isinstance(one, dict) and {"apiVersion", "kind", "metadata"} <= one.keys():
                metadata = one["metadata"]
                yield one["kind"], metadata.get("namespace", "default"), metadata["name"]
