"""Figures as Prometheus reads them. No label comes from a definition: their number is fixed."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator, Mapping
from pathlib import Path

from gitops import __version__
from gitops.core.overview import ORDER
from gitops.pulse import Vitals

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_RESULTS = ("changed", "unchanged", "failed")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def metrics(vitals: Vitals) -> str:
    """Return the page."""
    return "".join(f"{line}\n" for line in _lines(vitals))


def _lines(vitals: Vitals) -> Iterator[str]:
    passes = {f'{{result="{result}"}}': vitals.passes.get(result, 0) for result in _RESULTS}
    works = {f'{{state="{state}"}}': vitals.works.get(state, 0) for state in ORDER}
    took = {"_sum": vitals.seconds, "_count": sum(vitals.passes.values())}
    yield from _family("gitops_passes_total", "counter", "Passes, by how they ended.", passes)
    yield from _family("gitops_pass_seconds", "summary", "What passes took.", took)
    yield from _family("gitops_commits_total", "counter", "Commits on the branch of status.", {"": vitals.commits})
    yield from _family("gitops_events_total", "counter", "Events of all objects.", {"": vitals.events})
    yield from _family("gitops_works", "gauge", "Works, by how they stand.", works)
    yield from _family(
        "gitops_problems", "gauge", "Wrong files that no object's status tells of.", {"": vitals.problems}
    )
    succeeded = "When the last pass that succeeded ended, in seconds since 1970; 0 before the first."
    yield from _family("gitops_last_success_timestamp_seconds", "gauge", succeeded, {"": vitals.succeeded or 0})
    yield from _family("gitops_build_info", "gauge", "The version.", {f'{{version="{__version__}"}}': 1})
    yield from _process()


def _process() -> Iterator[str]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    resident = int(Path("/proc/self/statm").read_text("ascii").split()[1]) * _PAGE
    yield from _family(
        "process_cpu_seconds_total", "counter", "Time of processors.", {"": used.ru_utime + used.ru_stime}
    )
    yield from _family("process_resident_memory_bytes", "gauge", "Memory.", {"": resident})


def _family(name: str, kind: str, help_: str, values: Mapping[str, float]) -> Iterator[str]:
    """Yield the lines of a figure; *values* has what follows its name in each: nothing, labels, or `_sum`."""
    yield f"# HELP {name} {help_}"
    yield f"# TYPE {name} {kind}"
    for rest, value in values.items():
        yield f"{name}{rest} {_number(value)}"


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.6f}"
