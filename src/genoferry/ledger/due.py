"""What is owed to a row, and when: pure functions of the whole row, recomputed at every write."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from genoferry.ledger.row import KEEP_MILLIS, Row

SHARDS = 8


@dataclass(frozen=True)
class Deadlines:
    """Milliseconds from submission to running, and from running to the end."""

    start: int
    run: int


def shard(uuid: str) -> int:
    """The partition (0-7) of the index of owed work that a row is in."""
    return zlib.crc32(uuid.encode()) % SHARDS


def deadline_at(row: Row, deadlines: Deadlines) -> int | None:
    """When this row's present state is over at the latest: the request's timeout or the runner's deadline."""
    times = []
    if row.timeout_at is not None and not row.terminal and row.state != "RUNNING":
        times.append(row.timeout_at)
    if row.state == "SUBMITTED" and row.submitted_at is not None:
        times.append(row.submitted_at + deadlines.start)
    if row.state == "RUNNING" and row.running_at is not None:
        times.append(row.running_at + deadlines.run)
    return min(times, default=None)


def work_at(row: Row) -> int | None:
    """When any worker may do this row's own work: staging, submission or clean-up."""
    if row.state in ("STAGING", "SUBMITTING") or (row.terminal and row.clean_up):
        return row.retry_at
    if row.clean_up:
        return row.retry_at
    return None


def due_at(row: Row, deadlines: Deadlines) -> int | None:
    """When something is next owed to this row, or None when nothing ever is: such a row is not in the index."""
    owed = [time for time in (work_at(row), row.publish_at if row.outbox else None) if time is not None]
    if row.lease_token is not None and row.lease_until is not None:
        owed = [max(time, row.lease_until) for time in owed] or [row.lease_until]
    if row.state == "REQUESTED":
        owed.append(row.retry_at)
    deadline = deadline_at(row, deadlines)
    owed.extend(time for time in (deadline, row.look_at) if time is not None)
    return min(owed, default=None)


def ttl(row: Row) -> int | None:
    """Unix seconds after which the table may drop the row: only when terminal, published and cleaned."""
    if not row.terminal or row.outbox or row.clean_up or row.ended_at is None:
        return None
    return (row.ended_at + KEEP_MILLIS) // 1000
