"""Uuids on the command line."""

from __future__ import annotations

from uuid import UUID

import typer


def parsed(text: str) -> str:
    """A uuid in any of its spellings, as the ledger has it."""
    try:
        return str(UUID(text.strip()))
    except ValueError:
        raise typer.BadParameter("this is no uuid; `genoferry send` prints one.", param_hint="UUID") from None
