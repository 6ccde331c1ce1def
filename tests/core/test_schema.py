"""JSON Schema of the definitions: what editors check is what the program checks."""

import argparse
import json

import pytest

from gitops.cli import schema as command
from gitops.core import schema
from gitops.core.manifests import KINDS
from gitops.errors import UsageError


def objects(node):
    """All object schemas with fields below *node*."""
    if isinstance(node, dict):
        if "properties" in node and "additionalProperties" in node:
            yield node
        for value in node.values():
            yield from objects(value)
    elif isinstance(node, list):
        for value in node:
            yield from objects(value)


def references(node):
    if isinstance(node, dict):
        yield from [node["$ref"]] if "$ref" in node else []
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


@pytest.mark.parametrize("made", [*map(schema.of_kind, KINDS), schema.of_settings(), schema.of_definitions()])
def test_every_object_refuses_unknown_fields_and_every_reference_leads_somewhere(made):
    assert made["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    found = list(objects(made))
    assert found
    for one in found:
        assert one["additionalProperties"] is False
        assert one["description"]
        assert not any("_" in name for name in one["properties"])
    assert {reference.removeprefix("#/$defs/") for reference in references(made)} <= made["$defs"].keys()


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_names_itself(kind):
    made = schema.of_kind(kind)
    assert made["title"] == kind
    assert made["properties"]["kind"]["const"] == kind
    assert made["properties"]["apiVersion"]["const"] == "platform.kratix.io/v1alpha1"
    assert {"apiVersion", "kind", "metadata"} <= set(made["required"])


def test_fields_have_the_names_and_values_of_files():
    made = schema.of_kind("Destination")
    spec = made["$defs"]["DestinationSpec"]["properties"]
    assert {"stateStoreRef", "strictMatchLabels", "initWorkloads"} <= spec.keys()
    assert made["$defs"]["Filepath"]["properties"]["mode"]["anyOf"][0]["enum"] == [
        "nestedByMetadata",
        "aggregatedYAML",
        "none",
    ]
    assert made["$defs"]["ObjectMeta"]["properties"]["name"]["pattern"]


@pytest.mark.parametrize(
    "model", ["DestinationSpec", "StateStoreRef", "Workload", "WorkloadGroup", "GitStateStoreSpec"]
)
def test_what_may_be_absent_may_be_null_as_in_the_files(model):
    made = schema.of_definitions()["$defs"][model]
    nullable = {name for name, field in made["properties"].items() if {"type": "null"} in field.get("anyOf", [])}
    assert nullable == made["properties"].keys() - made.get("required", [])


def test_one_schema_covers_all_kinds_and_lists_of_them():
    made = schema.of_definitions()
    assert [choice["$ref"] for choice in made["oneOf"]] == [f"#/$defs/{kind}" for kind in (*KINDS, "List")]
    assert made["$defs"]["List"]["properties"]["items"]["items"]["oneOf"] == made["oneOf"][:-1]


def typed(capsys, *words):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    assert command.run(parser.parse_args(words)) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("word", ["Work", "work", "works", "wk", "works.platform.kratix.io"])
def test_a_kind_has_many_spellings(capsys, word):
    assert typed(capsys, word) == schema.of_kind("Work")


def test_without_a_kind_all_definitions(capsys):
    assert typed(capsys) == schema.of_definitions()


@pytest.mark.parametrize("word", ["settings", "gitops.yaml"])
def test_settings(capsys, word):
    assert typed(capsys, word) == schema.of_settings()


@pytest.mark.parametrize("word", ["WorkPlacement", "wp", "pods", ""])
def test_what_people_do_not_write_has_no_schema(word):
    with pytest.raises(UsageError, match="try Work, Destination"):
        command.run(argparse.Namespace(kind=word))
