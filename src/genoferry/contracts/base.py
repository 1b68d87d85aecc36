"""What all contracts share: camelCase on the wire, snake_case in code, nothing unknown, frozen, input never shown."""

from __future__ import annotations

import json

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from genoferry.errors import NewerSchema

SCHEMA_VERSION = 3
"""Of rows, job files and reports. A worker leaves newer ones alone (design, section 3)."""


class Contract(BaseModel):
    """A frozen model with snake_case names on the wire; unknown fields are errors; errors hide their input."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, populate_by_name=True, serialize_by_alias=True
    )


class CamelContract(Contract):
    """The same, with camelCase names on the wire."""

    model_config = ConfigDict(alias_generator=to_camel)


class Versioned(Contract):
    """A document that outlives a process: it carries `schema_version`, and unknown fields are left alone."""

    model_config = ConfigDict(extra="ignore")

    schema_version: int = SCHEMA_VERSION


def check_version(text: str | bytes) -> None:
    """Raises `NewerSchema` for a document that a newer genoferry wrote: it may mean what we don't know."""
    try:
        version = json.loads(text).get("schema_version", SCHEMA_VERSION)
    except (ValueError, AttributeError):
        return  # not a document at all: its model says so
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise NewerSchema
