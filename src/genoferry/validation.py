"""What a setting may hold where it comes near a shell, a scheduler's header or a cluster's object."""

from __future__ import annotations

import re

from genoferry.errors import SettingsError

PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
"""What a shell takes as it stands: the characters that `shlex.quote` leaves unquoted."""
DNS = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")

DNS_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
"""A part of such a name."""


def checked(variable: str, text: str, pattern: re.Pattern[str] = PLAIN) -> str:
    """The text, which fits. Raises `SettingsError`, which names the variable and not its value."""
    if not pattern.fullmatch(text):
        raise SettingsError(f"{variable} holds a character, or has a form, that it may not have.")
    return text
