"""`genoferry dlq`: dead letters, read without taking them."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from genoferry.cli import output
from genoferry.cli.groups import Command

app = typer.Typer(no_args_is_help=True, help="Dead letters: messages that were rejected, and why.")

LIST_EPILOG = "[bold]Example[/bold]\n\n  genoferry dlq list --json | jq -r '.[].code' | sort | uniq -c"
SHOW_EPILOG = (
    "[bold]Examples[/bold]\n\n  genoferry dlq show 5fea7756\n\n  genoferry dlq show 5fea7756 --json | jq -r .body"
)
MANY = 4000
AsJson = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]


@app.command("list", cls=Command, epilog=LIST_EPILOG)
def list_(as_json: AsJson = False) -> None:
    """List the dead letters of the work queue.

    They are hidden from other readers for a moment while they are read. Copies of one message are shown once. Of a
    FIFO queue SQS hands out at most ten of one experiment at a time.
    """
    letters = asyncio.run(_letters())
    if as_json:
        output.document([letter.document() for letter in letters])
        return
    if not letters:
        output.hint("No dead letters.")
        return
    rows = [(letter.id, letter.time or "", letter.code or "", letter.cause or "") for letter in letters]
    output.table(("message", "time", "code", "cause"), rows, whole=("message", "code"))
    output.hint("All of one: genoferry dlq show MESSAGE")


@app.command("show", cls=Command, epilog=SHOW_EPILOG)
def show(
    message: Annotated[str, typer.Argument(metavar="MESSAGE", help="The message's id, or how it begins.")],
    as_json: AsJson = False,
) -> None:
    """Show one dead letter: cause, time, the worker's version, and its body. Mend the body and send it again."""
    from genoferry.errors import NotFound

    found = [letter for letter in asyncio.run(_letters()) if message in (letter.id[: len(message)], letter.message_id)]
    if len(found) != 1:
        many = "More than one dead letter begins so. Give more of its id."
        raise NotFound(many if found else "No dead letter has this id. See `genoferry dlq list`.")
    letter = found[0]
    if as_json:
        output.document(letter.document())
        return
    output.facts(
        [
            ("Message", letter.id),
            ("Code", letter.code),
            ("Cause", letter.cause),
            ("Time", letter.time),
            ("Worker", letter.worker_version),
            ("Group", letter.group_id),
        ]
    )
    output.line("")
    output.line(_for_people(letter.body))


def _for_people(body: str) -> str:
    """Whole, unless it would flood a terminal."""
    if len(body) <= MANY or not output.answers().is_terminal:
        return body
    return f"{body[:MANY]}\n… {len(body)} characters in all; --json has them."


async def _letters() -> list[Any]:
    from contextlib import AsyncExitStack

    from genoferry import settings
    from genoferry.aws.clients import open_clients
    from genoferry.cli.dead_letters import dead_letter_url, peek

    known = settings.load()
    async with AsyncExitStack() as stack:
        sqs = (await open_clients(stack)).sqs
        return await peek(sqs, await dead_letter_url(sqs, known.work_queue, known.genoferry_dead_letter_queue))
