"""Named fault points: where a test kills a worker to show that nothing is lost.

`GENOFERRY_FAULT=submit` makes the process kill itself with SIGKILL when it passes that point; without the variable
a point costs one comparison.
"""

from __future__ import annotations

import os
import signal

POINTS = {
    "accept": "the row is written, the message not yet deleted",
    "stage": "a file is staged, the row doesn't know yet",
    "intent": "the intent is written, job.json is not",
    "submit": "the compute has the job, the row has no ref yet",
    "record": "the ref is recorded, the lease still held",
    "finish": "the exit report is read, the terminal state not yet written",
    "publish": "an event is published, not yet marked",
    "mark": "the events are marked, the clean-up is still owed",
    "clean": "the compute object is cleaned, the attempt's objects are not",
}

KUBERNETES_POINTS = {
    "suspended": "the Job is there, suspended, its Secret is not",
    "secret": "the Job's Secret is there, the Job is not let go",
}
"""Amid the submission of a Job with credentials in a Secret: other runners and settings never pass them."""

_armed = os.environ.get("GENOFERRY_FAULT")


def point(name: str) -> None:
    """Die here if this point is armed."""
    if _armed == name:
        os.kill(os.getpid(), signal.SIGKILL)
