"""Logs: structured, to stderr, with everything that may be secret or genotype redacted on the way out."""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any, Literal

import structlog
from pydantic import SecretBytes, SecretStr

from genoferry.errors import GenoferryError

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


class _Redacting(logging.Formatter):
    """For the standard library's logging, which vendors use."""

    def format(self, record: logging.LogRecord) -> str:
        return _text(super().format(record))


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
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(_traceback),  # before redaction: a traceback is text like any other
        redact,
    ]
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)  # shows no variables
    renderer = plain if console else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Redacting(logging.BASIC_FORMAT))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
