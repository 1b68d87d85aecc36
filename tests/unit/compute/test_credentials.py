"""A local job's credentials: private, narrow, renewed, and the worker's own never among them."""

from __future__ import annotations

import json
import os
import stat
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.session import Session

from genoferry.compute.credentials import SESSION_SECONDS, JobCredentials, session_policy
from genoferry.errors import AccessDenied, ServiceError, ServiceUnavailable, SubmitFailed, SubmitUnavailable
from genoferry.settings import ComputeSettings, Settings

UUID = "5e0c5d3c-0000-4000-8000-000000000001"


def settings(**compute: Any) -> Settings:
    return Settings(compute=ComputeSettings(**compute))


class Sts:
    """Counts the sessions it gives."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, name: str, policy: dict[str, Any]) -> dict[str, Any]:
        self.asked.append((name, policy))
        number = len(self.asked)
        return {
            "AccessKeyId": f"AKIA{number}",
            "SecretAccessKey": f"secret-{number}",
            "SessionToken": f"token-{number}",
            "Expiration": "2099-12-31T00:00:00+00:00",
        }


def test_a_session_is_narrowed_private_and_read_by_the_sdk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the worker's own")
    sts = Sts()
    made = JobCredentials(settings(job_role_arn="arn:aws:iam::1:role/job"), sts)
    environment = made.environment(UUID, 2, tmp_path)
    assert sts.asked == [(f"{UUID}-2", session_policy(made.settings, UUID, 2))]
    assert not [name for name in environment if "SECRET" in name or "ACCESS_KEY" in name]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in tmp_path.iterdir())
    for name in ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", environment["AWS_CONFIG_FILE"])
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    found = Session().get_credentials()
    assert found is not None
    assert (found.access_key, found.secret_key, found.token) == ("AKIA1", "secret-1", "token-1")


def test_a_session_is_renewed_at_half_its_time(tmp_path: Path) -> None:
    sts = Sts()
    made = JobCredentials(settings(job_role_arn="arn:aws:iam::1:role/job"), sts)
    made.environment(UUID, 1, tmp_path)
    made.renew(UUID, 1, tmp_path)
    assert len(sts.asked) == 1
    old = time.time() - SESSION_SECONDS / 2 - 1
    os.utime(tmp_path / "session.json", (old, old))
    made.renew(UUID, 1, tmp_path)
    assert len(sts.asked) == 2
    assert json.loads((tmp_path / "session.json").read_text())["SessionToken"] == "token-2"


@pytest.mark.parametrize("name", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_a_job_has_the_region_twice(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of its tools some read one variable, some the other."""
    for variable in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv(name, "eu-west-2")
    made = JobCredentials(settings(job_role_arn="arn:aws:iam::1:role/job"), Sts())
    environment = made.environment(UUID, 1, tmp_path)
    assert (environment["AWS_REGION"], environment["AWS_DEFAULT_REGION"]) == ("eu-west-2", "eu-west-2")


def test_a_static_identity_needs_no_session(tmp_path: Path) -> None:
    sts = Sts()
    made = JobCredentials(settings(job_aws_access_key_id="job", job_aws_secret_access_key="canary"), sts)
    environment = made.environment(UUID, 1, tmp_path)
    made.renew(UUID, 1, tmp_path)
    assert sts.asked == []
    assert "canary" not in str(environment)
    assert "canary" in Path(environment["AWS_SHARED_CREDENTIALS_FILE"]).read_text()


def test_a_role_that_cannot_be_taken_is_named(tmp_path: Path) -> None:
    def refuse(_: str, __: dict[str, Any]) -> dict[str, Any]:
        raise AccessDenied

    with pytest.raises(SubmitFailed, match="could not be assumed"):
        JobCredentials(settings(job_role_arn="arn:aws:iam::1:role/job"), refuse).environment(UUID, 1, tmp_path)
    with pytest.raises(SubmitFailed, match="GENOFERRY_JOB_ROLE_ARN"):
        JobCredentials(settings(), Sts()).environment(UUID, 1, tmp_path)


def test_the_policy_holds_one_attempt_only() -> None:
    policy = session_policy(Settings(), UUID, 3)
    writes = next(s for s in policy["Statement"] if "s3:PutObject" in s["Action"])
    assert all(f"/{UUID}/3/" in resource for resource in writes["Resource"])
    actions = {action for statement in policy["Statement"] for action in statement["Action"]}
    assert not actions & {"s3:DeleteObject", "s3:ListBucket", "s3:*", "*"}


@pytest.mark.parametrize(("cause", "retryable"), [(ServiceUnavailable, True), (AccessDenied, False)])
def test_a_token_service_that_asks_to_slow_down_fails_no_job(
    tmp_path: Path, cause: type[ServiceError], retryable: bool
) -> None:
    def refuse(_: str, __: dict[str, Any]) -> dict[str, Any]:
        raise cause

    with pytest.raises(SubmitFailed) as caught:
        JobCredentials(settings(job_role_arn="arn:aws:iam::1:role/job"), refuse).environment(UUID, 1, tmp_path)
    assert isinstance(caught.value, SubmitUnavailable) == caught.value.retryable == retryable
