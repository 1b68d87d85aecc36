"""`genoferry doctor` on the credentials of jobs, where no service need be asked; else: tests/integration/cli."""

from __future__ import annotations

import asyncio
from typing import Any, NoReturn

import pytest
from botocore.exceptions import ClientError

from genoferry.cli.finding import Finding
from genoferry.cli.job_checks import job_credentials
from genoferry.compute import credentials
from genoferry.errors import AccessDenied
from genoferry.settings import ComputeSettings, KubernetesSettings, Settings

ARN = "arn:aws:iam::123456789012:role/job"


def looked(clients: Any = None, **compute: Any) -> Finding:
    return asyncio.run(job_credentials(Settings(compute=ComputeSettings(**compute)), clients))


class Table:
    """DynamoDB for whom may look for owed work, or may not."""

    def __init__(self, *codes: str) -> None:
        self.dynamodb = self
        self._codes = codes

    async def scan(self, **query: Any) -> dict[str, Any]:
        assert query["IndexName"] == "owed"
        for code in self._codes:
            raise ClientError({"Error": {"Code": code}}, "Scan")
        return {"Items": []}


def test_none_fails_and_names_both_ways() -> None:
    found = looked()
    assert found.status == "fail"
    assert "GENOFERRY_JOB_ROLE_ARN" in found.detail
    assert "GENOFERRY_JOB_AWS_ACCESS_KEY_ID" in found.detail


@pytest.mark.parametrize("name", ["job_aws_access_key_id", "job_aws_secret_access_key"])
def test_half_a_key_is_not_used(name: str) -> None:
    found = looked(**{name: "CANARYd34db33f"}, job_role_arn=ARN)
    assert found.status == "fail"
    assert found.detail.startswith(f"GENOFERRY_{name.upper()} is set without ")
    assert "CANARY" not in str(found)


@pytest.mark.parametrize("codes", [(), ("ResourceNotFoundException",)])
def test_a_refused_role_is_named(codes: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, dict[str, Any]]] = []

    def refused(name: str, policy: dict[str, Any]) -> NoReturn:
        asked.append((name, policy))
        raise AccessDenied("AssumeRole was answered AccessDenied.")

    monkeypatch.setattr(credentials, "assumed_role", lambda arn: refused if arn == ARN else None)
    found = looked(Table(*codes), job_role_arn=ARN)
    assert (found.status, found.detail) == ("fail", f"{ARN} can't be assumed: AssumeRole was answered AccessDenied.")
    assert "sts:AssumeRole" in (found.mend or "")
    ((_, policy),) = asked
    assert policy == credentials.session_policy(
        Settings(compute=ComputeSettings(job_role_arn=ARN)), "00000000-0000-0000-0000-000000000000", 1
    ), "narrowed as a job's"


def test_operators_cannot_try_the_jobs_role(monkeypatch: pytest.MonkeyPatch) -> None:
    """It reads genotypes, so that they can't assume it is as it should be."""

    def refused(name: str, policy: dict[str, Any]) -> NoReturn:
        raise AccessDenied("AssumeRole was answered AccessDenied.")

    monkeypatch.setattr(credentials, "assumed_role", lambda _: refused)
    found = looked(Table("AccessDeniedException"), job_role_arn=ARN)
    assert (found.status, "only a worker's" in found.detail) == ("ok", True)


def test_a_service_account_is_the_pods_own() -> None:
    known = Settings(compute=ComputeSettings(runner="kubernetes"), kubernetes=KubernetesSettings())
    found = asyncio.run(job_credentials(known, None))  # type: ignore[arg-type]
    assert (found.status, "service account" in found.detail) == ("ok", True)
