"""What tells objects apart."""

from __future__ import annotations

from typing import NamedTuple


class Key(NamedTuple):
    """Kind, namespace and name of an object. The namespace of cluster-scoped kinds is empty."""

    kind: str
    namespace: str
    name: str

    @property
    def namespaced_name(self) -> str:
        """`<namespace>/<name>`, where the kind is clear."""
        return f"{self.namespace}/{self.name}"

    def __str__(self) -> str:
        return "/".join(part for part in self if part)
