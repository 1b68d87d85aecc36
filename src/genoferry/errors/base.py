"""The root of the tree of errors, and the errors of settings."""

from __future__ import annotations

import inspect
from typing import ClassVar

MAX_USER_MESSAGE = 1024
"""Bytes of `userMessage` in an event (design, section 3)."""


class GenoferryError(Exception):
    """Something went wrong inside genoferry. The worker's log has the details."""

    code: ClassVar[str] = "internal-error"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or inspect.cleandoc(type(self).__doc__ or "").replace("\n", " "))

    @property
    def user_message(self) -> str:
        """The message, cut to `MAX_USER_MESSAGE` bytes of UTF-8."""
        return str(self).encode()[:MAX_USER_MESSAGE].decode(errors="ignore")


class SettingsError(GenoferryError):
    """A setting is missing or wrong. Run `genoferry doctor` to see which."""

    code = "bad-settings"
