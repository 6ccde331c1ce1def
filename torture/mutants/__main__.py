"""The command line: try small faults of the modules on the tests; nine of ten must be noticed."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import random
import signal
import sys
import tempfile
from pathlib import Path

import pytest

from torture.arena import MEMORY
from torture.mutants import survivors
from torture.mutants.faults import Fault, faults
from torture.mutants.hunt import Hunt
from torture.mutants.report import Report

_CORE = (
    "paths tree patch ownership scheduling conditions events statusfile placing plan concern claims delivery delivering"
    " record placement_status work_status object_status recording"
)
MODULES = (
    *(f"gitops.core.{name}" for name in _CORE.split()),
    "gitops.git.refs",
    "gitops.git.history",
    "gitops.publish",
)
ENOUGH = 90  # percent


def main() -> None:
    """Hunt, and tell."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as if by Ctrl-C: what is temporary goes
    options = _options()
    possible = [fault for name in options.only for fault in faults_of(name)]
    chosen, known = _sample(possible, options.sample, options.seed), survivors.explained()
    explained = [fault for fault in chosen if (fault.function, fault.change) in known]
    report = Report(chosen, explained)
    _hunt([fault for fault in chosen if fault not in explained], report, options.tests)
    for function, change in survivors.stale(options.only, possible):
        print(f"explained in {survivors.FILE.name}, but no fault any more: {function}: {change}")
    sys.exit(report.total() < ENOUGH)


def _hunt(chosen: list[Fault], report: Report, tests: list[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="gitops-mutants-", dir=MEMORY if MEMORY.is_dir() else None) as folder:
        hunt, said = Hunt(chosen, Path(folder), report.add), io.StringIO()
        with contextlib.redirect_stdout(said):
            ended = pytest.main(["--ignore=tests/torture", "-s", "-p", "no:cacheprovider", *tests], plugins=[hunt])
    if ended is not pytest.ExitCode.OK:
        sys.exit(said.getvalue())
    for name in hunt.failing:
        print(f"left out, as it fails without any fault: {name}")


def faults_of(name: str) -> list[Fault]:
    """List the faults that the module *name* can have."""
    return faults(name, Path(importlib.import_module(name).__file__ or "").read_text())


def _sample(found: list[Fault], size: int, seed: int) -> list[Fault]:
    numbers = random.Random(seed).sample(range(len(found)), min(size or len(found), len(found)))
    return [found[number] for number in sorted(numbers)]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m torture.mutants", description="Small faults, to be found by tests."
    )
    parser.add_argument("tests", nargs="*", help="files or folders with the tests to try (all)")
    parser.add_argument("--only", type=_modules, default=MODULES, metavar="a,b", help="modules (all of the list)")
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="try so many of the mutants (all)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="another one takes another sample (1)")
    return parser.parse_args()


def _modules(text: str) -> list[str]:
    names = set(filter(None, text.split(",")))
    if unknown := names - {module.rpartition(".")[2] for module in MODULES}:
        raise argparse.ArgumentTypeError(f"no module {min(unknown)} in the list of torture/mutants/__main__.py")
    return [module for module in MODULES if not names or module.rpartition(".")[2] in names]


if __name__ == "__main__":
    main()
