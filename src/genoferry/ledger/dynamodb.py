"""The ledger in DynamoDB: one table, one sparse index of owed work.

An item holds the whole row as one JSON document beside the few attributes that conditions, the index and people
need. The table's shape is in `infra/template.yaml`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, TypeAdapter

from genoferry.aws.errors import mapped
from genoferry.contracts.base import SCHEMA_VERSION
from genoferry.errors import NewerSchema, PreconditionFailed, VersionConflict
from genoferry.ledger.due import SHARDS, Deadlines, due_at, owes, shard, ttl
from genoferry.ledger.row import KEEP_MILLIS, CancelMark, Lease, OwedRow, Row, State, encoded

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb.client import DynamoDBClient

INDEX = "owed"
_DOCUMENT: TypeAdapter[Row | CancelMark | Lease] = TypeAdapter(
    Annotated[Row | CancelMark | Lease, Field(discriminator="kind")]
)


class DynamoLedger:
    def __init__(self, client: DynamoDBClient, table: str, deadlines: Deadlines) -> None:
        self._client = client
        self._table = table
        self._deadlines = deadlines

    async def get(self, uuid: str) -> Row | CancelMark | None:
        document = await self._get(uuid)
        assert not isinstance(document, Lease)  # noqa: S101  # a lease's key is no uuid
        return document

    async def put(self, row: Row | CancelMark, *, expected: int | None) -> None:
        if isinstance(row, Row):
            attributes = row_attributes(row, self._deadlines)
        else:
            attributes = {"ttl": _n(row.created_at // 1000 + 15 * 24 * 3600)}
        await self._put(row.uuid, row, attributes, expected)

    async def anything_owed(self) -> bool:
        with mapped():
            page = await self._client.scan(TableName=self._table, IndexName=INDEX, Limit=1)
        return bool(page["Items"])

    async def owed(self, *, before: int | None = None) -> list[OwedRow]:
        pages = await asyncio.gather(*(self._shard(number, before) for number in range(SHARDS)))
        return sorted((row for page in pages for row in page), key=lambda row: row.due_at)

    async def jobs(self, *, state: State | None = None) -> AsyncIterator[Row]:
        query: dict[str, Any] = {"TableName": self._table, "ConsistentRead": True}
        if state:
            query |= {
                "FilterExpression": "#s = :s",
                "ExpressionAttributeNames": {"#s": "state"},
                "ExpressionAttributeValues": {":s": {"S": state}},
            }
        with mapped():
            async for page in self._client.get_paginator("scan").paginate(**query):
                for item in page["Items"]:
                    document = _parse(item) if _readable(item) else None
                    if isinstance(document, Row):
                        yield document

    async def get_lease(self, name: str) -> Lease | None:
        document = await self._get(_lease_key(name))
        assert document is None or isinstance(document, Lease)  # noqa: S101  # by its key
        return document

    async def put_lease(self, lease: Lease, *, expected: int | None) -> None:
        ttl_of_lease = {"ttl": _n((lease.until + KEEP_MILLIS) // 1000)}
        await self._put(_lease_key(lease.name), lease, ttl_of_lease, expected)

    async def _get(self, key: str) -> Row | CancelMark | Lease | None:
        with mapped():
            answer = await self._client.get_item(TableName=self._table, Key={"uuid": {"S": key}}, ConsistentRead=True)
        return _parse(answer["Item"]) if "Item" in answer else None

    async def _put(
        self, key: str, document: Row | CancelMark | Lease, attributes: dict[str, Any], expected: int | None
    ) -> None:
        text = encoded(document)
        item = {"uuid": {"S": key}, "version": _n(document.version), "schema_version": _n(document.schema_version)}
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(#u)"}
        condition["ExpressionAttributeNames"] = {"#u": "uuid"}
        if expected is not None:
            condition = {
                "ConditionExpression": "#v = :v",
                "ExpressionAttributeNames": {"#v": "version"},
                "ExpressionAttributeValues": {":v": _n(expected)},
            }
        try:
            with mapped():
                await self._client.put_item(
                    TableName=self._table, Item=item | attributes | {"doc": {"S": text}}, **condition
                )
        except PreconditionFailed:
            raise VersionConflict from None

    async def _shard(self, number: int, before: int | None) -> list[OwedRow]:
        query: dict[str, Any] = {
            "TableName": self._table,
            "IndexName": INDEX,
            "KeyConditionExpression": "#s = :s" + (" AND due_at <= :b" if before is not None else ""),
            "ExpressionAttributeNames": {"#s": "shard"},
            "ExpressionAttributeValues": {":s": _n(number)} | ({":b": _n(before)} if before is not None else {}),
        }
        rows: list[OwedRow] = []
        with mapped():
            async for page in self._client.get_paginator("query").paginate(**query):
                rows.extend(_owed(item) for item in page["Items"] if _readable(item))
        return rows


def row_attributes(row: Row, deadlines: Deadlines) -> dict[str, Any]:
    """The attributes beside the document: keys of the index and what it projects, TTL, and what people look for."""
    at = due_at(row, deadlines)
    attributes: dict[str, Any] = {
        "state": {"S": row.state},
        "attempt": _n(row.attempt),
        "experiment_id": {"S": row.experiment_id},
        "name": {"S": row.name},
        "updated_at": _n(row.updated_at),
    }
    optional = {
        "runner": row.runner and {"S": row.runner},
        "ref": row.intent and row.intent.ref and {"S": row.intent.ref},
        "lease_token": row.lease_token and {"S": row.lease_token},
        "lease_until": row.lease_until and _n(row.lease_until),
        "owes": {"S": json.dumps(owes(row, deadlines))},
        "ttl": ttl(row) and _n(ttl(row) or 0),
    }
    if at is not None:
        optional |= {"shard": _n(shard(row.uuid)), "due_at": _n(at)}
    return attributes | {name: value for name, value in optional.items() if value}


def _n(number: int) -> dict[str, str]:
    return {"N": str(number)}


def _lease_key(name: str) -> str:
    return f"lease:{name}"


def _readable(item: dict[str, Any]) -> bool:
    return int(item["schema_version"]["N"]) <= SCHEMA_VERSION


def _parse(item: dict[str, Any]) -> Row | CancelMark | Lease:
    if not _readable(item):
        raise NewerSchema
    return _DOCUMENT.validate_json(item["doc"]["S"])


def _owed(item: dict[str, Any]) -> OwedRow:
    plain: dict[str, Any] = {name: value.get("S", value.get("N")) for name, value in item.items()}
    plain["owes"] = json.loads(plain["owes"])
    return OwedRow.model_validate({k: v for k, v in plain.items() if k in OwedRow.model_fields})
