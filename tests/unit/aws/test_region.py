"""The region is taken from either variable that AWS's programs read it from."""

from __future__ import annotations

from contextlib import AsyncExitStack

import boto3
import pytest

from genoferry.aws.clients import client_of, open_clients, sync_client
from genoferry.errors import SettingsError

NAMES = ("AWS_REGION", "AWS_DEFAULT_REGION")
ONLY_ONE = [({name: "eu-west-2"}, "eu-west-2") for name in NAMES]
BOTH = ({"AWS_REGION": "eu-west-2", "AWS_DEFAULT_REGION": "us-east-1"}, "eu-west-2")
EMPTY = ({"AWS_REGION": "", "AWS_DEFAULT_REGION": "eu-west-2"}, "eu-west-2")
CASES = [*ONLY_ONE, BOTH, EMPTY]
KEYS = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}


@pytest.fixture(autouse=True)
def no_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it keeps the credentials that it found first
    for name in (*NAMES, "AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(("variables", "region"), CASES)
async def test_each_client_takes_either_variable(
    variables: dict[str, str], region: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    async with AsyncExitStack() as stack:
        clients = await open_clients(stack)
        assert {c.meta.region_name for c in (clients.sqs, clients.sns, clients.dynamodb, clients.s3)} == {region}
    assert sync_client("sqs").meta.region_name == region


@pytest.mark.parametrize(("variables", "region"), CASES)
def test_another_environment_has_its_own_region(variables: dict[str, str], region: str) -> None:
    assert client_of(KEYS | variables, "sqs").meta.region_name == region


def test_no_region_names_the_variable() -> None:
    with pytest.raises(SettingsError, match="Set AWS_REGION"):
        sync_client("sqs")
