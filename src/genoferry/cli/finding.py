"""What a check of `genoferry doctor` found."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from genoferry.errors import GenoferryError

Status = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    status: Status
    what: str
    detail: str
    mend: str | None = None

    def document(self) -> dict[str, str | None]:
        return asdict(self)


TO_DOCTOR = re.compile(r" [^.]*`genoferry doctor`[^.]*\.")
"""The sentence of an error that sends people here."""


def said(error: GenoferryError) -> str:
    """The error's message, as doctor says it."""
    return TO_DOCTOR.sub("", str(error))
