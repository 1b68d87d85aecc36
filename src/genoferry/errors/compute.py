"""Compute backends."""

from __future__ import annotations

from genoferry.errors.base import GenoferryError


class ComputeError(GenoferryError):
    """The compute backend could not do what was asked of it."""

    code = "compute-failed"


class SubmitFailed(ComputeError):
    """The job could not be submitted to its compute backend."""

    code = "submit-failed"


class SubmitUnavailable(SubmitFailed):
    """The job could not be submitted for now: its machine is short of processes, memory or disk, or the service that
    gives its credentials asks to slow down. It is tried again."""

    code = "submit-unavailable"
    retryable = True


class CleanUpFailed(ComputeError):
    """What a job left at its compute could not be removed yet: its processes live on, or its folder can't be deleted.
    It is tried again."""

    code = "clean-up-failed"
    retryable = True


class AlreadySubmitted(ComputeError):
    """Another worker submitted this attempt."""

    code = "already-submitted"


class JobLost(ComputeError):
    """The job ended without its exit report: it was killed, or its machine went away."""

    code = "job-lost"
    retryable = True


class JobOutOfMemory(ComputeError):
    """The job was ended for want of memory. Give jobs more, or send fewer scores or samples in one request."""

    code = "job-out-of-memory"


class JobOutOfDisk(ComputeError):
    """The job filled its scratch. Give jobs more room, or send a file per chromosome."""

    code = "job-out-of-disk"


class JobUnschedulable(ComputeError):
    """The job could not be placed on any node in time. Ask for less, or add nodes that fit."""

    code = "job-unschedulable"


class JobUnpullable(ComputeError):
    """The job's image could not be had in time. Check its name, its tag and the pull secret."""

    code = "job-unpullable"


class NoExitReport(ComputeError):
    """The job says it succeeded but wrote no exit report, so nothing is known of its scores."""

    code = "no-exit-report"


class StartDeadline(ComputeError):
    """The job did not start running within its deadline."""

    code = "start-deadline"
    retryable = True


class RunDeadline(ComputeError):
    """The job ran past its deadline and was ended."""

    code = "run-deadline"


class Superseded(ComputeError):
    """This attempt was given up or is another process's: it stops before it does anything."""

    code = "superseded"
