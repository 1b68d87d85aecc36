"""What a setting may hold where it comes near a shell, a scheduler's header or a cluster's object."""

from __future__ import annotations

import re

from genoferry.errors import SettingsError
from genoferry.settings import PREFIXES, NextflowSettings

PREFIX = PREFIXES[NextflowSettings.__name__]

PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
"""What a shell takes as it stands: the characters that `shlex.quote` leaves unquoted."""
DNS = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
"""A process label. Nextflow takes selectors for regular expressions, so nothing else may be in it."""
NODES = re.compile(r"[A-Za-z0-9][A-Za-z0-9./_-]*=[A-Za-z0-9._-]+(,[A-Za-z0-9][A-Za-z0-9./_-]*=[A-Za-z0-9._-]+)*")
"""`key=value`, as a pod's node selector."""
CONSTRAINT = re.compile(r"[A-Za-z0-9_.=&|*,()\[\]:-]+")
"""Features of nodes, as Slurm's `--constraint` has them."""


def checked(setting: str, text: str, pattern: re.Pattern[str] = PLAIN) -> str:
    """The text, which fits. Raises `SettingsError`, which names the setting and not its value."""
    if not pattern.fullmatch(text):
        raise SettingsError(f"{variable(setting)} holds a character, or has a form, that it may not have.")
    return text


def variable(setting: str) -> str:
    """`queue` is GENOFERRY_NEXTFLOW_QUEUE; a name in capitals stands for itself."""
    return setting if setting.isupper() else f"{PREFIX}{setting}".upper()
