"""A queue in memory: messages come back until deleted, as SQS has it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from genoferry.queue.protocol import Message


@dataclass
class MemoryQueue:
    """`dead` holds the dead letters: message, body and cause.

    With `visibility_seconds` a message that is not deleted comes back after them, on the running loop's clock;
    without it only `hide` brings one back, and at once.
    """

    visibility_seconds: float | None = None
    waiting: deque[Message] = field(default_factory=deque)
    in_flight: dict[str, Message] = field(default_factory=dict)
    dead: list[tuple[Message, str, Mapping[str, str]]] = field(default_factory=list)
    hidden: list[tuple[str, int]] = field(default_factory=list)
    sent: int = 0
    returned: int = 0
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _due: dict[str, object] = field(default_factory=dict)

    def send(self, body: str, *, group_id: str | None = None, message_id: str | None = None) -> str:
        self.sent += 1
        name = message_id or f"message-{self.sent}"
        self.waiting.append(Message(id=name, receipt_handle=f"receipt-{self.sent}", body=body, group_id=group_id))
        self._arrived.set()
        return name

    async def receive(self, *, limit: int, wait_seconds: int) -> list[Message]:
        if not self.waiting and wait_seconds:
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), wait_seconds)
            except TimeoutError:
                return []
        batch = [self.waiting.popleft() for _ in range(min(limit, len(self.waiting)))]
        self.in_flight.update({message.receipt_handle: message for message in batch})
        for message in batch:
            self._come_back(message, self.visibility_seconds)
        return batch

    async def delete(self, message: Message) -> None:
        self.in_flight.pop(message.receipt_handle, None)

    async def hide(self, message: Message, seconds: int) -> None:
        self.hidden.append((message.id, seconds))
        if self.visibility_seconds is None:
            self._return(message.receipt_handle)
        else:
            self._come_back(message, seconds)

    async def dead_letter(self, message: Message, body: str, cause: Mapping[str, str]) -> None:
        self.dead.append((message, body, cause))

    def _come_back(self, message: Message, seconds: float | None) -> None:
        """The latest word on a receipt counts, as SQS has it."""
        if seconds is not None:
            self._due[message.receipt_handle] = due = object()
            asyncio.get_running_loop().call_later(seconds, self._return, message.receipt_handle, due)

    def _return(self, receipt: str, due: object | None = None) -> None:
        if due is not self._due.get(receipt) and due is not None:
            return
        self._due.pop(receipt, None)
        if (message := self.in_flight.pop(receipt, None)) is not None:
            self.returned += 1
            count, handle = message.receive_count + 1, f"{receipt}+{self.returned}"
            self.waiting.append(replace(message, receive_count=count, receipt_handle=handle))
            self._arrived.set()
