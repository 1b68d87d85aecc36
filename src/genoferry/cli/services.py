"""What the commands stand on: settings, clients, ledger and buckets, opened for one command."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genoferry.aws.objects import Objects
    from genoferry.cli.outgoing import Outgoing
    from genoferry.ledger.protocol import Ledger
    from genoferry.settings import Settings


@dataclass(frozen=True)
class Services:
    settings: Settings
    ledger: Ledger
    work: Objects
    results: Objects
    outgoing: Outgoing


@asynccontextmanager
async def services() -> AsyncIterator[Services]:
    """Those of this environment. Raises `SettingsError`, `ServiceError`s."""
    from genoferry import settings
    from genoferry.aws.clients import open_clients
    from genoferry.aws.objects import S3Objects
    from genoferry.cli.outgoing import SqsOutgoing
    from genoferry.ledger.dynamodb import DynamoLedger
    from genoferry.worker.build import deadlines

    known = settings.load()
    async with AsyncExitStack() as stack:
        clients = await open_clients(stack)
        yield Services(
            settings=known,
            ledger=DynamoLedger(clients.dynamodb, known.table, deadlines(known)),
            work=S3Objects(clients.s3, known.work_bucket),
            results=S3Objects(clients.s3, known.results_bucket),
            outgoing=SqsOutgoing(clients.sqs, known.work_queue),
        )
