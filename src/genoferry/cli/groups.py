"""What all commands share: errors end them with a message and an exit code, and help is filled to the width."""

from __future__ import annotations

import inspect
import re
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from genoferry.errors import GenoferryError


class Command(TyperCommand):
    """Its docstring's paragraphs are filled: typer keeps the line breaks of the source else."""

    def __init__(self, *args: Any, help: str | None = None, **options: Any) -> None:
        super().__init__(*args, help=filled(help), **options)


PROGRAMS = frozenset({"worker", "job"})
"""Commands that run unseen: what ends them is an entry of their log, if that is JSON; with the traceback of what isn't
an error of ours."""


class Group(TyperGroup):
    """Ends a command with the message and exit code of its error, not with a traceback."""

    def __init__(self, *args: Any, help: str | None = None, **options: Any) -> None:
        super().__init__(*args, help=filled(help), **options)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except GenoferryError as error:
            raise _exit(error, program=ctx.invoked_subcommand in PROGRAMS) from error
        except OSError as error:
            from genoferry.cli.paths import unusable

            found = None if ctx.invoked_subcommand in PROGRAMS else unusable(error)
            if found is None:
                raise
            raise _exit(found, program=False) from error


def _exit(error: GenoferryError, *, program: bool) -> typer.Exit:
    """Say what is wrong; the end of the command."""
    from genoferry.cli.exit_codes import of_error

    _log_or_complain(error, program=program)
    return typer.Exit(of_error(error))


def _log_or_complain(error: GenoferryError, *, program: bool) -> None:
    from genoferry import telemetry
    from genoferry.cli.output import complain

    if program and telemetry.is_json():
        import structlog

        structlog.get_logger().error("program ended", code=error.code, cause=str(error))
    else:
        complain(error)


def filled(text: str | None) -> str | None:
    """Each paragraph on one line."""
    return text and re.sub(r"(?<!\n)\n(?!\n)", " ", inspect.cleandoc(text))
