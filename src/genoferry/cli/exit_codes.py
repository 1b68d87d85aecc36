"""The exit codes of `genoferry`, all in one table: `docs/reference/exit-codes.md` and `--help` are made from it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

from genoferry.errors import (
    AccessDenied,
    BadMessage,
    DestinationConflict,
    FollowTimeout,
    GenoferryError,
    LocalNotUp,
    NoResults,
    NoSuchJob,
    NotFound,
    PathUnusable,
    ScoresDiffer,
    ServiceError,
    SettingsError,
    WouldOverwrite,
)


class ExitCode(IntEnum):
    OK = 0
    ERROR = 1
    USAGE = 2
    BAD_MESSAGE = 3
    NOT_FOUND = 4
    SERVICE = 5
    SETTINGS = 6
    JOB_FAILED = 10
    JOB_CANCELLED = 11
    JOB_EXPIRED = 12
    TIMED_OUT = 13
    WOULD_OVERWRITE = 14
    SCORES_DIFFER = 15
    INTERRUPTED = 130


MEANING: Mapping[ExitCode, str] = {
    ExitCode.OK: "Done. Of `follow`: the job succeeded. Of `doctor`: nothing fails.",
    ExitCode.ERROR: "It could not be done; stderr names the cause and the next step. Of `doctor`: a check fails.",
    ExitCode.USAGE: "The command line is wrong, or a file or folder that it names can't be read or written.",
    ExitCode.BAD_MESSAGE: "The message is not valid (`send`); nothing was sent.",
    ExitCode.NOT_FOUND: "No such job, result, dead letter, queue, table, bucket or schema.",
    ExitCode.SERVICE: "A service does not answer, or refuses the credentials.",
    ExitCode.SETTINGS: "A setting is missing or wrong, or the embedded AWS is not up.",
    ExitCode.JOB_FAILED: "The job failed (`follow`).",
    ExitCode.JOB_CANCELLED: "The job was cancelled (`follow`).",
    ExitCode.JOB_EXPIRED: "The job expired before it ran (`follow`).",
    ExitCode.TIMED_OUT: "The job has not ended within `--timeout` (`follow`, `demo`).",
    ExitCode.WOULD_OVERWRITE: "A file or object with other content is there; it was left alone (`results`, `stage`).",
    ExitCode.SCORES_DIFFER: "A score differs from what is expected of it (`demo`).",
    ExitCode.INTERRUPTED: "Ended by Ctrl-C.",
}

JOB_RUN: Mapping[int, str] = {
    0: "Done.",
    1: "Failed; the exit report in the work bucket says why.",
    3: "Given up, or another process's: it stopped before it did anything.",
    28: "Failed of a full disk; the exit report says so, where it could be written.",
    143: "Stopped by SIGTERM.",
}
"""Of `genoferry job run`, which compute backends read."""

BY_ERROR: tuple[tuple[type[GenoferryError], ExitCode], ...] = (
    (BadMessage, ExitCode.BAD_MESSAGE),
    (SettingsError, ExitCode.SETTINGS),
    (LocalNotUp, ExitCode.SETTINGS),
    (NoSuchJob, ExitCode.NOT_FOUND),
    (NoResults, ExitCode.NOT_FOUND),
    (NotFound, ExitCode.NOT_FOUND),
    (AccessDenied, ExitCode.SERVICE),
    (PathUnusable, ExitCode.USAGE),
    (FollowTimeout, ExitCode.TIMED_OUT),
    (WouldOverwrite, ExitCode.WOULD_OVERWRITE),
    (DestinationConflict, ExitCode.WOULD_OVERWRITE),
    (ScoresDiffer, ExitCode.SCORES_DIFFER),
    (ServiceError, ExitCode.SERVICE),
)
"""The first that fits counts; else it is `ERROR`."""

BY_STATE: Mapping[str, ExitCode] = {
    "SUCCEEDED": ExitCode.OK,
    "FAILED": ExitCode.JOB_FAILED,
    "CANCELLED": ExitCode.JOB_CANCELLED,
    "EXPIRED": ExitCode.JOB_EXPIRED,
}
"""What `follow` makes of a terminal state."""


def of_error(error: GenoferryError) -> ExitCode:
    """The exit code that this error ends a command with."""
    return next((code for kind, code in BY_ERROR if isinstance(error, kind)), ExitCode.ERROR)
