"""What `genoferry doctor` looks at. A check returns a finding; a service's error is one too."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from genoferry import settings
from genoferry.aws.clients import region
from genoferry.cli import aws_checks
from genoferry.cli.cluster_checks import cluster
from genoferry.cli.disk_checks import disk
from genoferry.cli.engine_checks import engine
from genoferry.cli.finding import Finding, said
from genoferry.cli.job_checks import job_credentials
from genoferry.cli.variables import unknown_variables
from genoferry.errors import AccessDenied, GenoferryError, NotFound, ServiceUnavailable, SettingsError

if TYPE_CHECKING:
    from genoferry.aws.clients import Clients
    from genoferry.settings import Settings

TOOLS = ("pgscatalog-format", "pgscatalog-match", "pgscatalog-matchmerge", "pgscatalog-aggregate")
DEPLOY = "Deploy infra/template.yaml, or run `genoferry local up`, and export what `genoferry local env` prints."
MEND: dict[type[GenoferryError], str] = {
    AccessDenied: 'Set AWS credentials that may use it; for the embedded AWS: eval "$(genoferry local env)".',
    NotFound: DEPLOY,
    ServiceUnavailable: "Check AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_S3, and that the service runs.",
}


Check = Callable[["Settings", "Clients"], Awaitable[Finding]]


async def examine() -> list[Finding]:
    """All checks. Without valid settings the services can't be asked."""
    try:
        known = settings.load()
    except SettingsError as error:
        mend = "Set it as docs/reference/settings.md says."
        return [Finding("fail", "settings", str(error), mend), variables(os.environ), *tools()]
    named = Finding("ok", "settings", f"deployment {known.deployment}")
    asked = [*await _services(known), *cluster(known)]
    return [named, variables(os.environ), endpoint(), *asked, *limits(known), *disk(known), *tools(), *engine(known)]


async def _services(known: Settings) -> list[Finding]:
    from genoferry.aws.clients import open_clients

    try:
        async with AsyncExitStack() as stack:
            clients = await open_clients(stack)
            found = await asyncio.gather(*(_checked(what, check, known, clients) for what, check in SERVICES.items()))
    except GenoferryError as error:
        return [Finding("fail", "AWS", str(error))]
    return list(found)


async def _checked(what: str, check: Check, known: Settings, clients: Clients) -> Finding:
    try:
        return await check(known, clients)
    except GenoferryError as error:
        mend = next((text for kind, text in MEND.items() if isinstance(error, kind)), None)
        return Finding("fail", what, said(error), mend)


def variables(environment: Mapping[str, str]) -> Finding:
    """That what is set is read."""
    unknown = unknown_variables(environment)
    if not unknown:
        return Finding("ok", "variables", "each that begins with GENOFERRY_ is known")
    names = ", ".join(variable.name for variable in unknown)
    detail = f"{names}: no such setting, so nothing reads {'it' if len(unknown) == 1 else 'them'}"
    advice = dict.fromkeys(variable.advice for variable in unknown)
    return Finding("warn", "variables", detail, " ".join(advice))


def endpoint() -> Finding:
    """Which AWS is meant."""
    own, s3 = os.environ.get("AWS_ENDPOINT_URL"), os.environ.get("AWS_ENDPOINT_URL_S3")
    if own and s3 and own != s3:
        return Finding("ok", "endpoint", f"{own}, S3 at {s3}")
    if own or s3:
        where = own or f"AWS, S3 at {s3}"
        return Finding("ok", "endpoint", where)
    if not region(os.environ):
        mend = "Set AWS_REGION (or a profile that has one), or export what `genoferry local env` prints."
        return Finding("warn", "endpoint", "AWS, and no region is set in the environment", mend)
    return Finding("ok", "endpoint", "AWS")


def limits(known: Settings) -> list[Finding]:
    """What a sender may use; nothing allowed means that every request is rejected."""
    allow = known.allow.model_dump()
    sources = {name for name in ("file_roots", "hosts", "buckets") if allow[name]}
    sources |= {"globus"} if known.globus.base_url else set()
    keys = {name for name in ("key_roots", "secret_prefixes") if allow[name]}
    keys |= {"key service"} if known.key_service.url else set()
    found = []
    for what, names, where in (
        ("sources", sources, "GENOFERRY_ALLOW_BUCKETS, _HOSTS or _FILE_ROOTS, or GENOFERRY_GLOBUS_BASE_URL"),
        ("keys", keys, "GENOFERRY_KEY_SERVICE_URL, GENOFERRY_ALLOW_SECRET_PREFIXES or _KEY_ROOTS"),
    ):
        allowed = ", ".join(sorted(names)).replace("_", " ")
        bad = Finding("warn", what, "none is allowed, so a worker rejects every request", f"Set {where}.")
        found.append(Finding("ok", what, f"allowed: {allowed}") if names else bad)
    return found


def tools() -> list[Finding]:
    """What the job needs on this machine, where the runner is the local one."""
    from genoferry.errors import ToolsMissing
    from genoferry.pgsc.process import tool

    python = Finding("ok", "Python", f"{platform.python_version()}, {sys.prefix}")
    try:
        for name in TOOLS:
            tool(name)
        own = Finding("ok", "PGS Catalog tools", "all there")
    except ToolsMissing as error:
        own = Finding("fail", "PGS Catalog tools", str(error), "Run `make setup`, or pip install 'genoferry[pgs]'.")
    plink2 = shutil.which("plink2")
    there = Finding("ok", "plink2", plink2 or "")
    absent = Finding("warn", "plink2", "not on PATH; pgenlib calculates instead, with the same numbers")
    return [python, own, there if plink2 else absent]


SERVICES: dict[str, Check] = {
    "credentials and clock": aws_checks.clock,
    "work queue": aws_checks.work_queue,
    "dead letters": aws_checks.dead_letters,
    "report queue": aws_checks.report_queue,
    "topic": aws_checks.topic,
    "table": aws_checks.table,
    "work bucket": aws_checks.work_bucket,
    "results bucket": aws_checks.results_bucket,
    "job credentials": job_credentials,
}
