"""`genoferry schema`: JSON Schemas of all that crosses the wire."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from genoferry.cli import output

EPILOG = """[bold]Examples[/bold]

  genoferry schema CalculateScores

  genoferry schema --list

  genoferry schema --all --out payloads/schemas
"""


def schema(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="A message name, or event, result, …")] = None,
    list_names: Annotated[bool, typer.Option("--list", help="List the names.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Write all of them to the folder of --out.")] = False,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder for --all.")] = None,
) -> None:
    """Print the JSON Schema of a request, event, result or document."""
    from genoferry import settings
    from genoferry.cli.schemas import file_name, schemas
    from genoferry.errors import NotFound
    from genoferry.handlers.registry import load

    if sum((name is not None, list_names, everything)) != 1 or everything != (out is not None):
        raise typer.BadParameter("give one of NAME, --list, or --all with --out DIR.")
    known = schemas(load(settings.load().compute.handler_modules))
    if list_names:
        output.line("\n".join(known))
    elif name is not None:
        if name not in known:
            raise NotFound(f"There is no schema of that name. There are: {', '.join(known)}.")
        output.document(known[name])
    elif out is not None:
        out.mkdir(parents=True, exist_ok=True)
        for each, document in known.items():
            path = out / file_name(each)
            path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
            output.line(str(path))
