"""`CancelJob`: ends another request's job. It has no row and no events of its own but `Rejected`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator

from genoferry.contracts.base import Contract
from genoferry.contracts.envelope import Request, parse_uuid
from genoferry.errors import UnknownTarget
from genoferry.handlers.protocol import Command
from genoferry.ledger.protocol import Ledger
from genoferry.ledger.row import CancelMark, Row
from genoferry.ledger.states import cancel
from genoferry.ledger.update import update


class CancelJobBody(Contract):
    name: Literal["CancelJob"]
    target: Annotated[str, BeforeValidator(parse_uuid)]


async def apply(body: CancelJobBody, request: Request, ledger: Ledger, now: int) -> str:
    """Cancel the target; one that has ended is told of again; one not yet known gets a mark that accepting honours.

    Returns the target's uuid. Raises `UnknownTarget` for a job of another experiment, and
    `VersionConflict` where the request came in at the same moment: the message is then tried again.
    """
    known = await ledger.get(body.target)
    if known is None:
        mark = CancelMark(uuid=body.target, experiment_id=request.experiment_id, created_at=now)
        await ledger.put(mark, expected=None)
    elif known.experiment_id != request.experiment_id:
        raise UnknownTarget
    elif isinstance(known, Row):
        await update(ledger, body.target, lambda row: _cancel_own(row, request.experiment_id, now))
    return body.target


def _cancel_own(row: Row, experiment_id: str, now: int) -> Row:
    if row.experiment_id != experiment_id:
        raise UnknownTarget
    return cancel(row, now)


HANDLER = Command(name="CancelJob", body=CancelJobBody, apply=apply)
