"""Expired credentials are renewed, so that is passing trouble."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from genoferry.aws.errors import translate


@pytest.mark.parametrize("code", ["ExpiredToken", "ExpiredTokenException"])
def test_an_expired_token_is_tried_again(code: str) -> None:
    error = ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 400}}, "PutObject")
    assert translate(error).code == "service-unavailable"
    assert translate(error).retryable
