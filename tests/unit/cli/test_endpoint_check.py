"""`genoferry doctor`'s line on which AWS is meant."""

from __future__ import annotations

import pytest

from genoferry.cli.checks import endpoint

REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")


@pytest.fixture(autouse=True)
def plain_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*REGIONS, "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("name", REGIONS)
def test_either_region_variable_is_enough(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "eu-west-2")
    assert endpoint().status == "ok"


def test_no_region_is_a_warning() -> None:
    finding = endpoint()
    assert finding.status == "warn"
    assert "AWS_REGION" in (finding.mend or "")
