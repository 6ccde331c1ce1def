"""Which Kubernetes objects a document holds, as Flux's kustomize build would take them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

import yaml

from gitops.core.complaints import describe
from gitops.core.yaml import block
from gitops.core.yaml.scalars import resolve
from gitops.core.yaml.stream import Event, Events, YamlError, walk_libyaml

MAX_DEPTH = 128
MAX_NODES = 1_000_000

CLUSTER_SCOPED = frozenset(
    (
        "APIService",
        "CSIDriver",
        "CSINode",
        "CertificateSigningRequest",
        "ClusterRole",
        "ClusterRoleBinding",
        "CustomResourceDefinition",
        "FlowSchema",
        "IngressClass",
        "MutatingWebhookConfiguration",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PriorityClass",
        "PriorityLevelConfiguration",
        "RuntimeClass",
        "StorageClass",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
        "VolumeAttachment",
    )
)
_TELLING = frozenset(("apiVersion", "kind", "metadata", "name", "namespace", "items", "<<"))


class ObjectId(NamedTuple):
    """What makes two objects the same one in a cluster: the version of an API does not."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        kind = f"{self.kind}.{self.group}" if self.group else self.kind
        return "/".join(part for part in (kind, self.namespace, self.name) if part)


def objects(raw: bytes) -> tuple[ObjectId, ...]:
    """Return the objects of a `.yaml` file: of all its documents, and the items of Lists.

    YamlError, in plain words and with the line, when an agent could not build it.
    """
    plain = block.load(raw, MAX_NODES)
    if plain is not None:
        with suppress(YamlError):  # the walk knows the line of what is wrong
            return tuple(found for document in plain for found in _identities(document.data, document.line))
    documents = walk_libyaml(raw, _Skeletons().build)
    return tuple(found for data, line in documents if data is not None for found in _identities(data, line))


def recognised(raw: bytes) -> Iterator[ObjectId]:
    """List the objects in any text: those of each of its YAML documents that an agent could build."""
    for document in raw.split(b"\n---\n"):
        with suppress(ValueError):
            yield from objects(document)


class _Skeleton(dict[str, Any]):
    """Of a mapping what tells an object's identity, and its line."""

    line = 1


def _identities(document: Any, line: int) -> Iterator[ObjectId]:
    pending = [document]
    while pending:
        data = pending.pop()
        if not isinstance(data, dict):
            raise YamlError(f"expected a Kubernetes object, found {describe(data)}", line, 1)
        line = getattr(data, "line", line)
        if str(data.get("kind")).endswith("List") and isinstance(data.get("items"), list):
            pending += reversed(data["items"])
        else:
            yield _identity(data, line)


def _identity(data: dict[str, Any], line: int) -> ObjectId:
    metadata = data.get("metadata")
    within = metadata if isinstance(metadata, dict) else {}
    group, kind = _text(data, "apiVersion", line).rpartition("/")[0], _text(data, "kind", line)
    name = _text(within, "name", line, "metadata.")
    namespace = _text(within, "namespace", line, "metadata.") if within.get("namespace") else "default"
    return ObjectId(group, kind, "" if kind in CLUSTER_SCOPED else namespace, name)


def _text(data: dict[str, Any], key: str, line: int, above: str = "") -> str:
    value = data.get(key)
    if not value:
        raise YamlError(f"the object has no {above}{key}", line, 1)
    if not isinstance(value, str):
        raise YamlError(f"{above}{key}: expected a string, found {describe(value)}", line, 1)
    return value


class _Level:
    """A list or mapping around the place of the walk. *node* is None when nothing of it tells an object's identity.

    *keys* are those that a mapping has had so far; *key* waits for its value.
    """

    __slots__ = ("anchor", "key", "keys", "node")

    def __init__(self, node: list[Any] | _Skeleton | None, keys: set[str] | None, anchor: str | None) -> None:
        self.node, self.keys, self.anchor = node, keys, anchor
        self.key: str | None = None

    @property
    def telling(self) -> bool:
        """Whether the value that comes next tells an object's identity."""
        return isinstance(self.node, list) or (self.node is not None and self.key in _TELLING)


class _Skeletons:
    """Builds what tells the identity of the objects, and whatever has an anchor, since that may be part of it."""

    def build(self, events: Events) -> list[tuple[Any, int]]:
        """Return the skeleton of each document, and its line."""
        documents: list[Any] = []
        lines: list[int] = []
        self._levels = [_Level(documents, None, None)]
        self._nodes = 0
        for event in events:
            if isinstance(event, yaml.NodeEvent):
                self._node(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._end(event)
            elif isinstance(event, yaml.DocumentStartEvent):
                self._anchors: dict[str, Any] = {}
                lines.append(_line(event))
        return list(zip(documents, lines, strict=True))

    def _node(self, event: Event) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise _error(f"more than {MAX_NODES} values", event)
        level = self._levels[-1]
        if isinstance(event, yaml.CollectionStartEvent):
            self._start(level, event)
        elif level.keys is not None and level.key is None:
            self._key(level, event)
        elif isinstance(event, yaml.ScalarEvent):
            self._put(level, _value(event) if level.telling or event.anchor else None, event.anchor)
        elif event.anchor in self._anchors:
            self._put(level, self._anchors[event.anchor], None)
        else:
            raise _error(f"the alias *{event.anchor} has no anchor", event)

    def _start(self, level: _Level, event: Event) -> None:
        if len(self._levels) > MAX_DEPTH:
            raise _error(f"nested deeper than {MAX_DEPTH} levels", event)
        if level.keys is not None and level.key is None:
            raise _error("a list or mapping cannot be a key: is this a template that nobody rendered?", event)
        kept, is_list = level.telling or event.anchor, isinstance(event, yaml.SequenceStartEvent)
        node: list[Any] | _Skeleton | None = None
        if kept:
            node = [] if is_list else _Skeleton()
        if isinstance(node, _Skeleton):
            node.line = _line(event)
        self._levels.append(_Level(node, None if is_list else set(), event.anchor))

    def _key(self, level: _Level, event: Event) -> None:
        level.key = event.value if isinstance(event, yaml.ScalarEvent) else f"*{event.anchor}"
        if level.keys is None or level.key in level.keys:
            raise _error(f'duplicate key "{level.key}"', event)
        level.keys.add(level.key)

    def _end(self, event: Event) -> None:
        ended, level = self._levels.pop(), self._levels[-1]
        if isinstance(ended.node, _Skeleton):
            _merge(ended.node, event)
        self._put(level, ended.node, ended.anchor)

    def _put(self, level: _Level, value: Any, anchor: str | None) -> None:
        if anchor:
            self._anchors[anchor] = value
        if isinstance(level.node, list):
            level.node.append(value)
        elif level.telling and level.node is not None and level.key is not None:
            level.node[level.key] = value
        level.key = None


def _merge(node: _Skeleton, event: Event) -> None:
    """Apply the merge key of YAML 1.1: what stands in the mapping itself goes first."""
    merged = node.pop("<<", ())
    for source in merged if isinstance(merged, list | tuple) else (merged,):
        if not isinstance(source, _Skeleton):
            raise _error("the merge key << wants a mapping, or a list of them", event)
        for key, value in source.items():
            node.setdefault(key, value)


def _value(event: Event) -> Any:
    return event.value if event.style or event.tag else resolve(event.value)


def _error(message: str, event: Event) -> YamlError:
    return YamlError(message, _line(event), event.start_mark.column + 1)


def _line(event: Event) -> int:
    return int(event.start_mark.line) + 1
