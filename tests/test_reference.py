"""What is not documented is broken: people find every command, setting, condition reason, event and trailer."""

import ast
from pathlib import Path

import pytest

from gitops.api.settings import Settings
from gitops.cli.parser import COMMANDS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
REFERENCE = (ROOT / "docs/reference.md").read_text()
CALLS = {"true": 1, "false": 1, "Transition": 1, "Refusal": 0, "_refused": 0}  # where a call has its reason


def reasons():
    """All reasons that stand in the code as the literal argument of a condition, an event or a refusal."""
    for file in sorted((ROOT / "gitops/core").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS:
                reason = node.args[CALLS[node.func.id] : CALLS[node.func.id] + 1]
                if reason and isinstance(reason[0], ast.Constant):
                    yield reason[0].value


def settings(model, prefix=""):
    for name, field in model.model_fields.items():
        path = f"{prefix}{field.alias or name}"
        if hasattr(field.annotation, "model_fields"):
            yield from settings(field.annotation, f"{path}.")
        else:
            yield path


def test_every_reason_is_in_the_reference():
    found = set(reasons())
    assert {"AllWorkplacementsScheduled", "PathConflict", "DriftCorrected", "TemplateError"} <= found
    assert [reason for reason in sorted(found) if f"`{reason}`" not in REFERENCE] == []


@pytest.mark.parametrize("setting", list(settings(Settings)))
def test_every_setting_is_in_the_reference(setting):
    assert f"| `{setting}` |" in README


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_reference(command):
    assert f"`{command}" in REFERENCE
