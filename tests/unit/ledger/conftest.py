from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from genoferry.ledger.due import Deadlines
from genoferry.ledger.row import Row
from genoferry.ledger.states import requested

UUID = "00000000-0000-4000-8000-000000000001"


@pytest.fixture
def deadlines() -> Deadlines:
    return Deadlines(start=3_600_000, run=172_800_000)


@pytest.fixture
def make_row() -> Callable[..., Row]:
    """A fresh row, `Requested` in its outbox; fields given are set."""

    def make(uuid: str = UUID, **fields: Any) -> Row:
        known = {
            "uuid": uuid,
            "experiment_id": "EXP1",
            "name": "CalculateScores",
            "run_name": "INTP1",
            "deployment": "test",
            "fingerprint": "f",
            "request_key": f"{uuid}/request-m.json",
            "message_ids": ("m",),
            "created_at": 1000,
            "updated_at": 1000,
            "retry_at": 1000,
        }
        return requested(Row(**(known | fields)), 1000)

    return make
