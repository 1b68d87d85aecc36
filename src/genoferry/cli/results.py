"""`genoferry results`: downloads what a job came to."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genoferry.cli import output

if TYPE_CHECKING:
    from genoferry.cli.download import Fetched
    from genoferry.ledger.row import Row

EPILOG = """[bold]Examples[/bold]

  genoferry results 1b4e28ba-2fa1-4d3b-a3f5-ef19b5a7633b --out scores/
"""


def results(
    uuid: Annotated[str, typer.Argument(metavar="UUID", help="The request's uuid.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to write to; made where it isn't there.")],
    force: Annotated[bool, typer.Option("--force", help="Replace files that have other content.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was written as JSON.")] = False,
) -> None:
    """Download a job's result files. What was there already, the same, is left alone.

    Each file's size is checked, its checksum in transit, and its sha256 while the job's exit report is kept. A file
    of the same name with other content is not replaced without --force (exit code 14).
    """
    from genoferry.cli.download import download
    from genoferry.cli.uuids import parsed

    row, digests, bucket = asyncio.run(_pointers(parsed(uuid)))
    fetched = download(row.results, bucket, out, digests=digests, force=force)
    if as_json:
        output.document([{"path": str(item.path), "size": item.size, "sha256": item.sha256} for item in fetched])
        return
    rows = [(str(item.path), output.size(item.size), _said(item)) for item in fetched]
    output.table(("file", "size", ""), rows, right=("size",))


def _said(item: Fetched) -> str:
    return "written" if item.written else "there already"


async def _pointers(uuid: str) -> tuple[Row, dict[str, str], str]:
    """The job's row, the digests known of its results by key, and their bucket. Raises `NoResults`, `NoSuchJob`."""
    from pydantic import ValidationError

    from genoferry.cli.services import services
    from genoferry.contracts.keys import exit_key
    from genoferry.contracts.reports import ExitReport
    from genoferry.errors import NoResults
    from genoferry.ledger.update import read

    async with services() as open_services:
        row = await read(open_services.ledger, uuid)
        if not row.results:
            raise NoResults
        text = await open_services.work.get(exit_key(row.uuid, row.attempt))
        try:
            outputs = ExitReport.model_validate_json(text).outputs if text else ()
        except ValidationError:
            outputs = ()  # a report that can't be read adds nothing; sizes and checksums are still compared
        return row, {item.key: item.sha256 for item in outputs}, open_services.results.bucket
