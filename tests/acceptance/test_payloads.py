"""payloads/*.json as they stand, against `genoferry local up --seed`: by `genoferry send`, and by the real aws-cli."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid as uuids
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from genoferry.contracts.envelope import parse_request
from genoferry.local.tools import ensure_venv
from genoferry.testing.workers import WorkerProcess, end_jobs

pytestmark = pytest.mark.timeout(900)  # it may have to wait for another module with the same cohort
ROOT = Path(__file__).parents[2]
PAYLOADS = ROOT / "payloads"
BY_SEND = ("calculate_scores_https.json",)
BY_AWS_CLI = ("calculate_scores.json", "bare_job_request.json")
BY_PAGES = ("calculate_scores_s3.json", "calculate_scores_file.json")
"""Sent, and followed to their success, by the commands of docs/howto (test_pages.py)."""

Genoferry = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def seeded(demo_cohort: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment that `genoferry local env` prints, with a worker at work in it."""
    state = tmp_path_factory.mktemp("seeded")
    base = {"PATH": os.environ["PATH"], "HOME": str(state), "NO_COLOR": "1"}
    local = [sys.executable, "-m", "genoferry", "local"]
    try:
        subprocess.run([*local, "up", "--seed", "--state", str(state)], env=base, check=True, capture_output=True)
        printed = subprocess.run(
            [*local, "env", "--json", "--state", str(state)], env=base, check=True, capture_output=True
        )
        environment = base | json.loads(printed.stdout)
        with WorkerProcess(environment, state / "worker.log") as worker:
            worker.await_started()
            yield environment
    finally:
        end_jobs(state / "jobs")
        subprocess.run([*local, "down", "--state", str(state)], env=base, check=True, capture_output=True)


@pytest.fixture(scope="module")
def genoferry(seeded: dict[str, str]) -> Genoferry:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "genoferry", *arguments]
        return subprocess.run(command, env=seeded, capture_output=True, text=True, timeout=240, check=False)

    return run


@pytest.fixture(scope="module")
def aws_cli() -> Path:
    """aws-cli in an environment of its own, since it pins another botocore."""
    return ensure_venv(Path(__file__).with_name("requirements-awscli.txt"), ROOT / ".venv-awscli") / "bin" / "aws"


def send_by_aws_cli(aws: Path, environment: dict[str, str], payload: Path) -> str:
    """As docs/howto/send-by-aws-cli.md has it; the request's uuid."""
    arguments = ["--queue-url", environment["WORK_QUEUE"], "--endpoint-url", environment["AWS_ENDPOINT_URL"]]
    arguments += ["--message-group-id", "demo-experiment", "--message-deduplication-id", str(uuids.uuid4())]
    command = [str(aws), "sqs", "send-message", *arguments, "--message-body", payload.read_text()]
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=60)
    return parse_request(payload.read_text(), group_id="demo-experiment").uuid


def test_every_payload_works_as_it_stands(seeded: dict[str, str], genoferry: Genoferry, aws_cli: Path) -> None:
    jobs = {}
    for name in BY_SEND:
        sent = genoferry("send", str(PAYLOADS / name))
        assert sent.returncode == 0, sent.stderr
        jobs[name] = sent.stdout.strip()
    for name in BY_AWS_CLI:
        jobs[name] = send_by_aws_cli(aws_cli, seeded, PAYLOADS / name)
    for name, uuid in jobs.items():
        followed = genoferry("follow", uuid, "--timeout", "200")
        assert followed.returncode == 0, f"{name}: {followed.stdout}{followed.stderr}"
        scores: list[dict[str, Any]] = json.loads(genoferry("status", uuid, "--json").stdout)["scores"]
        assert any(score["status"] == "calculated" for score in scores), name


def test_the_cancellation_is_taken(seeded: dict[str, str], genoferry: Genoferry, aws_cli: Path) -> None:
    """Its target has ended (the test before): it is told of again, and nothing is rejected."""
    send_by_aws_cli(aws_cli, seeded, PAYLOADS / "cancel_job.json")
    target = json.loads((PAYLOADS / "cancel_job.json").read_text())["body"]["target"]
    assert genoferry("follow", target, "--timeout", "60").returncode == 0
    assert json.loads(genoferry("dlq", "list", "--json").stdout) == []


def test_each_payload_is_sent_somewhere() -> None:
    assert {path.name for path in PAYLOADS.glob("*.json")} == {*BY_SEND, *BY_AWS_CLI, *BY_PAGES, "cancel_job.json"}
    pages = "".join(path.read_text() for path in (ROOT / "docs" / "howto").glob("*.md"))
    assert all(f"payloads/{name}" in pages for name in BY_PAGES)


def test_there_is_a_payload_for_every_message_name() -> None:
    documents = [json.loads(path.read_text()) for path in PAYLOADS.glob("*.json")]
    assert {d["body"]["name"] for d in documents if "body" in d} == {"CalculateScores", "CancelJob"}
    assert any("body" not in document for document in documents)
