"""What a queue must do: SQS, or in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Message:
    """A received message. `receive_count` counts this receive; `body` is text, whatever it holds."""

    id: str
    receipt_handle: str
    body: str
    receive_count: int = 1
    group_id: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)


class Queue(Protocol):
    async def receive(self, *, limit: int, wait_seconds: int) -> list[Message]:
        """One long poll. Raises `ServiceError`s."""
        ...

    async def delete(self, message: Message) -> None:
        """It doesn't come again, unless it was received again since: then it is its new receiver's to delete."""
        ...

    async def hide(self, message: Message, seconds: int) -> None:
        """Let it come back after so many seconds."""
        ...

    async def dead_letter(self, message: Message, body: str, cause: Mapping[str, str]) -> None:
        """A copy to the dead-letter queue, `cause` as message attributes."""
        ...
