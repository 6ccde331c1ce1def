"""The source repository: Works and Destinations of any number, the same for the same size.

Every second Work is a resource request (one placement), every other a dependency, so that they have as many placements
as was asked for on the average. The Destinations stand in five zones; one of each zone has the tier `edge`, which no
dependency selects.
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from textwrap import indent

from benchmarks import documents
from benchmarks.repository import Repository

NAMESPACES = ("default", "payments", "search", "logistics", "media")
ZONES = ("north", "east", "south", "west", "central")
STANDARD, EDGE = "standard", "edge"
Files = Mapping[str, bytes]
_CYCLE = 20  # Works, after which kinds, namespaces and forms repeat
_PACKED, _FOLDERS = (3, 8), (6, 13)  # of each cycle; one is a dependency and one a request


@dataclass(frozen=True)
class Size:
    """How many Works, and how many placements each has on the average."""

    works: int
    placements: int

    @property
    def destinations(self) -> int:
        """Their number: ten for each placement of a Work, so that each holds a tenth of the Works."""
        return 10 * self.placements

    @property
    def total(self) -> int:
        """The number of placements."""
        requests = self.works // 2
        return requests + (self.works - requests) * self.fanout

    @property
    def fanout(self) -> int:
        """The placements of a dependency: the Destinations of a zone, without the one at the edge."""
        return 2 * self.placements - 1

    def __str__(self) -> str:
        return f"{self.works:,} Works, {self.destinations:,} Destinations, {self.total:,} placements"


def build(path: Path, size: Size) -> Repository:
    """Make the bare repository of *size* at *path*, with everything in one commit on `main`."""
    repo = Repository.init(path)
    repo.move(repo.commit(_everything(size), parent=None, message="A platform"))
    return repo


def _everything(size: Size) -> Iterator[tuple[str, bytes]]:
    for number in range(size.destinations):
        yield from destination(number).items()
    for number in range(size.works):
        yield from work(number).items()


def destination(number: int, tier: str = "") -> Files:
    """Return the file of a Destination; the first of each zone is at the edge unless *tier* says otherwise."""
    zone = ZONES[number % len(ZONES)]
    tier = tier or (EDGE if number < len(ZONES) else STANDARD)
    text = (
        "apiVersion: platform.kratix.io/v1alpha1\nkind: Destination\nmetadata:\n"
        f"  name: {zone}-{number:04}\n  labels:\n    zone: {zone}\n    tier: {tier}\n"
    )
    return {f"destinations/{zone}/{zone}-{number:04}.yaml": text.encode()}


def change(turn: int, size: Size) -> Files:
    """Return a dependency with one line changed: of plain content, and another one each turn while there are any."""
    number = turn * _CYCLE % -(-size.works // _CYCLE * _CYCLE)
    return work(number, revision=turn + 1)


def work(number: int, revision: int = 0) -> Files:
    """Return the files of one Work; another *revision* changes one line of one of its two documents."""
    chance = Random(number)
    name, namespace = f"app-{number:06}", NAMESPACES[number % len(NAMESPACES)]
    content = {
        "configmap.yaml": documents.configmap(chance, name, namespace),
        "deployment.yaml": documents.deployment(chance, name, namespace, revision),
    }
    folder = f"works/{namespace}/{name}"
    if number % _CYCLE in _FOLDERS:
        inside = {"work.yaml": _definition(number, name, namespace, ""), **content}
        return {f"{folder}/{file}": text.encode() for file, text in inside.items()}
    packed = number % _CYCLE in _PACKED
    workloads = "    workloads:\n" + "".join(_workload(file, text, packed) for file, text in content.items())
    return {f"{folder}.yaml": _definition(number, name, namespace, workloads).encode()}


def _definition(number: int, name: str, namespace: str, workloads: str) -> str:
    zone = ZONES[number // 2 % len(ZONES)]
    kind, tier, resource = "promise", f"        tier: {STANDARD}\n", ""
    if number % 2:
        kind, tier, resource = "resource", "", f"  resourceName: {name}\n"
    return f"""\
apiVersion: platform.kratix.io/v1alpha1
kind: Work
metadata:
  name: {name}
  namespace: {namespace}
  labels:
    kratix.io/promise-name: {name}
    kratix.io/work-type: {kind}
    kratix.io/pipeline-name: {kind}-configure
spec:
  promiseName: {name}
{resource}  workloadGroups:
  - directory: .
    destinationSelectors:
    - source: promise
      matchLabels:
        zone: {zone}
{tier}{workloads}"""


def _workload(file: str, text: str, packed: bool) -> str:
    """Write one document into a Work: as plain text, or as Kratix packs it."""
    if packed:
        content = base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()
        return f"    - filepath: {file}\n      content: {content}\n"
    return f"    - filepath: {file}\n      content: |\n{indent(text, ' ' * 8)}"
