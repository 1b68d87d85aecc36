"""What real DynamoDB refuses and emulators don't: reserved words in expressions."""

from __future__ import annotations

import re
from contextlib import suppress
from importlib.resources import files
from typing import Any

import pytest

from genoferry.ledger.dynamodb import DynamoLedger
from genoferry.ledger.row import Lease

RESERVED = {
    line.strip().upper()
    for line in files("moto.dynamodb.parsing").joinpath("reserved_keywords.txt").read_text().splitlines()
}


class Client:
    """Keeps the arguments of every call."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []

    def __getattr__(self, name: str) -> Any:
        async def call(**arguments: Any) -> dict[str, Any]:
            self.calls.append(arguments)
            return {"Items": []}

        return call

    def get_paginator(self, name: str) -> Any:
        client = self

        class Pages:
            async def paginate(self, **arguments: Any) -> Any:
                client.calls.append(arguments)
                yield {"Items": []}

        return Pages()


async def test_no_expression_holds_a_reserved_word(make_row, deadlines):
    client = Client()
    ledger = DynamoLedger(client, "table", deadlines)  # type: ignore[arg-type]
    await ledger.put(make_row(), expected=None)
    await ledger.put(make_row(), expected=3)
    await ledger.put_lease(Lease(name="runner:x"), expected=2)
    await ledger.owed()
    await ledger.owed(before=5)
    await ledger.anything_owed()
    with suppress(KeyError):
        await ledger.get("x")
    assert [row async for row in ledger.jobs(state="FAILED")] == []
    expressions = [text for call in client.calls for name, text in call.items() if name.endswith("Expression")]
    assert len(expressions) >= 10
    functions = {"ATTRIBUTE_NOT_EXISTS", "AND"}
    for text in expressions:
        words = {word.upper() for word in re.findall(r"(?<![#:\w])[A-Za-z_]\w*", text)}
        assert not (words - functions) & RESERVED, text


@pytest.mark.parametrize("word", ["shard", "state", "ttl", "uuid", "name"])
def test_the_list_knows_the_words_that_matter(word):
    assert word.upper() in RESERVED
