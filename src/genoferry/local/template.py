"""infra/template.yaml as data: where it is, and what the deployment reads from it beside CloudFormation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from genoferry.errors import LocalError

CHECKOUT = Path(__file__).parents[3]
PLACES = (Path(__file__).with_name("template.yaml"), CHECKOUT / "infra" / "template.yaml")
"""In an installed wheel it lies beside this file."""
BUCKETS = ("WorkBucket", "ResultsBucket")
"""Logical ids; the output `<id>Name` has a bucket's name."""


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms: `!Ref x` is `{"Ref": "x"}`, `!Sub x` is `{"Fn::Sub": "x"}`."""


def _short_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    if isinstance(node, yaml.MappingNode):
        return {name: loader.construct_mapping(node, deep=True)}
    value = loader.construct_scalar(node)  # type: ignore[arg-type]
    return {name: value.split(".", 1) if suffix == "GetAtt" else value}


_Loader.add_multi_constructor("!", _short_form)


def text() -> str:
    """Raises `LocalError` where the template is in none of its places."""
    for place in PLACES:
        if place.is_file():
            return place.read_text(encoding="utf-8")
    raise LocalError("infra/template.yaml is not in this installation. Install genoferry anew, or run from a checkout.")


def parse(source: str) -> dict[str, Any]:
    """The template with short forms written out."""
    document: dict[str, Any] = yaml.load(source, Loader=_Loader)  # noqa: S506  a SafeLoader with short forms
    return document


def properties(template: Mapping[str, Any], logical_id: str) -> dict[str, Any]:
    found: dict[str, Any] = template["Resources"][logical_id]["Properties"]
    return found


def time_to_live(template: Mapping[str, Any]) -> str:
    """The table's TTL attribute."""
    attribute: str = properties(template, "Table")["TimeToLiveSpecification"]["AttributeName"]
    return attribute
