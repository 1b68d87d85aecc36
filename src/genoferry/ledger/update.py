"""Every write to a row: read, apply a pure transition, put on condition, read again when another was first."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from genoferry import metrics
from genoferry.errors import LeaseLost, NoSuchJob, RowTooLarge, VersionConflict
from genoferry.ledger.protocol import Ledger
from genoferry.ledger.row import Row, changed

Transition = Callable[[Row], Row]
CONFLICTS = 20


async def read(ledger: Ledger, uuid: str) -> Row:
    """The row. Raises `NoSuchJob`."""
    row = await ledger.get(uuid)
    if not isinstance(row, Row):
        raise NoSuchJob
    return row


async def update(
    ledger: Ledger, uuid: str, transition: Transition, *, lease: str | None = None, known: Row | None = None
) -> Row:
    """Apply a transition to the row as it is now, and return what stands there after.

    A transition that returns its argument writes nothing. With `lease` the row must still carry that token. `known` is
    what the row was a moment ago: if it still is, a read is saved. Raises `LeaseLost`, `NoSuchJob`, or
    `VersionConflict` after twenty conflicts more.
    """
    if known is not None and lease in (None, known.lease_token):
        with suppress(VersionConflict, RowTooLarge):  # of a row as it was: what it is now decides
            if (after := await _put(ledger, known, transition(known))) is not known:
                return after  # else: nothing to write, perhaps only since something is new about the row
    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type(VersionConflict),
        wait=wait_random_exponential(multiplier=0.01, max=0.5),
        stop=stop_after_attempt(CONFLICTS),
        reraise=True,
    ):
        with attempt:
            row = await read(ledger, uuid)
            if lease is not None and row.lease_token != lease:
                raise LeaseLost
            return await _put(ledger, row, transition(row))
    raise AssertionError("unreachable")  # tenacity raises or returns


async def _put(ledger: Ledger, row: Row, after: Row) -> Row:
    """What stands there then, if the row is still there as it was. Raises `VersionConflict`."""
    if after is row:
        return row
    after = changed(after, version=row.version + 1)
    await ledger.put(after, expected=row.version)
    counted(row, after)
    return after


def counted(before: Row | None, after: Row) -> None:
    """Into the metrics, once it is written: a change of state, and the error of a job that failed by it."""
    if before is not None and before.state == after.state:
        return
    metrics.count("transitions", before=before.state if before else "", after=after.state)
    if after.state == "FAILED" and after.error is not None:
        metrics.count("failures", code=after.error.code)
