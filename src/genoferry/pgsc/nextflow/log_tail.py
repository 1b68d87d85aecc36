"""The last lines of a file, fit for the ledger: bounded, without control characters, secrets out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from pathlib import Path

from genoferry.contracts.reports import LOG_LINE, LOG_LINES
from genoferry.files import end_of
from genoferry.telemetry import REDACTED, redact

Read = Callable[[str, str], bytes | None]
"""Of a task's work dir (a path or an `s3://` URI) and a file's name: the file's end (`WINDOW` bytes are enough), or
None where there is none."""

WINDOW = 65_536
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_KEY_ID = re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b")  # AWS, IAM user guide, "IAM identifiers": unique id prefixes
_NAMED = re.compile(
    r"((?:secret|passw(?:or)?d|signature|credential|access[_-]?key|api[_-]?key)[\w-]*[\"']?\s*[=:]\s*[\"']?)"
    r"[^\s\"'&,;]+",
    re.I,
)
_TOKEN = re.compile(r"(token[\w-]*[\"']?\s*[=:]\s*[\"']?)(?=[\w.+/-])[^\s\"'&,;]+", re.I)  # not "Unexpected token: }"
_COOKIE = re.compile(r"(cookie[\w-]*[\"']?\s*[=:]\s*[\"']?)[^\n\"']+", re.I)
_IN_URL = re.compile(r"(://)[^/\s:@]+:[^/\s@]+(?=@)")


def from_folder(workdir: str, name: str) -> bytes | None:
    """A `Read` for work dirs on a disk. What this user may not read (a container's root wrote it) is as good as
    absent."""
    try:
        return whole_lines(*end_of(Path(workdir) / name, WINDOW))
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None


def whole_lines(data: bytes, start: int) -> bytes:
    """Of a file's bytes from `start` on. A line without its beginning may hold half a secret."""
    return data.partition(b"\n")[2] if start else data


def text(data: bytes | None) -> str:
    return (data or b"").decode(errors="replace")


def clean(raw: str) -> tuple[str, ...]:
    """The last `LOG_LINES` lines of `raw` that hold anything, each cut to `LOG_LINE` characters."""
    plain = "\n".join(_plain(line) for line in _ESCAPE.sub("", raw).splitlines())
    lines = (line.rstrip() for line in _without_secrets(plain).split("\n"))
    return tuple(line[:LOG_LINE] for line in lines if line)[-LOG_LINES:]


def _plain(line: str) -> str:
    """Without what is no character to read: a control, a format, a half of a surrogate pair."""
    return "".join(c for c in line.replace("\t", " ") if unicodedata.category(c)[0] != "C")


def _without_secrets(raw: str) -> str:
    shown = str(redact(None, "", {"log": raw})["log"])
    for pattern, kept in ((_KEY_ID, ""), (_COOKIE, r"\1"), (_NAMED, r"\1"), (_TOKEN, r"\1"), (_IN_URL, r"\1")):
        shown = pattern.sub(kept + REDACTED, shown)
    return shown
