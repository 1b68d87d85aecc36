"""Where things lie in the work and results buckets (design, section 4). Every key starts with the job's uuid."""

from __future__ import annotations


def request_key(uuid: str, message_id: str) -> str:
    return f"{uuid}/request-{message_id}.json"


def rejected_key(message_id: str) -> str:
    return f"rejected/{message_id}.json"


def attempt_prefix(uuid: str, attempt: int) -> str:
    return f"{uuid}/{attempt}/"


def input_key(uuid: str, attempt: int, index: int) -> str:
    """By index, since a name is the sender's."""
    return f"{uuid}/{attempt}/inputs/{index:04d}"


def inputs_prefix(uuid: str, attempt: int) -> str:
    return f"{uuid}/{attempt}/inputs/"


def manifest_key(uuid: str, attempt: int) -> str:
    return f"{uuid}/{attempt}/inputs/manifest.json"


def job_key(uuid: str, attempt: int) -> str:
    return f"{uuid}/{attempt}/job.json"


def started_key(uuid: str, attempt: int) -> str:
    return f"{uuid}/{attempt}/started"


def exit_key(uuid: str, attempt: int) -> str:
    return f"{uuid}/{attempt}/exit.json"


def results_prefix(uuid: str, attempt: int) -> str:
    return f"{uuid}/{attempt}/"


def workspace_prefix(uuid: str, attempt: int) -> str:
    """Of the attempt that staged, beside its inputs: kept over the attempts that read them."""
    return f"{uuid}/{attempt}/workspace/"
