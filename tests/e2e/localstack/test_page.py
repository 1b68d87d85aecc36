"""docs/howto/run-against-localstack.md, run out of its own text against LocalStack, to the right scores."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.pages import ROOT, run_pages
from tests.e2e.localstack.server import localstack

from genoferry.cli.demo.compare import compare
from genoferry.cli.demo.prepared import prepare, seeded
from genoferry.local import environment, template
from genoferry.local.ports import Ports
from genoferry.local.tools import ensure_venv
from genoferry.pgsc.outputs import read_aggregated
from genoferry.testing.workers import end_jobs

PAGE = "docs/howto/run-against-localstack.md"
PORT = ":4566"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[str]:
    """The endpoint of an embedded AWS, for its DynamoDB, with the deployment's table in it."""
    state = tmp_path / "ledger"
    try:
        yield environment.up(state).endpoint
    finally:
        environment.down(state)


def without_table(source: str) -> str:
    """The template for an endpoint that has no DynamoDB: the table's name and ARN are written out."""
    document = template.parse(source)
    del document["Resources"]["Table"]
    return json.dumps(_written_out(document))


NAME = "${DeploymentId}-jobs"
ARN = f"arn:${{AWS::Partition}}:dynamodb:${{AWS::Region}}:${{AWS::AccountId}}:table/{NAME}"
WRITTEN_OUT = (({"Ref": "Table"}, {"Fn::Sub": NAME}), ({"Fn::GetAtt": ["Table", "Arn"]}, {"Fn::Sub": ARN}))


def _written_out(part: Any) -> Any:
    for function, text in WRITTEN_OUT:
        if part == function:
            return text
    if isinstance(part, dict):
        return {name: _written_out(value) for name, value in part.items()}
    if isinstance(part, list):
        return [_written_out(value) for value in part]
    return part.replace("${Table.Arn}", ARN) if isinstance(part, str) else part


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Path]:
    """A folder that looks like a checkout after its set-up, but for the table."""
    folder = tmp_path / "checkout"
    (folder / "infra").mkdir(parents=True)
    (folder / "infra" / "template.yaml").write_text(without_table(template.text()))
    (folder / "payloads").symlink_to(ROOT / "payloads")
    try:
        yield folder
    finally:
        end_jobs(folder / "jobs")


def test_the_pages_commands_give_the_scores(checkout: Path, ledger: str, tmp_path: Path) -> None:
    aws_cli = ensure_venv(ROOT / "tests" / "acceptance" / "requirements-awscli.txt", ROOT / ".venv-awscli") / "bin"
    bare = {
        "PATH": ":".join([f"{sys.prefix}/bin", str(aws_cli), "/usr/local/bin", "/usr/bin", "/bin"]),
        "HOME": str(checkout),
        "GENOFERRY_LOCAL_DIR": str(checkout / "jobs"),
        "AWS_ENDPOINT_URL_DYNAMODB": ledger,
    }
    port, folder = Ports.free().aws, tmp_path / "localstack"
    folder.mkdir()
    with localstack(folder, port):
        *_, checked, followed = run_pages([PAGE], checkout, bare, replace={PORT: f":{port}"})
    assert "fail\t" not in checked
    assert "Succeeded" in followed
    report = json.loads((checkout / "scores" / "report.json").read_text())
    sums = read_aggregated(checkout / "scores" / "aggregated_scores.txt.gz")
    expected = prepare(tmp_path / "cohort", rand=seeded()).expected
    verdicts = compare({score["id"]: expected[score["id"]] for score in report["scores"]}, sums, report["scores"])
    assert [verdict.id for verdict in verdicts if verdict.passed] == ["PGS000001", "PGS000002", "PGS000003"]
