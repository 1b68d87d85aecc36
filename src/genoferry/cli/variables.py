"""Which variables of an environment look like ours and are none: one that is misspelt is read by nobody."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from pydantic_settings import BaseSettings

from genoferry.settings import Settings

PREFIX = "GENOFERRY_"
OTHERS = frozenset(
    {
        "GENOFERRY_FAULT",  # faults.py
        "GENOFERRY_HOME",  # local/tools.py
        "GENOFERRY_JOB_LIMITS",  # contracts/limits.py
        "GENOFERRY_SCRATCH",  # the job program's own, set by the runner
        "GENOFERRY_WORKSPACE",  # likewise
        "GENOFERRY_CI",  # a run of the tests, as are the next
        "GENOFERRY_IMAGE_ARCHIVE",
        "GENOFERRY_TEST_ENDS",
        "GENOFERRY_TEST_JOBS",
        "GENOFERRY_TEST_PROPERTY_SECONDS",
        "GENOFERRY_TEST_PROPERTY_SEED",
        "GENOFERRY_TOOLS",
    }
)
"""What is read beside the settings."""

SERVICE_LINK = re.compile(r"_SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$")
SERVICE_ADDRESS = re.compile(r"(tcp|udp|sctp)://")
"""Kubernetes gives a pod such variables of every Service in its namespace, one named `genoferry` too (its
documentation, "Discovering services": `{SVCNAME}_PORT=tcp://…`)."""

CLOSE_WORD, CLOSE_NAME = 0.8, 0.6
"""How alike, of 1, a misspelt `GENOFERRY` and a misspelt name are at least to what is meant (difflib's ratio)."""


@dataclass(frozen=True)
class Unknown:
    """A variable that nothing reads, and the one that may be meant."""

    name: str
    meant: str | None

    @property
    def advice(self) -> str:
        return f"Did you mean {self.meant}?" if self.meant else "docs/reference/settings.md lists all that are read."


def settings_names() -> Iterator[str]:
    """The variable of every setting."""
    for name, field in Settings.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseSettings):
            prefix = section.model_config["env_prefix"]
            yield from (f"{prefix}{own}".upper() for own in section.model_fields)
        else:
            yield name.upper()


def unknown_variables(environment: Mapping[str, str]) -> list[Unknown]:
    """Those that begin as ours do, or nearly so, and that nothing reads, by name. Their values stay out of it."""
    known = OTHERS.union(settings_names())
    found = []
    for name in sorted(environment):
        ours = name.upper().startswith(PREFIX)
        if name.upper() in known or _is_service_link(name, environment[name]) or not (ours or _is_nearly_ours(name)):
            continue
        meant = _meant(name.upper(), known)
        if ours or meant:
            found.append(Unknown(name, meant))
    return found


def _is_nearly_ours(name: str) -> bool:
    return bool(get_close_matches(name.upper().partition("_")[0], [PREFIX.rstrip("_")], cutoff=CLOSE_WORD))


def _is_service_link(name: str, value: str) -> bool:
    return bool(SERVICE_LINK.search(name)) or (name.endswith("_PORT") and bool(SERVICE_ADDRESS.match(value)))


def _meant(name: str, known: frozenset[str]) -> str | None:
    """By what follows the first word, which all have in common."""
    names = {other.removeprefix(PREFIX): other for other in known if other.startswith(PREFIX)}
    close = get_close_matches(name.partition("_")[2], names, n=1, cutoff=CLOSE_NAME)
    return names[close[0]] if close else None
