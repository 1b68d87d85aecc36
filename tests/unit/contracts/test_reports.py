"""What a job may say: bounded, and of its own attempt only."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from genoferry.contracts.events import ErrorInfo
from genoferry.contracts.reports import MAX_OUTPUTS, MAX_SCORES, ExitReport, OutputReport, Report

UUID = "0d5c1a52-5a3c-4b1e-9a0e-2a5f0c7b8d11"
OTHER = "1d5c1a52-5a3c-4b1e-9a0e-2a5f0c7b8d11"


def output(key: str) -> dict[str, Any]:
    return {"key": key, "content_type": "text/plain", "size": 1, "sha256": "a" * 64}


def exit_report(**over: Any) -> ExitReport:
    known = {"uuid": UUID, "attempt": 2, "nonce": "n", "exit_code": 0}
    return ExitReport.model_validate_json(json.dumps(known | over))


def info(message: str) -> dict[str, Any]:
    return {"code": "c", "userMessage": message, "retryable": False}


def test_a_good_one() -> None:
    found = exit_report(outputs=[output(f"{UUID}/2/a.txt")], trace_name="t" * 256, error=info("é" * 512))
    assert found.outputs == (OutputReport.model_validate(output(f"{UUID}/2/a.txt")),)


@pytest.mark.parametrize("key", [f"{OTHER}/2/a", f"{UUID}/1/a", f"{UUID}/20/a", f"{UUID}/2", "", "a", f"/{UUID}/2/a"])
def test_an_output_of_anothers_is_refused(key: str) -> None:
    with pytest.raises(ValidationError):
        exit_report(outputs=[output(f"{UUID}/2/a.txt"), output(key)])


@pytest.mark.parametrize(
    "over",
    [
        {"trace_name": "t" * 257},
        {"error": info("m" * 1025)},
        {"error": info("é" * 513)},
        {"error": info("m") | {"code": "c" * 65}},
        {"outputs": [output(f"{UUID}/2/a")] * (MAX_OUTPUTS + 1)},
        {"scores": [{"id": "PGS000001", "status": "failed"}] * (MAX_SCORES + 1)},
    ],
)
def test_what_is_too_long_is_refused(over: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        exit_report(**over)


def test_our_own_messages_fit() -> None:
    from genoferry.errors import GenoferryError

    assert len(ErrorInfo.of(GenoferryError("é" * 2000)).user_message) == 512


@pytest.mark.parametrize("uuid", ["", "u", "lease#runner", 1, None])
def test_a_hint_names_a_uuid(uuid: object) -> None:
    with pytest.raises(ValidationError):
        Report.model_validate({"uuid": uuid, "attempt": 1, "nonce": "n"})
    assert Report.model_validate({"uuid": UUID.upper(), "attempt": 1, "nonce": "n"}).uuid == UUID
