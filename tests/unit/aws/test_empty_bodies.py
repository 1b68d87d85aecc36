"""An empty object is put without Expect, which would keep the connection's next request waiting for a minute."""

from __future__ import annotations

import io
from typing import Any

import pytest

from genoferry.aws.clients import sync_client


class Sent(Exception):
    """Holds what would have been sent."""


@pytest.mark.parametrize(("body", "expects"), [(b"", False), (b"x", True)])
def test_only_a_body_with_bytes_expects_an_answer(monkeypatch: pytest.MonkeyPatch, body: bytes, expects: bool) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    client = sync_client("s3", region_name="eu-west-1", aws_access_key_id="id", aws_secret_access_key="secret")

    def stop(request: Any, **_: Any) -> None:
        raise Sent(request.headers)

    client.meta.events.register("before-send.s3", stop)
    with pytest.raises(Sent) as raised:
        client.put_object(Bucket="b", Key="k", Body=io.BytesIO(body))
    assert ("Expect" in raised.value.args[0]) == expects
