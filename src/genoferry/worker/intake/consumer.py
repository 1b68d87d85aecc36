"""Taking messages in: long polls, and what becomes of a message that can't be acted on now."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field

import structlog

from genoferry import metrics
from genoferry.errors import GenoferryError, ServiceError
from genoferry.queue.protocol import Message, Queue
from genoferry.worker.context import WorkerContext
from genoferry.worker.intake.accept import accept
from genoferry.worker.intake.reject import reject, verdict
from genoferry.worker.intake.reports import take_hint
from genoferry.worker.liveness import Loop

log = structlog.get_logger()


@dataclass
class Consumer:
    """The accept loop and the hint loop. `wake` is called when something may be owed."""

    context: WorkerContext
    wake: Callable[[], None]
    stopping: asyncio.Event
    busy: int = 0
    _failures: dict[str, int] = field(default_factory=dict)

    def loops(self) -> list[asyncio.Task[None]]:
        """Start both."""
        return [
            asyncio.create_task(self._poll("requests", self.context.queue, self._accept_all)),
            asyncio.create_task(self._poll("reports", self.context.reports, self._hint_all)),
        ]

    async def accept(self, message: Message) -> bool:
        """Accept or reject it, or let it come back: False. Raises a service's errors, at which polling pauses."""
        self.busy += 1
        try:
            await accept(self.context, message)
            metrics.count("messages", outcome="accepted", code="")
            return True
        except Exception as error:
            return await self._not_accepted(message, error)
        finally:
            self.busy -= 1
            self.wake()

    async def quiet(self) -> bool:
        """Whether the work queue has nothing to give at this moment; what it gives is accepted."""
        messages = await self.context.queue.receive(limit=self.context.settings.queue.batch, wait_seconds=1)
        await self._accept_all(messages)
        return not messages and not self.busy

    async def _accept_all(self, messages: Sequence[Message]) -> None:
        """Groups side by side, and each group's messages in order: one that is to come back holds up those after it."""
        groups: dict[str, list[Message]] = {}
        for message in messages:
            groups.setdefault(message.group_id or message.id, []).append(message)
        await _all(self._accept_in_order(group) for group in groups.values())

    async def _accept_in_order(self, messages: Sequence[Message]) -> None:
        for number, message in enumerate(messages, 1):
            if not await self.accept(message):
                await _all(self.context.queue.hide(later, 1) for later in messages[number:])
                return

    async def _hint_all(self, messages: Sequence[Message]) -> None:
        await _all(take_hint(self.context, message) for message in messages)
        self.wake()

    async def _poll(self, name: Loop, queue: Queue, act: Callable[[Sequence[Message]], Awaitable[None]]) -> None:
        limits = self.context.settings.queue
        while not self.stopping.is_set():
            try:
                await self._services_answer(name)
                with self.context.liveness.turn(name):
                    messages = await queue.receive(limit=limits.batch, wait_seconds=limits.wait_seconds)
                    if messages:
                        await act(messages)
                self._failures[name] = 0
            except GenoferryError as error:
                self._failures[name] = failures = self._failures.get(name, 0) + 1
                log.warning("queue trouble", queue=name, code=error.code, cause=str(error), failures=failures)
                await self._pause(self.context.backoff_millis(failures) / 1000)
            except Exception:
                log.exception("unexpected", queue=name)
                await self._pause(self.context.backoff_millis(3) / 1000)

    async def _services_answer(self, name: str) -> None:
        """After a failure nothing is received until ledger and bucket answer. Raises what they answer."""
        if self._failures.get(name):
            await self.context.ledger.anything_owed()
            await self.context.work.size("probe")

    async def _not_accepted(self, message: Message, error: Exception) -> bool:
        lasting = verdict(self.context, message, error)
        if lasting is not None:
            await reject(self.context, message, lasting)
            metrics.count("messages", outcome="rejected", code=lasting.code)
            return True
        if not isinstance(error, GenoferryError):
            log.error("unexpected", message_id=message.id, exc_info=error)
        code = error.code if isinstance(error, GenoferryError) else GenoferryError.code
        metrics.count("messages", outcome="deferred", code=code)
        await self.context.queue.hide(message, 1 + self.context.backoff_millis(message.receive_count) // 1000)
        if isinstance(error, ServiceError):
            raise error
        return False

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self.stopping.wait(), seconds)
        except TimeoutError:
            return


async def _all(actions: Iterable[Awaitable[None]]) -> None:
    """Let every action end before the first error is raised."""
    ended = await asyncio.gather(*actions, return_exceptions=True)
    for error in ended:
        if isinstance(error, BaseException):
            raise error
