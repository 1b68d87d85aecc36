"""The JSON Schemas, generated from the models. `payloads/schemas/` holds them; a test fails when those are stale."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from genoferry.contracts.envelope import Request
from genoferry.contracts.events import Event
from genoferry.contracts.jobfile import JobFile
from genoferry.contracts.reports import ExitReport, Report
from genoferry.contracts.results import Result
from genoferry.handlers import registry
from genoferry.handlers.registry import Handlers

DIALECT = "https://json-schema.org/draft/2020-12/schema"
DOCUMENTS: Mapping[str, type[BaseModel]] = {
    "request": Request,
    "event": Event,
    "result": Result,
    "job-file": JobFile,
    "report": Report,
    "exit-report": ExitReport,
}
BARE = "bare-job-request"
WRAPPED = "CalculateScores"


def schemas(handlers: Handlers) -> dict[str, dict[str, Any]]:
    """All schemas by name: those of requests first."""
    requests = {name: registry.schema(handlers, name) for name in sorted(handlers)}
    documents = {
        name: {"$schema": DIALECT, **model.model_json_schema(by_alias=True, mode=_mode(name))}
        for name, model in DOCUMENTS.items()
    }
    return {**requests, BARE: bare_job_request(handlers), **documents}


def bare_job_request(handlers: Handlers) -> dict[str, Any]:
    """Of a CalculateScores body without its name and envelope."""
    body = registry.find(handlers, WRAPPED).body.model_json_schema(by_alias=True)
    del body["properties"]["name"]
    body["required"].remove("name")
    description = "A CalculateScores request without an envelope: it is wrapped (uuid, experimentId) when it is read."
    return {"$schema": DIALECT, **body, "title": "BareJobRequest", "description": description}


def file_name(name: str) -> str:
    """`calculate_scores.json` for `CalculateScores`, `job_file.json` for `job-file`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).replace("-", "_").lower() + ".json"


def _mode(name: str) -> Any:
    """What is read by others is described as it is written."""
    return "serialization" if name in ("event", "result") else "validation"
