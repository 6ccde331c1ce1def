"""Labels: what a group of documents asks for, and which Destinations offer it.

An inverted index answers each distinct selector once, so that ten thousand Works with a thousand Destinations cost
no more than their distinct selectors.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

from gitops.api.work import DRY_RUN, DestinationSelector

_PRECEDENCE = {"promise": 2, "promise-workflow": 1}  # all else ranks with resource-workflow, as in Kratix


class Requirement(NamedTuple):
    """One of `matchExpressions`, as a value that can be compared and remembered."""

    key: str
    operator: str
    values: frozenset[str]

    def __str__(self) -> str:
        values = f" ({','.join(sorted(self.values))})" if self.values else ""
        return f"{self.key} {self.operator}{values}"


class Selector(NamedTuple):
    """All of a group's `destinationSelectors` as one: every label and every expression must match."""

    labels: frozenset[tuple[str, str]]
    expressions: frozenset[Requirement] = frozenset()

    @property
    def empty(self) -> bool:
        return not (self.labels or self.expressions)

    def __str__(self) -> str:
        parts = [f"{k}={v}" for k, v in sorted(self.labels)] + sorted(map(str, self.expressions))
        return ",".join(parts) or "no selector"


def merge(selectors: Iterable[DestinationSelector], work_labels: Mapping[str, str]) -> Selector:
    """Merge a group's selectors: promise > promise-workflow > resource-workflow, and the later of equals wins.

    A Work with the label `kratix.io/dry-run: "true"` has that label as its only selector (Kratix scheduler, step 3).
    """
    if work_labels.get(DRY_RUN) == "true":
        return Selector(frozenset({(DRY_RUN, "true")}))
    labels: dict[str, str] = {}
    expressions: set[Requirement] = set()
    for selector in sorted(selectors, key=lambda s: _PRECEDENCE.get(s.source, 0)):
        labels.update(selector.match_labels)
        expressions.update(Requirement(e.key, e.operator, frozenset(e.values)) for e in selector.match_expressions)
    return Selector(frozenset(labels.items()), frozenset(expressions))


class Candidate(Protocol):
    """What matching needs to know of a Destination."""

    @property
    def name(self) -> str: ...
    @property
    def labels(self) -> Mapping[str, str]: ...
    @property
    def strict(self) -> bool: ...


def misses(selector: Selector, found: Candidate) -> list[str]:
    """Return the rules by which *selector* passes over a Destination, the first one first; none when it matches."""
    labels = found.labels
    told = []
    if (DRY_RUN, "true") not in selector.labels and labels.get(DRY_RUN) == "true":
        told.append(f"it is for dry runs alone: it has {DRY_RUN}=true")
    if selector.empty and found.strict and labels:
        told.append("the group asks for nothing, and spec.strictMatchLabels with labels is only for those that ask")
    told += [f"{k}={v}: it has {_held(labels, k)}" for k, v in sorted(selector.labels) if labels.get(k) != v]
    unmet = [each for each in selector.expressions if not _is_met(each, labels)]
    return told + [f"{each}: it has {_held(labels, each.key)}" for each in sorted(unmet, key=str)]


def _is_met(requirement: Requirement, labels: Mapping[str, str]) -> bool:
    key, operator, values = requirement
    return {
        "In": labels.get(key) in values,
        "NotIn": labels.get(key) not in values,
        "Exists": key in labels,
        "DoesNotExist": key not in labels,
    }[operator]


def _held(labels: Mapping[str, str], key: str) -> str:
    return f"{key}={labels[key]}" if key in labels else f"no label {key}"


class Matcher:
    """Which of these Destinations match a selector. Made anew when a Destination's labels change."""

    def __init__(self, destinations: Iterable[Candidate]) -> None:
        by_label: dict[tuple[str, str], set[str]] = {}
        by_key: dict[str, set[str]] = {}
        open_to_all: set[str] = set()
        found = list(destinations)
        self._all = frozenset(d.name for d in found)
        for d in found:
            for key, value in d.labels.items():
                by_label.setdefault((key, value), set()).add(d.name)
                by_key.setdefault(key, set()).add(d.name)
            if not (d.strict and d.labels):
                open_to_all.add(d.name)
        self._by_label, self._by_key, self._open = by_label, by_key, frozenset(open_to_all)
        self._memory: dict[Selector, frozenset[str]] = {}

    def match(self, selector: Selector) -> frozenset[str]:
        """Return the names of the Destinations that match *selector*."""
        found = self._memory.get(selector)
        if found is None:
            found = self._memory[selector] = self._match(selector)
        return found

    def _match(self, selector: Selector) -> frozenset[str]:
        found = self._open if selector.empty else self._all
        for label in selector.labels:
            found &= self._by_label.get(label, frozenset())
        for key, operator, values in selector.expressions:
            having: frozenset[str] | set[str] = self._by_key.get(key, frozenset())
            with_value = frozenset().union(*(self._by_label.get((key, v), frozenset()) for v in values))
            found = {
                "In": found & with_value,
                "NotIn": found - with_value,
                "Exists": found & having,
                "DoesNotExist": found - having,
            }[operator]
        if (DRY_RUN, "true") not in selector.labels:
            found -= self._by_label.get((DRY_RUN, "true"), frozenset())
        return frozenset(found)
