"""`genoferry cancel`: asks for a job's end."""

from __future__ import annotations

import asyncio
import json
import uuid as uuids
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genoferry.cli import output

if TYPE_CHECKING:
    from genoferry.cli.services import Services

EPILOG = """[bold]Examples[/bold]

  genoferry cancel 1b4e28ba-2fa1-4d3b-a3f5-ef19b5a7633b

  genoferry cancel "$uuid" --experiment-id study-7    (a job whose request hasn't come yet)
"""


def cancel(
    uuid: Annotated[str, typer.Argument(metavar="UUID", help="The uuid of the request to cancel.")],
    experiment_id: Annotated[
        str | None, typer.Option(help="The request's experimentId: needed while the job isn't known yet.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was sent as JSON.")] = False,
) -> None:
    """Send a CancelJob message for a job; prints the message's own uuid.

    A job that has ended is told of again. One that isn't known yet is cancelled when it comes.
    """
    from genoferry.cli.uuids import parsed

    request = asyncio.run(_cancel(parsed(uuid), experiment_id))
    if as_json:
        output.document(request)
        return
    output.line(str(request["uuid"]))
    output.hint(f"Sent. See it end: genoferry follow {parsed(uuid)}")


async def _cancel(target: str, experiment_id: str | None) -> dict[str, Any]:
    from genoferry.cli.send import validate
    from genoferry.cli.services import services

    async with services() as open_services:
        group = experiment_id or await _experiment_of(open_services, target)
        body = {"name": "CancelJob", "target": target}
        request: dict[str, Any] = {"uuid": str(uuids.uuid4()), "experimentId": group, "body": body}
        text = json.dumps(request)
        validate(text)
        return request | {"messageId": await open_services.outgoing.send(text, group)}


async def _experiment_of(open_services: Services, target: str) -> str:
    from genoferry.errors import NoSuchJob

    known = await open_services.ledger.get(target)
    if known is None:
        raise NoSuchJob("No job with this uuid is known yet. To cancel it before it comes, give --experiment-id.")
    return known.experiment_id
