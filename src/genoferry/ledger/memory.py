"""The ledger in memory: the same promises within one process, for tests and simulations."""

from __future__ import annotations

from collections.abc import AsyncIterator

from genoferry.contracts.base import SCHEMA_VERSION
from genoferry.errors import NewerSchema, VersionConflict
from genoferry.ledger.due import Deadlines, due_at, owes
from genoferry.ledger.row import CancelMark, Lease, OwedRow, Row, State, encoded


class MemoryLedger:
    """Documents by key, kept as JSON so that nothing is shared by accident."""

    def __init__(self, deadlines: Deadlines) -> None:
        self._deadlines = deadlines
        self._rows: dict[str, Row | CancelMark] = {}
        self._leases: dict[str, Lease] = {}

    async def get(self, uuid: str) -> Row | CancelMark | None:
        row = self._rows.get(uuid)
        if row is not None and row.schema_version > SCHEMA_VERSION:
            raise NewerSchema
        return row

    async def put(self, row: Row | CancelMark, *, expected: int | None) -> None:
        text, present = encoded(row), self._rows.get(row.uuid)
        if (present.version if present else None) != expected:
            raise VersionConflict
        self._rows[row.uuid] = type(row).model_validate_json(text)

    async def anything_owed(self) -> bool:
        return bool(await self.owed())

    async def owed(self, *, before: int | None = None) -> list[OwedRow]:
        rows = [(due_at(row, self._deadlines), row) for row in self._readable()]
        due = [(at, row) for at, row in rows if at is not None and (before is None or at <= before)]
        return [self._owed_row(row, at) for at, row in sorted(due, key=lambda pair: pair[0])]

    async def jobs(self, *, state: State | None = None) -> AsyncIterator[Row]:
        for row in self._readable():
            if state in (None, row.state):
                yield row

    def _readable(self) -> list[Row]:
        return [r for r in self._rows.values() if isinstance(r, Row) and r.schema_version <= SCHEMA_VERSION]

    async def get_lease(self, name: str) -> Lease | None:
        return self._leases.get(name)

    async def put_lease(self, lease: Lease, *, expected: int | None) -> None:
        present = self._leases.get(lease.name)
        if (present.version if present else None) != expected:
            raise VersionConflict
        self._leases[lease.name] = lease

    def _owed_row(self, row: Row, at: int) -> OwedRow:
        return OwedRow(
            uuid=row.uuid,
            version=row.version,
            due_at=at,
            state=row.state,
            attempt=row.attempt,
            runner=row.runner,
            ref=row.intent.ref if row.intent else None,
            experiment_id=row.experiment_id,
            lease_token=row.lease_token,
            lease_until=row.lease_until,
            owes=owes(row, self._deadlines),
        )
