"""The Result message, published right after `Succeeded` (design, section 3)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from genoferry.contracts.base import CamelContract, Contract


class ResultPointer(Contract):
    """A result in the results bucket, as the ledger keeps it. Inline only where its handler allows that and it fits."""

    key: str
    content_type: str
    size: int
    may_inline: bool = False


class ResultItem(Contract):
    """One result: base64 (or `identity` text) inline, or `s3://bucket/key`."""

    content_type: str = Field(alias="content-type")
    content_encoding: str = Field(alias="content-encoding")
    type: Literal["inline", "s3-path"]
    body: str


class ResultResponse(Contract):
    cacheable: bool = False
    error: bool = False


class Result(CamelContract):
    uuid: str
    event_id: str = Field(alias="event_id")
    sequence: int
    attempt: int
    event: Literal["Result"] = "Result"
    results: tuple[ResultItem, ...]
    response: ResultResponse = ResultResponse()
    socket_id: str | None = None
