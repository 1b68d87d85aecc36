"""What the settings of Nextflow may hold."""

from __future__ import annotations

import re

from genoferry import validation
from genoferry.settings import PREFIXES, NextflowSettings
from genoferry.validation import PLAIN

PREFIX = PREFIXES[NextflowSettings.__name__]

LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
"""A process label. Nextflow takes selectors for regular expressions, so nothing else may be in it."""
NODES = re.compile(r"[A-Za-z0-9][A-Za-z0-9./_-]*=[A-Za-z0-9._-]+(,[A-Za-z0-9][A-Za-z0-9./_-]*=[A-Za-z0-9._-]+)*")
"""`key=value`, as a pod's node selector."""
CONSTRAINT = re.compile(r"[A-Za-z0-9_.=&|*,()\[\]:-]+")
"""Features of nodes, as Slurm's `--constraint` has them."""


def checked(setting: str, text: str, pattern: re.Pattern[str] = PLAIN) -> str:
    """The text, which fits. Raises `SettingsError`."""
    return validation.checked(variable(setting), text, pattern)


def variable(setting: str) -> str:
    """`queue` is GENOFERRY_NEXTFLOW_QUEUE."""
    return f"{PREFIX}{setting}".upper()
