"""Leases: who may work on a row, and who looks after a runner.

A lease's token changes at each renewal. `until` only brings the row back to the index; another worker takes the
lease over when it has seen one token unchanged for the lease's whole length *on its own monotonic clock*, so that
clocks of different machines never have to agree (design, section 4).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from genoferry.errors import LeaseLost, VersionConflict
from genoferry.ledger.protocol import Ledger
from genoferry.ledger.row import Lease, Row, changed
from genoferry.ledger.update import read, update

FORGET_LENGTHS = 100
"""Lengths of a lease after which a sight of it is forgotten: who would take it over has done so long before."""


@dataclass
class Observed:
    """When this process first saw each token, by key."""

    monotonic: Callable[[], float]
    seen: dict[str, tuple[str, float]] = field(default_factory=dict)

    def stale(self, key: str, token: str, length: float) -> bool:
        """Whether this token has stood for `length` seconds before our eyes. Call it at every sight."""
        now, known = self.monotonic(), self.seen.get(key)
        if known is None or known[0] != token:
            kept = {k: sight for k, sight in self.seen.items() if now - sight[1] < FORGET_LENGTHS * length}
            self.seen = kept | {key: (token, now)}
            return False
        return now - known[1] >= length

    def forget(self, key: str) -> None:
        self.seen.pop(key, None)


def runner_lease(runner: str) -> str:
    """The name of the lease of who looks after a runner."""
    return f"runner:{runner}"


def free(row: Row) -> Row:
    """Its lease is nobody's."""
    return changed(row, lease_token=None, lease_until=None)


@dataclass
class Leases:
    """Taking, renewing and giving back. `length` is in seconds; `now` is Unix milliseconds."""

    ledger: Ledger
    observed: Observed
    now: Callable[[], int]
    new_token: Callable[[], str]
    length: float
    holder: str

    async def take(self, uuid: str) -> Row | None:
        """The row with a lease of ours on it, or None while another holds it. Raises `NoSuchJob`."""
        token = self.new_token()

        def transition(row: Row) -> Row:
            held = row.lease_token
            if held is not None and not self.observed.stale(uuid, held, self.length):
                return row
            return changed(row, lease_token=token, lease_until=self._until())

        row = await update(self.ledger, uuid, transition)
        if row.lease_token != token:
            return None
        self.observed.forget(uuid)
        return row

    async def renew(self, uuid: str, token: str) -> Row:
        """One beat: a new token, and the row as it is now. Raises `LeaseLost`."""
        fresh = self.new_token()
        try:
            return await update(
                self.ledger,
                uuid,
                lambda row: changed(row, lease_token=fresh, lease_until=self._until()),
                lease=token,
            )
        except LeaseLost:
            row = await read(self.ledger, uuid)
            if row.lease_token == fresh:
                return row  # the first answer was lost, and the write was sent again
            raise

    async def give_back(self, row: Row, token: str) -> Row | None:
        """Release the row, as last read; None where the lease was lost before."""
        try:
            return await update(self.ledger, row.uuid, free, lease=token, known=row)
        except LeaseLost:
            return None

    async def hold(self, name: str, token: str | None) -> str | None:
        """Take or renew a lease that isn't a row's; the new token, or None while another holds it."""
        lease = await self.ledger.get_lease(name)
        if lease and lease.token and lease.token != token and not self.observed.stale(name, lease.token, self.length):
            return None
        fresh = Lease(
            name=name,
            version=lease.version + 1 if lease else 0,
            token=self.new_token(),
            until=self._until(),
            holder=self.holder,
        )
        try:
            await self.ledger.put_lease(fresh, expected=lease.version if lease else None)
        except VersionConflict:
            return None
        return fresh.token

    async def abandoned(self, name: str) -> bool:
        """Whether nobody renews that lease: call it at every sight, since it takes the lease's length to tell."""
        lease = await self.ledger.get_lease(name)
        token = f"free {lease.version if lease else None}" if lease is None or lease.token is None else lease.token
        return self.observed.stale(name, token, self.length)

    async def let_go(self, name: str, token: str) -> None:
        """Give a runner's lease back, if it is still ours."""
        lease = await self.ledger.get_lease(name)
        if lease is None or lease.token != token:
            return
        nobodys = lease.model_copy(update={"version": lease.version + 1, "token": None})
        try:
            await self.ledger.put_lease(nobodys, expected=lease.version)
        except VersionConflict:
            return  # another took it over first: nothing is ours to give back

    def _until(self) -> int:
        return self.now() + int(self.length * 1000)
