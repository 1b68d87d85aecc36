"""What Nextflow prints (`-ansi-log false`; its standard output and error): tasks as they start, and its errors.

Source: `nextflow.processor.TaskProcessor` and `TaskErrorFormatter`, 24.10; every form was seen from a real run.
"""

from __future__ import annotations

import re
from collections import deque

from genoferry.pgsc.nextflow.file_tail import Lines

_STARTED = re.compile(r"\[([0-9a-f]{2}/[0-9a-f]{6})\] (Submitted|Re-submitted|Cached) process > (.+)")
_STORED = re.compile(r"\[skipping\] Stored process > (.+)")
_FORGIVEN = re.compile(r"\[([0-9a-f]{2}/[0-9a-f]{6})\] NOTE: .*-- (Execution is retried|Error is ignored)( \(\d+\))?")
_ERROR = "ERROR ~ "
_FAILED = re.compile(r"ERROR ~ Error executing process > '(.+)'")
_BANNER = re.compile(r" ?N E X T F L O W\b.*|Launching `.*|WARN: .*|\s*")
MAX_LINES = 100
"""Kept of what is no news of a task: an error's report has some thirty lines before the tool's own."""


class Console:
    """What a run has printed so far, fed in pieces.

    `submitted` has the names of the tasks by their hashes, tried again or not; `resubmitted`, `retried` and `ignored`
    are hashes; `stored` names of tasks whose outputs were in a `storeDir`, which the trace never shows; `last` the
    name of the task that started last; `error` Nextflow's error (the first that is a
    task's, or else the first) and what followed it; `said` the last lines
    that are neither a task's nor part of the banner.
    """

    def __init__(self) -> None:
        self.submitted: dict[str, str] = {}
        self.resubmitted: set[str] = set()
        self.cached: dict[str, str] = {}
        self.stored: list[str] = []
        self.retried: set[str] = set()
        self.ignored: set[str] = set()
        self.last: str | None = None
        self.error: list[str] = []
        self.said: deque[str] = deque(maxlen=MAX_LINES)
        self._lines = Lines()

    def feed(self, data: bytes) -> None:
        for line in self._lines.feed(data):
            self._line(line)

    @property
    def failed(self) -> str | None:
        """The name of the task that Nextflow's error is about."""
        found = _FAILED.match(self.error[0]) if self.error else None
        return found[1] if found else None

    @property
    def cause(self) -> str:
        """What the error gives as its cause: Nextflow's words, or those of where the task ran; not the tool's."""
        lines = [line.strip() for line in self.error]
        if "Caused by:" not in lines:
            return ""
        after = lines[lines.index("Caused by:") + 1 :]
        return "\n".join(after[: after.index("Command executed:")] if "Command executed:" in after else after)

    def _line(self, line: str) -> None:
        if started := _STARTED.fullmatch(line):
            self._started(*started.groups())
        elif stored := _STORED.fullmatch(line):
            self.stored.append(stored[1])
            self.last = stored[1]
        elif note := _FORGIVEN.fullmatch(line):
            (self.ignored if note[2] == "Error is ignored" else self.retried).add(note[1])
        else:
            self._other(line)

    def _started(self, task: str, how: str, name: str) -> None:
        (self.cached if how == "Cached" else self.submitted)[task] = name
        if how == "Re-submitted":
            self.resubmitted.add(task)
        self.last = name

    def _other(self, line: str) -> None:
        if self.failed is None and _FAILED.match(line):
            self.error.clear()  # an error before it that ended nothing
        if (self.error or line.startswith(_ERROR)) and len(self.error) < MAX_LINES:
            self.error.append(line)
        if not _BANNER.fullmatch(line):
            self.said.append(line)
