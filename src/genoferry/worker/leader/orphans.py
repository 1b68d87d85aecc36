"""The sweep: what a compute still has of attempts that are over (design, section 6)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from genoferry.compute.protocol import Leftover, Workspace
from genoferry.errors import GenoferryError, ServiceError
from genoferry.ledger.row import KEEP_MILLIS, CancelMark, Row
from genoferry.worker.context import WorkerContext

log = structlog.get_logger()


async def sweep(context: WorkerContext) -> None:
    """Clean what the compute still has of attempts that are over: left by a worker that stalled or a host that
    was away. What the ledger has work owed for is left alone, and so is what it doesn't know, until that is older than
    a row is kept."""
    runner, deployment = context.runner, context.settings.deployment
    for left in await runner.leftovers(deployment):
        handle = left.handle
        async with _on_its_own(handle.uuid):
            if is_over(await context.ledger.get(handle.uuid), left):
                await runner.clean(handle)
                log.info("swept", uuid=handle.uuid, attempt=handle.attempt)
    for kept in await runner.workspaces(deployment):
        async with _on_its_own(kept.uuid):
            if is_done_with(await context.ledger.get(kept.uuid), kept):
                await runner.discard(kept.name)
                log.info("swept", uuid=kept.uuid, workspace=kept.staged_in)


def is_over(row: Row | CancelMark | None, left: Leftover) -> bool:
    """Whether nothing can come of that attempt any more, and no clean-up of it is owed. A row that is gone from the
    ledger ended longer ago than rows are kept."""
    if not isinstance(row, Row):
        return left.age * 1000 > KEEP_MILLIS
    attempt = left.handle.attempt
    owed = any(up.attempt == attempt for up in row.clean_up)
    return not owed and (row.attempt > attempt or (row.attempt == attempt and row.terminal))


def is_done_with(row: Row | CancelMark | None, kept: Workspace) -> bool:
    """Whether no attempt can come that would use that workspace, and its removal isn't owed. A row that is gone from
    the ledger ended longer ago than rows are kept: genotypes in clear must not outlive it."""
    if not isinstance(row, Row):
        return kept.age * 1000 > KEEP_MILLIS
    owed = any(up.workspace and up.workspace.staged_in == kept.staged_in for up in row.clean_up)
    return not owed and (row.staged_in > kept.staged_in or (row.staged_in == kept.staged_in and row.terminal))


@asynccontextmanager
async def _on_its_own(uuid: str) -> AsyncIterator[None]:
    """One leftover's trouble must not keep the others."""
    try:
        yield
    except ServiceError:
        raise
    except GenoferryError as error:
        log.warning("not swept", uuid=uuid, code=error.code, cause=str(error))
    except Exception:
        log.exception("unexpected", uuid=uuid)
