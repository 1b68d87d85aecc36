"""What is owed to a row, and when: pure functions of the whole row, recomputed at every write."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from genoferry.ledger.row import KEEP_MILLIS, Row

SHARDS = 8
FAR = 253_402_300_799_000
"""The end of the year 9999: when a live row to which nothing is owed by itself comes up."""
CLEAN = "clean"
"""What any worker may clean up; what only workers of a runner may is `clean_by(runner)`."""


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
        times.append(max(row.submitted_at, row.waits_from or 0) + deadlines.start)
    if row.state == "RUNNING" and row.running_at is not None:
        times.append(row.running_at + deadlines.run)
    return min(times, default=None)


def clean_by(runner: str) -> str:
    """The kind of clean-up that needs this runner: it has to end what the compute has of the attempt."""
    return f"{CLEAN} {runner}"


def owes(row: Row, deadlines: Deadlines) -> dict[str, int]:
    """All that is owed to a row, and when: admit, publish, work (staging, submission), clean, look, deadline.

    While a lease is held, publication, work and clean-up are its holder's.
    """
    free_at = row.lease_until or 0 if row.lease_token is not None else 0
    deadline = deadline_at(row, deadlines)
    work = row.retry_at if row.state in ("STAGING", "SUBMITTING") else None
    if work is None and row.lease_token is not None:
        work = 0
    cleans = {kind for up in row.clean_up for kind in (map(clean_by, up.runners) if up.runners else (CLEAN,))}
    owed: dict[str, int | None] = {
        "admit": row.retry_at if row.state == "REQUESTED" else None,
        "publish": max(row.publish_at, free_at) if row.outbox else None,
        "work": None if work is None else max(work, free_at),
        "look": row.look_at,
        "deadline": deadline,
        **dict.fromkeys(sorted(cleans), max(row.clean_at, free_at)),
    }
    return {kind: at for kind, at in owed.items() if at is not None}


def due_at(row: Row, deadlines: Deadlines) -> int | None:
    """When something is next owed to this row, or None when nothing ever is: such a row is not in the index."""
    if not row.terminal:
        return min(owes(row, deadlines).values(), default=FAR)
    return min(owes(row, deadlines).values(), default=None)


def ttl(row: Row) -> int | None:
    """Unix seconds after which the table may drop the row: only when terminal, published and cleaned."""
    if not row.terminal or row.outbox or row.clean_up or row.ended_at is None:
        return None
    return (row.ended_at + KEEP_MILLIS) // 1000
