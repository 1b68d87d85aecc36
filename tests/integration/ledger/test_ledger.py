"""What a ledger must do, by every provider: in memory, and DynamoDB on the embedded AWS."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from genoferry.aws.clients import open_clients
from genoferry.contracts.base import SCHEMA_VERSION
from genoferry.contracts.events import ErrorInfo
from genoferry.errors import LeaseLost, NewerSchema, NotFound, RowTooLarge, VersionConflict
from genoferry.ledger import states
from genoferry.ledger.due import Deadlines
from genoferry.ledger.dynamodb import DynamoLedger
from genoferry.ledger.leases import Leases, Observed
from genoferry.ledger.protocol import Ledger
from genoferry.ledger.row import CancelMark, Intent, Lease, Row, changed
from genoferry.ledger.update import update
from genoferry.testing import MemoryLedger

DEADLINES = Deadlines(start=3_600_000, run=172_800_000)
ERROR = ErrorInfo(code="c", user_message="m", retryable=False)


@pytest.fixture(params=["memory", "dynamodb"])
async def ledger(request: pytest.FixtureRequest) -> AsyncIterator[Ledger]:
    """An empty ledger. DynamoDB's table is shared by the session, so tests use uuids of their own."""
    if request.param == "memory":
        yield MemoryLedger(DEADLINES)
        return
    variables = request.getfixturevalue("aws_environment")
    async with AsyncExitStack() as stack:
        clients = await open_clients(stack)
        yield DynamoLedger(clients.dynamodb, variables["GENOFERRY_TABLE"], DEADLINES)


@pytest.fixture
def make() -> Callable[..., Row]:
    def one(**fields: Any) -> Row:
        name = fields.pop("uuid", None) or str(uuid.uuid4())
        known = {
            "uuid": name,
            "experiment_id": "EXP1",
            "name": "CalculateScores",
            "run_name": "INTP1",
            "deployment": "test",
            "fingerprint": "f",
            "request_key": f"{name}/request-m.json",
            "message_ids": ("m",),
            "created_at": 1000,
            "updated_at": 1000,
            "retry_at": 1000,
        }
        return states.requested(Row(**(known | fields)), 1000)

    return one


async def owed(ledger: Ledger, row: Row, **kwargs: Any) -> Any:
    """What the index shows of this row, or None."""
    return next((found for found in await ledger.owed(**kwargs) if found.uuid == row.uuid), None)


async def test_what_is_put_is_read(ledger, make):
    row = make(socket_id="sökét", timeout_at=5)
    assert await ledger.get(row.uuid) is None
    await ledger.put(row, expected=None)
    assert await ledger.get(row.uuid) == row


async def test_a_put_is_conditioned_on_the_version(ledger, make):
    row = make()
    await ledger.put(row, expected=None)
    with pytest.raises(VersionConflict):
        await ledger.put(row, expected=None)
    second = changed(row, version=1, socket_id="s")
    with pytest.raises(VersionConflict):
        await ledger.put(second, expected=7)
    await ledger.put(second, expected=0)
    with pytest.raises(VersionConflict):
        await ledger.put(second, expected=0)
    assert await ledger.get(row.uuid) == second
    with pytest.raises(VersionConflict):
        await ledger.put(make(), expected=0)


async def test_of_many_first_puts_one_wins(ledger, make):
    row = make()
    rows = [changed(row, socket_id=str(n)) for n in range(8)]
    ended = await asyncio.gather(*(ledger.put(r, expected=None) for r in rows), return_exceptions=True)
    assert sum(e is None for e in ended) == 1
    assert all(e is None or isinstance(e, VersionConflict) for e in ended)


async def test_no_update_is_lost_when_many_write(ledger, make):
    row = make()
    await ledger.put(row, expected=None)

    async def add(number: int) -> None:
        def transition(there: Row) -> Row:
            return changed(there, message_ids=(*there.message_ids, str(number)))

        await update(ledger, row.uuid, transition)

    await asyncio.gather(*(add(n) for n in range(8)))
    after = await ledger.get(row.uuid)
    assert sorted(after.message_ids) == sorted(["m", *map(str, range(8))])
    assert after.version == 8


async def test_a_cancel_mark_stands_under_the_rows_key(ledger, make):
    row = make()
    mark = CancelMark(uuid=row.uuid, experiment_id="E", created_at=1_790_000_000_000)
    await ledger.put(mark, expected=None)
    assert await ledger.get(row.uuid) == mark
    assert await owed(ledger, row) is None
    with pytest.raises(VersionConflict):
        await ledger.put(row, expected=None)
    await ledger.put(changed(row, version=1), expected=0)
    assert (await ledger.get(row.uuid)).kind == "job"


async def test_a_row_that_is_too_large_is_refused(ledger, make):
    row = make()
    await ledger.put(row, expected=None)
    with pytest.raises(RowTooLarge):
        await ledger.put(changed(row, version=1, socket_id="x" * 65_536), expected=0)
    with pytest.raises(RowTooLarge):
        await ledger.put(changed(row, version=1, socket_id="é" * 33_000), expected=0)
    await ledger.put(changed(row, version=1, socket_id="x" * 60_000), expected=0)


async def test_the_index_shows_what_is_owed_and_to_whom(ledger, make):
    row = make()
    await ledger.put(row, expected=None)
    found = await owed(ledger, row)
    assert (found.version, found.due_at, found.state, found.attempt) == (0, 0, "REQUESTED", 1)
    assert (found.runner, found.ref, found.experiment_id) == (None, None, "EXP1")
    assert found.owes == {"admit": 1000, "publish": 0}
    row = states.published(row, frozenset(e.event_id for e in row.outbox))
    row = states.admit(changed(row, version=1, lease_token="t", lease_until=7_000), 2_000, runner="local:h")
    await ledger.put(row, expected=0)
    found = await owed(ledger, row)
    assert (found.runner, found.lease_token, found.lease_until, found.due_at) == ("local:h", "t", 7_000, 7_000)
    row = states.staged(changed(row, version=2, lease_token=None, lease_until=None), 3_000, attempt=1)
    row = states.intend(row, 3_000, Intent(attempt=1, runner="local:h", name="n", nonce="x"))
    row = states.submitted(row, 4_000, attempt=1, ref='{"pid": 1}')
    await ledger.put(row, expected=1)
    found = await owed(ledger, row)
    assert (found.state, found.ref, found.owes["deadline"]) == ("SUBMITTED", '{"pid": 1}', 4_000 + DEADLINES.start)


async def test_a_finished_row_is_in_the_index_no_more(ledger, make):
    row = make()
    await ledger.put(row, expected=None)
    row = states.fail(row, 2_000, ERROR, attempt=1)
    row = states.published(row, frozenset(e.event_id for e in row.outbox))
    row = changed(states.cleaned(row, row.clean_up[0]), version=1)
    await ledger.put(row, expected=0)
    assert await owed(ledger, row) is None
    assert await ledger.get(row.uuid) == row


async def test_the_index_is_in_order_and_can_be_asked_until_a_time(ledger, make):
    rows = [make(retry_at=at) for at in (3_000, 1_000, 2_000)]
    rows = [states.published(r, frozenset(e.event_id for e in r.outbox)) for r in rows]
    for row in rows:
        await ledger.put(row, expected=None)
    mine = {r.uuid for r in rows}
    assert [o.due_at for o in await ledger.owed() if o.uuid in mine] == [1_000, 2_000, 3_000]
    assert [o.due_at for o in await ledger.owed(before=2_000) if o.uuid in mine] == [1_000, 2_000]


async def test_anything_owed(ledger, make):
    await ledger.put(make(), expected=None)
    assert await ledger.anything_owed() is True


async def test_all_jobs_and_those_in_a_state(ledger, make):
    live, ended = make(), states.cancel(make(), 2_000)
    for row in (live, ended):
        await ledger.put(row, expected=None)
    await ledger.put(CancelMark(uuid=str(uuid.uuid4()), experiment_id="E", created_at=1), expected=None)
    found = {row.uuid: row async for row in ledger.jobs()}
    assert found[live.uuid] == live
    assert found[ended.uuid] == ended
    cancelled = {row.uuid async for row in ledger.jobs(state="CANCELLED")}
    assert ended.uuid in cancelled
    assert live.uuid not in cancelled


async def test_what_a_newer_genoferry_wrote_is_left_alone(ledger, make):
    row = make().model_copy(update={"schema_version": SCHEMA_VERSION + 1})
    await ledger.put(row, expected=None)
    with pytest.raises(NewerSchema):
        await ledger.get(row.uuid)
    with pytest.raises(NewerSchema):
        await update(ledger, row.uuid, lambda there: states.cancel(there, 5))
    assert await owed(ledger, row) is None
    assert row.uuid not in {found.uuid async for found in ledger.jobs()}


async def test_who_has_just_read_a_row_writes_it_without_another_read(ledger, make, monkeypatch):
    row, reads, real = make(), [], ledger.get
    await ledger.put(row, expected=None)

    async def get(name):
        reads.append(name)
        return await real(name)

    monkeypatch.setattr(ledger, "get", get)
    after = await update(ledger, row.uuid, lambda there: changed(there, socket_id="a"), known=row)
    assert (after.socket_id, after.version, reads) == ("a", row.version + 1, [])
    late = await update(ledger, row.uuid, lambda there: changed(there, timeout_at=5), known=row)
    assert (late.socket_id, late.timeout_at, reads) == ("a", 5, [row.uuid]), "what another wrote meanwhile is kept"


async def test_what_is_known_must_carry_the_lease_too(ledger, make):
    row = changed(make(), lease_token="another's", lease_until=5)
    await ledger.put(row, expected=None)
    with pytest.raises(LeaseLost):
        await update(ledger, row.uuid, lambda there: changed(there, socket_id="a"), lease="ours", known=row)


async def test_nothing_to_write_is_said_of_a_row_as_it_is_now(ledger, make):
    row = make()
    await ledger.put(row, expected=None)
    await update(ledger, row.uuid, lambda there: changed(there, socket_id="a"))

    def clear(there):
        return changed(there, socket_id=None) if there.socket_id else there

    assert (await update(ledger, row.uuid, clear, known=row)).socket_id is None


async def test_leases_of_runners(ledger):
    name = f"runner:{uuid.uuid4()}"
    assert await ledger.get_lease(name) is None
    lease = Lease(name=name, token="t", until=5, holder="h")
    await ledger.put_lease(lease, expected=None)
    with pytest.raises(VersionConflict):
        await ledger.put_lease(lease, expected=None)
    assert await ledger.get_lease(name) == lease
    await ledger.put_lease(lease.model_copy(update={"version": 1, "token": None}), expected=0)
    assert (await ledger.get_lease(name)).token is None


async def test_of_many_takers_one_gets_the_row(ledger, make):
    row = make()
    await ledger.put(row, expected=None)
    tokens = iter(range(100))
    takers = [
        Leases(ledger, Observed(lambda: 0.0), lambda: 0, lambda: str(next(tokens)), 30.0, str(n)) for n in range(6)
    ]
    taken = await asyncio.gather(*(taker.take(row.uuid) for taker in takers))
    assert sum(held is not None for held in taken) == 1


async def test_a_table_that_is_not_there_is_an_error_of_ours(aws_environment, make):
    async with AsyncExitStack() as stack:
        clients = await open_clients(stack)
        ledger = DynamoLedger(clients.dynamodb, "no-such-table", DEADLINES)
        with pytest.raises(NotFound):
            await ledger.get("x")


async def test_attributes_for_people_index_and_time_to_live(aws_environment, make):
    """What stands beside the document, on the table itself."""
    row = make()
    async with AsyncExitStack() as stack:
        client = (await open_clients(stack)).dynamodb
        table = aws_environment["GENOFERRY_TABLE"]
        ledger = DynamoLedger(client, table, DEADLINES)

        async def item() -> Any:
            return (await client.get_item(TableName=table, Key={"uuid": {"S": row.uuid}}))["Item"]

        await ledger.put(row, expected=None)
        live = await item()
        assert {"shard", "due_at", "state", "name", "experiment_id", "owes"} <= set(live)
        assert "ttl" not in live
        assert json.loads(live["doc"]["S"])["uuid"] == row.uuid
        row = states.fail(row, 2_000, ERROR, attempt=1)
        row = states.published(row, frozenset(e.event_id for e in row.outbox))
        row = changed(states.cleaned(row, row.clean_up[0]), version=1)
        await ledger.put(row, expected=0)
        finished = await item()
        assert not {"shard", "due_at"} & set(finished)
        assert finished["ttl"] == {"N": str(2 + 15 * 24 * 3600)}
