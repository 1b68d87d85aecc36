"""Reading a byte range of a source to its last byte, through transient trouble."""

from __future__ import annotations

from dataclasses import dataclass

from tenacity import RetryCallState, Retrying, retry_if_exception, sleep_using_event
from tenacity.wait import wait_random_exponential

from genoferry.errors import GenoferryError, SourceShort, SourceUnavailable
from genoferry.staging.cancellation import Halt
from genoferry.staging.source import Body, Source, SourceStat


@dataclass(frozen=True, slots=True)
class Retry:
    """`tries` in all for one range; seconds between them random up to `first`, twice that, and so on to `most`."""

    tries: int = 6
    first: float = 0.5
    most: float = 30.0


@dataclass(frozen=True, slots=True)
class Origin:
    """One file at its source, as it was first seen. `start`: its first bytes, read already and not read again."""

    source: Source
    path: str
    stat: SourceStat | None = None
    start: bytes = b""


class RangeReader:
    """Bytes `[start, stop)` of a file, in order. After a failure it goes on from the byte it had come to.

    A context manager: leaving it closes the connection, or gives it back where the range was read to its end.
    """

    def __init__(self, origin: Origin, start: int, stop: int, *, retry: Retry, halt: Halt) -> None:
        self._origin, self._position, self._stop = origin, start, stop
        self._halt = halt
        self._body: Body | None = None
        self._failures = 0
        self._retrying = Retrying(
            retry=retry_if_exception(_transient),
            stop=lambda _: self._failures >= retry.tries,  # of the whole range: a source that trickles ends too
            wait=wait_random_exponential(retry.first, retry.most),
            sleep=sleep_using_event(halt.event),
            after=self._failed,
            reraise=True,
        )

    @property
    def stat(self) -> SourceStat | None:
        """Of the file, as the last answer states it."""
        return self._body.stat if self._body else self._origin.stat

    def fill(self, view: memoryview) -> None:
        """Fill all of `view`. Raises the errors of `Source.open` once trying again didn't help, `StagingStopped`."""
        done = min(len(view), max(0, len(self._origin.start) - self._position))
        view[:done] = self._origin.start[self._position : self._position + done]
        self._position += done
        while done < len(view):
            done += self.some(view[done:])

    def some(self, view: memoryview) -> int:
        """Fill some of `view`: at least one byte."""
        got = self._retrying(self._read, view)
        self._position += got
        return got

    def _read(self, view: memoryview) -> int:
        self._halt.check()
        try:
            body = self._body = self._body or self._open()
            with self._halt.aborting(body):
                got = body.readinto(view)
        except GenoferryError:
            self.close()
            self._halt.check()  # aborted: that is why it failed
            raise
        if not got:
            self.close()
            self._halt.check()
            raise SourceShort
        return got

    def _open(self) -> Body:
        origin = self._origin
        etag = None if origin.stat is None else origin.stat.etag
        return origin.source.open(origin.path, self._position, self._stop, etag, self._halt)

    def _failed(self, _: RetryCallState) -> None:
        self._failures += 1

    def close(self) -> None:
        if self._body is not None:
            self._body.close()
            self._body = None

    def __enter__(self) -> RangeReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _transient(error: BaseException) -> bool:
    return isinstance(error, SourceUnavailable | SourceShort)
