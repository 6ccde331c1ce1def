"""Reading YAML: no exception but the loader's own, and the quick reader agrees with those that know all of YAML."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from unittest import mock

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError, YAMLStreamError

from gitops.core import kubernetes, manifests, statusfile, yaml
from gitops.core.yaml import block
from gitops.core.yaml.builder import MAX_NODES

_SMALL = 4_096  # bytes: what ruamel.yaml is asked about, which is slow


def check(raw: bytes) -> None:
    """Assert what holds of any file."""
    documents, error = yaml.read(raw)
    lines = raw.count(b"\n") + raw.count(b"\r") + 1
    assert error is None or 1 <= error.line <= lines + 1
    if block.load(raw, MAX_NODES) is not None:
        with mock.patch.object(block, "load", return_value=None):
            assert repr(yaml.read(raw)) == repr((documents, error)), "the quick reader reads something else"
    if error is None and not any(document.faults for document in documents) and len(raw) < _SMALL:
        _agreed([document.data for document in documents], raw)
    _read_as_files(raw, lines)


def _agreed(found: list[Any], raw: bytes) -> None:
    """ruamel.yaml, where it reads the file, sees the same keys and texts."""
    try:
        others = list(YAML(typ="safe", pure=True).load_all(raw.removeprefix(b"\xef\xbb\xbf").decode()))
    except (YAMLError, YAMLStreamError, ValueError, OverflowError):
        return
    assert len(others) == len(found)
    for one, other in zip(found, others, strict=True):
        assert _shape(one) == _shape(other), "ruamel.yaml reads something else"


def _shape(value: Any) -> Any:
    """What both must agree on: structure and texts. Numbers and dates are texts to us where JSON has none."""
    if isinstance(value, dict):
        return [(_shape(key), _shape(inner)) for key, inner in value.items()]
    if isinstance(value, list):
        return [_shape(inner) for inner in value]
    if not isinstance(value, str) or value[:1].isdigit() or value[:1] in "+-.":
        return "scalar"
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # JSON writes an emoji as two


def _read_as_files(raw: bytes, lines: int) -> None:
    found = manifests.load("works/x.yaml", raw)
    settings, problems = manifests.load_settings("gitops.yaml", raw)
    assert settings is None or not problems
    for problem in (*found.problems, *problems):
        assert 1 <= problem.line <= lines + 1, problem
        assert problem.message.isprintable(), problem
    status = statusfile.load(raw)
    if status:
        assert statusfile.load(statusfile.dump(status)) == status, "a status that is written is not read back"
    with suppress(ValueError):
        kubernetes.objects(raw)
