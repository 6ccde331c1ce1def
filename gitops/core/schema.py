"""JSON Schema (2020-12) of what people write, made from the models themselves, for editors to check and complete."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema
from pydantic_core.core_schema import nullable_schema

from gitops.api.meta import API_VERSION
from gitops.api.settings import Settings
from gitops.core.manifests import KINDS, LISTS

_LIST = {
    "title": "List",
    "description": "Several definitions in one object, as `kubectl get -o yaml` prints them.",
    "type": "object",
    "required": ["apiVersion", "kind", "items"],
    "properties": {
        "apiVersion": {"enum": ["v1", API_VERSION]},
        "kind": {"enum": list(LISTS)},
        "metadata": {"type": "object"},
        "items": {"type": "array", "items": {"oneOf": [{"$ref": f"#/$defs/{kind}"} for kind in KINDS]}},
    },
}


def of_kind(kind: str) -> dict[str, Any]:
    """Return the schema of one kind of definition. KeyError for another word."""
    return _document(kind, KINDS[kind])


def of_settings() -> dict[str, Any]:
    """Return the schema of gitops.yaml."""
    return _document("gitops.yaml", Settings)


def of_definitions() -> dict[str, Any]:
    """Return one schema of all definitions, for the folders in which they stand side by side."""
    _, schema = models_json_schema(
        [(model, "validation") for model in KINDS.values()], by_alias=True, schema_generator=_Generator
    )
    choices = [{"$ref": f"#/$defs/{kind}"} for kind in (*KINDS, "List")]
    definitions = {**schema["$defs"], "List": _LIST}
    return _head(f"Definitions of {API_VERSION}") | {"oneOf": choices, "$defs": definitions}


def _document(title: str, model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema(by_alias=True, schema_generator=_Generator)
    return _head(title) | {key: value for key, value in schema.items() if key != "title"}


def _head(title: str) -> dict[str, Any]:
    return {"$schema": GenerateJsonSchema.schema_dialect, "title": title}


class _Generator(GenerateJsonSchema):
    """Leaves out the titles of fields, which only repeat their names; what may be absent may be null, as in files."""

    def default_schema(self, schema: Any) -> dict[str, Any]:
        if schema["schema"]["type"] != "nullable":
            schema = {**schema, "schema": nullable_schema(schema["schema"])}
        return super().default_schema(schema)

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False
