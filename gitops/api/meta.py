"""What every object has: metadata, and the grammar of its names and labels (Kubernetes apimachinery validation)."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

GROUP = "platform.kratix.io"
API_VERSION = f"{GROUP}/v1alpha1"

_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_NOT_IN_REFS = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{")
_QUALIFIED = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")


def _dns1123_subdomain(value: str) -> str:
    if len(value) > 253 or not _SUBDOMAIN.fullmatch(value):
        raise ValueError(
            f"invalid name {value!r}: a lowercase RFC 1123 subdomain must consist of lower case alphanumeric "
            "characters, '-' or '.', start and end with an alphanumeric character, and have at most 253 characters"
        )
    return value


def _dns1123_label(value: str) -> str:
    if len(value) > 63 or not _LABEL.fullmatch(value):
        raise ValueError(
            f"invalid namespace {value!r}: a lowercase RFC 1123 label must consist of lower case alphanumeric "
            "characters or '-', start and end with an alphanumeric character, and have at most 63 characters"
        )
    return value


def label_key(value: str) -> str:
    """Check *value* as a label key: `[prefix/]name`, as Kubernetes does. ValueError otherwise."""
    prefix, slash, name = value.rpartition("/")
    if slash:
        _dns1123_subdomain(prefix)
    if len(name) > 63 or not _QUALIFIED.fullmatch(name):
        raise ValueError(
            f"invalid label key {value!r}: at most 63 of letters, digits, '-', '_', '.', after an optional prefix/"
        )
    return value


def label_value(value: str) -> str:
    """Check *value* as a label value: empty, or at most 63 characters. ValueError otherwise."""
    if value and (len(value) > 63 or not _QUALIFIED.fullmatch(value)):
        raise ValueError(
            f"invalid label value {value!r}: at most 63 of letters, digits, '-', '_' and '.', "
            "starting and ending alphanumeric"
        )
    return value


def branch_name(value: str) -> str:
    """Check *value* as a branch name, as `git check-ref-format --branch` does. ValueError otherwise."""
    parts = value.split("/")
    if (
        _NOT_IN_REFS.search(value)
        or value.startswith(("-", "refs/"))
        or value in ("", "@", "HEAD")
        or value.endswith(".")
        or any(not part or part.startswith(".") or part.endswith(".lock") for part in parts)
    ):
        raise ValueError(f"invalid branch name {value!r}: see git check-ref-format")
    return value


Listed = Field(strict=False)  # a YAML list where the model keeps an immutable tuple
Name = Annotated[
    str,
    AfterValidator(_dns1123_subdomain),
    Field(json_schema_extra={"pattern": f"^{_SUBDOMAIN.pattern}$", "maxLength": 253}),
]
Namespace = Annotated[
    str, AfterValidator(_dns1123_label), Field(json_schema_extra={"pattern": f"^{_LABEL.pattern}$", "maxLength": 63})
]
Branch = Annotated[str, AfterValidator(branch_name)]
LabelValue = Annotated[str, AfterValidator(label_value)]
Labels = dict[Annotated[str, AfterValidator(label_key)], LabelValue]


class Model(BaseModel):
    """The base of all definitions: camelCase in files, immutable, and an unknown field is an error."""

    model_config = ConfigDict(frozen=True, strict=True, alias_generator=to_camel, populate_by_name=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, data: Any) -> Any:
        """A field that is null counts as absent, as in Kubernetes."""
        if not isinstance(data, dict) or None not in data.values():
            return data
        known = {field.alias for field in cls.model_fields.values()}
        return {key: value for key, value in data.items() if value is not None or key not in known}


class ObjectMeta(Model):
    """`metadata` of a definition. What only a Kubernetes API server sets is accepted and ignored."""

    name: Name
    namespace: Namespace = "default"
    labels: Labels = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)
    generate_name: Any = Field(default=None, exclude=True)
    generation: Any = Field(default=None, exclude=True)
    uid: Any = Field(default=None, exclude=True)
    resource_version: Any = Field(default=None, exclude=True)
    creation_timestamp: Any = Field(default=None, exclude=True)
    deletion_timestamp: Any = Field(default=None, exclude=True)
    deletion_grace_period_seconds: Any = Field(default=None, exclude=True)
    finalizers: Any = Field(default=None, exclude=True)
    owner_references: Any = Field(default=None, exclude=True)
    managed_fields: Any = Field(default=None, exclude=True)
    self_link: Any = Field(default=None, exclude=True)


def _api_version(value: Any) -> Any:
    if value != API_VERSION:
        raise ValueError(f"expected {API_VERSION}, not {value!r}")
    return value


class Definition(Model):
    """What people define: a Work, a Destination or a state store. `status` of a dump is accepted and ignored."""

    api_version: Annotated[str, BeforeValidator(_api_version), Field(json_schema_extra={"const": API_VERSION})]
    kind: str
    metadata: ObjectMeta
    status: Any = Field(default=None, exclude=True)
