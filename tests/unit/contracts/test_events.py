"""What an event must have, as its model and its schema say it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from genoferry.contracts.events import ErrorInfo, Event, EventName
from genoferry.errors import NotJson

REJECTED = {"event_id": "m-1", "utc_time": "2026-01-01T00:00:00.000Z", "event": "Rejected"}


def test_a_rejected_without_uuid_leaves_it_out() -> None:
    event = Event.model_validate(REJECTED | {"error": ErrorInfo.of(NotJson()).model_dump()})
    assert "uuid" not in event.wire()
    assert Event.model_validate(event.wire()) == event


@pytest.mark.parametrize("name", [name for name in EventName.__args__ if name != "Rejected"])  # type: ignore[attr-defined]
def test_any_other_event_needs_its_uuid(name: str) -> None:
    with pytest.raises(ValidationError, match="only a Rejected may be without one"):
        Event.model_validate(REJECTED | {"event": name})
