"""`genoferry send`: validates a request with the worker's own code, then sends it."""

from __future__ import annotations

import asyncio
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from genoferry.cli import output

if TYPE_CHECKING:
    from genoferry.contracts.envelope import Request
    from genoferry.ledger.row import Row

EPILOG = """[bold]Examples[/bold]

  genoferry send payloads/calculate_scores.json

  genoferry send - --follow < request.json

  uuid=$(genoferry send request.json) && genoferry follow "$uuid" --timeout 3600
"""


def send(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="The request, a JSON object; - reads stdin.")],
    experiment_id: Annotated[
        str | None, typer.Option(help="experimentId of a bare JobRequest, which names none; its id if left out.")
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Then follow the job, with the exit codes of `follow`.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what was sent as JSON; with --follow all as lines of JSON.")
    ] = False,
) -> None:
    """Validate a request and send it to the work queue; prints its uuid.

    It is validated by the worker's own code. A request that is not valid is named as such, nothing is sent, and the
    exit code is 3. Sent again, the same request attaches to the job that it made.
    """
    text = read_text(file, "FILE|-")
    request = validate(text, experiment_id)
    message_id, before = asyncio.run(_send(text, request))
    if as_json:
        sent = {"uuid": request.uuid, "name": request.name, "experimentId": request.experiment_id}
        (output.json_line if follow else output.document)(sent | {"messageId": message_id})
    else:
        output.line(request.uuid)
    if follow:
        _follow(request.uuid, before, as_json=as_json)
    if not as_json:
        output.hint(f"Sent. See how it goes: genoferry follow {request.uuid}")


def read_text(file: str, argument: str = "PAYLOAD|-") -> str:
    """The text of a file, or of stdin; `argument`: what the command calls it. No more is read than a message may hold.

    Raises `MessageTooLarge`, and `NotJson` for what isn't UTF-8.
    """
    from genoferry.contracts.envelope import MAX_MESSAGE_BYTES
    from genoferry.errors import MessageTooLarge, NotJson

    try:
        with nullcontext(sys.stdin.buffer) if file == "-" else Path(file).open("rb") as source:
            data = source.read(MAX_MESSAGE_BYTES + 1)
    except OSError as error:
        raise typer.BadParameter(f"{file} can't be read: {error.strerror}.", param_hint=argument) from None
    if len(data) > MAX_MESSAGE_BYTES:
        raise MessageTooLarge
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise NotJson from None


def validate(text: str, group_id: str | None = None) -> Request:
    """The request, as a worker would accept it, but for its allow-lists. Raises `BadMessage`s, `SettingsError`."""
    from genoferry import settings
    from genoferry.contracts.envelope import parse_request
    from genoferry.handlers.registry import find, load, parse_body

    request = parse_request(text, group_id=group_id)
    handler = find(load(settings.load().compute.handler_modules), request.name)
    body = parse_body(handler, request)
    if handler.kind == "job":
        handler.plan(body)
    return request


async def _send(text: str, request: Request) -> tuple[str, int]:
    """The message's id, and the sequence that a job of this uuid had come to before."""
    from genoferry.cli.services import services
    from genoferry.ledger.row import Row

    async with services() as open_services:
        known = await open_services.ledger.get(request.uuid)
        message_id = await open_services.outgoing.send(text, request.experiment_id)
        return message_id, known.sequence if isinstance(known, Row) else 0


def _follow(uuid: str, after: int, *, as_json: bool) -> NoReturn:
    from genoferry.cli.follow import finish, watch
    from genoferry.cli.services import services
    from genoferry.cli.views import view

    async def follow() -> Row:
        async with services() as open_services:
            return await watch(open_services.ledger, uuid, view(as_json=as_json), after=after)

    finish(asyncio.run(follow()))
