"""What a check of `genoferry doctor` found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

Status = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    status: Status
    what: str
    detail: str
    mend: str | None = None

    def document(self) -> dict[str, str | None]:
        return asdict(self)
