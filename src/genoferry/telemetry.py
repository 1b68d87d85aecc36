"""Logs: structured, to stderr, with everything that may be secret or genotype redacted on the way out.

All of a process's words go through one renderer: its own entries, those of the standard library's logging (which
vendors and asyncio use), warnings, and exceptions that nobody handled. So a JSON log is JSON in every line.
"""

from __future__ import annotations

import io
import logging
import re
import sys
import threading
import traceback
from collections.abc import MutableMapping
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, TextIO, cast

import structlog
from pydantic import SecretBytes, SecretStr

from genoferry.errors import GenoferryError

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

REDACTED = "[redacted]"
_SECRET_NAME = re.compile(
    r"key_?material|private_?key|passphrase|password|secret(?!_id)|token(?!_url)|authorization", re.I
)
_SECRET_TEXT = re.compile(
    r"-----BEGIN [^-]*PRIVATE KEY-----.*?(-----END [^-]*PRIVATE KEY-----|$)"
    r"|(?<=Bearer )\S+|(?<=Basic )[A-Za-z0-9+/=]+|(?<=X-Amz-Signature=)[0-9a-f]+",
    re.S,
)


def redact(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: secrets by name, by type and by look."""
    return {name: _clean(name, value) for name, value in event.items()}


def _clean(name: str, value: Any) -> Any:
    if _SECRET_NAME.search(name) or isinstance(value, bytes | bytearray | memoryview | SecretStr | SecretBytes):
        return REDACTED
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict):
        return {_text(k): _clean(str(k), v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean("", item) for item in value]
    return _text(value)


def _text(value: object) -> str:
    """The value as text, since what an object's repr holds can't be known before."""
    return _SECRET_TEXT.sub(REDACTED, value if isinstance(value, str) else repr(value))


class _Patient(io.TextIOBase):
    """A stream whose full disk is no reason to stop working: what it can't write stays in its buffer, as far as that
    goes, and is written with the next line that there is room for."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


def _traceback(exc_info: Any) -> str:
    """Where it happened. Of messages only ours, which echo nothing: a parser's may quote the genotype it fell over."""
    parts, error = [], exc_info[1]
    while error is not None:
        parts.append("".join(traceback.format_tb(error.__traceback__)) + _named(error))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\nled to:\n".join(reversed(parts))


def _named(error: BaseException) -> str:
    kind = f"{type(error).__module__}.{type(error).__qualname__}"
    if isinstance(error, GenoferryError):
        return f"{kind}: {error}"
    return f"{kind}: {error.strerror}" if isinstance(error, OSError) and error.strerror else kind


def configure(level: str = "info", style: Literal["auto", "json", "console"] = "auto") -> None:
    """Set up structlog, and the standard library's logging behind it (vendors at warning and above only)."""
    console = style == "console" or (style == "auto" and sys.stderr.isatty())
    known: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)  # shows no variables
    renderer = plain if console else structlog.processors.JSONRenderer()
    shown: list[Any] = [
        structlog.processors.ExceptionRenderer(_traceback),  # before redaction: a traceback is text like any other
        redact,
        renderer,
    ]
    structlog.configure(
        processors=[*known, *shown],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _Patient(sys.stderr))),
        cache_logger_on_first_use=True,
    )
    handler = _Handler(_Patient(sys.stderr))
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, _shortened, *known],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *shown],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.lastResort = handler  # of loggers that nothing else handles
    logging.captureWarnings(True)
    sys.excepthook, sys.unraisablehook, threading.excepthook = _unhandled, _ignored, _thread_died


def is_json() -> bool:
    """Whether the log is lines of JSON, as it is set up now."""
    return isinstance(structlog.get_config()["processors"][-1], structlog.processors.JSONRenderer)


class _Handler(logging.StreamHandler[Any]):
    """For the standard library's logging."""

    def handleError(self, record: logging.LogRecord) -> None:
        """In place of a traceback on stderr: most often its arguments don't fit its text."""
        structlog.get_logger().error(
            "log record is broken", logger=record.name, at=f"{record.pathname}:{record.lineno}"
        )


def _shortened(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """asyncio's first line alone: the others are the reprs of tasks, and with them of errors, which may quote data."""
    text = str(event["event"]).strip()
    return {**event, "event": text.partition("\n")[0] if event["logger"] == "asyncio" else text}


def _unhandled(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        structlog.get_logger().critical("exception was not handled", exc_info=(kind, error, trace))


def _thread_died(args: threading.ExceptHookArgs) -> None:
    if not issubclass(args.exc_type, SystemExit):
        found = (args.exc_type, args.exc_value, args.exc_traceback)
        structlog.get_logger().critical("thread died", thread=args.thread.name if args.thread else None, exc_info=found)


def _ignored(args: UnraisableHookArgs) -> None:
    """What a finalizer or a callback of C raised, which Python can't pass on. By type alone: a repr may hold data."""
    found = (args.exc_type, args.exc_value, args.exc_traceback)
    of = type(args.object).__qualname__ if args.object is not None else None
    structlog.get_logger().error("exception was ignored", of=getattr(args.object, "__qualname__", of), exc_info=found)
