"""What a ledger must do. Providers: DynamoDB, and in memory (for tests, here and yours)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from genoferry.ledger.row import CancelMark, Lease, OwedRow, Row, State


class Ledger(Protocol):
    async def get(self, uuid: str) -> Row | CancelMark | None:
        """A consistent read. Raises `NewerSchema` for a row that a newer genoferry wrote."""
        ...

    async def put(self, row: Row | CancelMark, *, expected: int | None) -> None:
        """Write the row if its version there is `expected` (None: if there is none).

        Raises `VersionConflict`, and `RowTooLarge` past 64 KiB.
        """
        ...

    async def anything_owed(self) -> bool:
        """Whether the index of owed work holds any row: one small read."""
        ...

    async def owed(self, *, before: int | None = None) -> list[OwedRow]:
        """The index of owed work, due first; with `before` only what is due until then (Unix ms)."""
        ...

    def jobs(self, *, state: State | None = None) -> AsyncIterator[Row]:
        """All rows, for people: a scan."""
        ...

    async def get_lease(self, name: str) -> Lease | None: ...

    async def put_lease(self, lease: Lease, *, expected: int | None) -> None:
        """Raises `VersionConflict`."""
        ...
