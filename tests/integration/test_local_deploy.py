"""The template against one endpoint for all, as LocalStack is: here CloudFormation makes the buckets, too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from genoferry.errors import ServiceUnavailable
from genoferry.local import emulator
from genoferry.local.deploy import Target, deploy, variables
from genoferry.local.ports import Ports
from genoferry.local.processes import end
from genoferry.local.server import await_ready, start
from genoferry.local.tools import ensure_tools


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[str]:
    ports = Ports.free()
    server = emulator.server(tmp_path, ports, ensure_tools().python)
    services = {"SERVICES": f"{emulator.SERVICES},s3", "PERSIST_STATE": "0"}
    server = replace(server, environment={**server.environment, **services})
    process = start(server)
    await_ready(server, process)
    yield emulator.url(ports)
    end({process: emulator.GRACE_SECONDS})


def target(endpoint: str) -> Target:
    return Target.of(
        {
            "CLUSTER_ENV": "staging",
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": "any",
            "AWS_SECRET_ACCESS_KEY": "any",
            "AWS_REGION": "eu-west-2",
        }
    )


def test_one_endpoint_for_all(endpoint: str) -> None:
    there = target(endpoint)
    first = deploy(there)
    assert deploy(there) == first
    s3 = there.client("s3")
    assert {b["Name"] for b in s3.list_buckets()["Buckets"]} == {"staging-work", "staging-results"}
    s3.close()
    found = variables(there, first.outputs)
    assert found["GENOFERRY_TOPIC_ARN"] == "arn:aws:sns:eu-west-2:000000000000:staging-events"
    assert found["WORK_QUEUE"].endswith("/staging-queue.fifo")
    assert (found["GENOFERRY_WORK_BUCKET"], found["GENOFERRY_TABLE"]) == ("staging-work", "staging-jobs")


def test_an_endpoint_that_does_not_answer() -> None:
    with pytest.raises(ServiceUnavailable):
        deploy(target("http://127.0.0.1:9"))


def test_the_secret_stays_out_of_the_repr() -> None:
    assert "hidden-secret" not in repr(Target(access_key_id="id", secret_access_key="hidden-secret"))
