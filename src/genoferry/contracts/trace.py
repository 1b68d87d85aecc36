"""`traceparent`: where in a distributed trace a request belongs (W3C Trace Context, https://www.w3.org/TR/trace-context/).

genoferry makes no spans of its own: it passes the value on. One that isn't valid is dropped, never an error.
"""

from __future__ import annotations

import re

PATTERN = r"^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"
"""What is passed on, and what senders should send."""
_SENT = re.compile(r"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<parent>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})")
SAMPLED = 1


def valid_traceparent(value: object) -> str | None:
    """The value as it is passed on, or None for one that isn't valid.

    Of a later version than 00 only what 00 knows is taken, and written as 00 (section "Versioning of traceparent").
    """
    found = _SENT.match(value) if isinstance(value, str) else None
    if found is None or not isinstance(value, str):
        return None
    version, rest = found["version"], value[found.end() :]
    if version == "ff" or not int(found["trace"], 16) or not int(found["parent"], 16):
        return None
    if version == "00":
        return None if rest else value
    if rest and not rest.startswith("-"):
        return None
    return f"00-{found['trace']}-{found['parent']}-{int(found['flags'], 16) & SAMPLED:02x}"
