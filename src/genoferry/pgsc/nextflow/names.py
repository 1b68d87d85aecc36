"""The names of Nextflow's tasks: `PATH:TO:PROCESS (tag)`."""

from __future__ import annotations


def process_of(name: str) -> str:
    """The process with its path. Neither holds a space; a tag may hold anything, parentheses too."""
    return name.split(" ", 1)[0]


def short(name: str) -> str:
    """The process alone: `MATCH_COMBINE` of `PGSCCALC:MATCH:MATCH_COMBINE (cohort)`."""
    return process_of(name).rsplit(":", 1)[-1]
