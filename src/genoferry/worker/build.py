"""A worker from its settings: clients opened, queues looked up, the context put together."""

from __future__ import annotations

import os
import socket
import time
from contextlib import AsyncExitStack, closing

from genoferry.aws.clients import Clients, open_clients
from genoferry.aws.objects import S3Objects
from genoferry.compute import registry as runners
from genoferry.compute.protocol import Runner
from genoferry.handlers import registry
from genoferry.ledger.due import Deadlines
from genoferry.ledger.dynamodb import DynamoLedger
from genoferry.ledger.leases import Leases, Observed
from genoferry.publisher import SnsPublisher
from genoferry.queue.sqs import SqsQueue, queue_url
from genoferry.settings import Settings
from genoferry.validation import checked
from genoferry.worker.context import WorkerContext, new_id, unix_millis
from genoferry.worker.driver.preflight import Preflight
from genoferry.worker.driver.stager import RealStager


def deadlines(settings: Settings) -> Deadlines:
    compute = settings.compute
    return Deadlines(int(compute.start_deadline_seconds * 1000), int(compute.run_deadline_seconds * 1000))


async def build(stack: AsyncExitStack, settings: Settings) -> WorkerContext:
    """Everything that a worker needs, or the error that says what is missing. Raises `ServiceError`s, `SettingsError`.

    The stack closes what was opened.
    """
    clients = await open_clients(stack)
    ledger = DynamoLedger(clients.dynamodb, settings.table, deadlines(settings))
    work_url = await queue_url(clients.sqs, settings.work_queue)
    report_url = await queue_url(clients.sqs, settings.report_queue)
    leases = Leases(
        ledger=ledger,
        observed=Observed(time.monotonic),
        now=unix_millis,
        new_token=new_id,
        length=settings.worker.lease_seconds,
        holder=f"{socket.gethostname()}:{os.getpid()}",
    )
    return WorkerContext(
        settings=settings,
        ledger=ledger,
        leases=leases,
        deadlines=deadlines(settings),
        work=S3Objects(clients.s3, settings.work_bucket),
        results=S3Objects(clients.s3, settings.results_bucket),
        queue=await _work_queue(clients, settings, work_url),
        reports=SqsQueue(clients.sqs, report_url, visibility_seconds=settings.queue.visibility_seconds),
        publisher=SnsPublisher(clients.sns, settings.topic_arn),
        runner=runner(stack, settings),
        stager=stack.enter_context(closing(RealStager(settings))),
        handlers=registry.load(settings.compute.handler_modules),
        report_queue_url=report_url,
        preflight=None if settings.preflight.mode == "off" else stack.enter_context(closing(Preflight(settings))),
    )


async def _work_queue(clients: Clients, settings: Settings, url: str) -> SqsQueue:
    named = settings.genoferry_dead_letter_queue
    dead = await queue_url(clients.sqs, named) if named else None
    return SqsQueue(clients.sqs, url, visibility_seconds=settings.queue.visibility_seconds, dead_letter_url=dead)


def runner(stack: AsyncExitStack, settings: Settings) -> Runner:
    """The runner that the settings name; the stack ends its watch."""
    if settings.compute.engine == "nextflow":
        checked("GENOFERRY_WORKSPACES", str(settings.workspaces))  # now, not in every job
    return runners.build(stack, settings)
