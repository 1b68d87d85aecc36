"""The documents that an attempt hangs on outlast a service's bad minute, and no longer."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from genoferry.errors import AccessDenied, ServiceUnavailable
from genoferry.job import storage
from genoferry.job.storage import Storage


def error(code: str, status: int) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "PutObject")


class S3:
    """Answers with these errors first."""

    def __init__(self, errors: Iterator[ClientError]) -> None:
        self.errors, self.calls = errors, 0

    def put_object(self, **_: object) -> None:
        self._answer()

    def get_object(self, **_: object) -> dict[str, io.BytesIO]:
        self._answer()
        return {"Body": io.BytesIO(b"there")}

    def _answer(self) -> None:
        self.calls += 1
        if (found := next(self.errors, None)) is not None:
            raise found


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What is slept, without sleeping."""
    seconds: list[float] = []
    monkeypatch.setitem(storage.PATIENT, "sleep", seconds.append)
    return seconds


def over(errors: Iterator[ClientError]) -> tuple[Storage, S3]:
    made = object.__new__(Storage)
    made._s3 = s3 = S3(errors)
    return made, s3


CALLS: dict[str, Callable[[Storage], Any]] = {
    "get": lambda s: s.get("b", "k") == b"there",
    "put": lambda s: s.put("b", "k", b"") is None,
    "put_new": lambda s: s.put_new("b", "k", b""),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_blip_is_waited_out(call: str, slept: list[float]) -> None:
    blips = [error("SlowDown", 503), error("InternalError", 500), error("ExpiredToken", 400)] * 3
    made, s3 = over(iter(blips))
    assert CALLS[call](made)
    assert s3.calls == len(slept) + 1 == len(blips) + 1


@pytest.mark.parametrize("call", CALLS)
def test_what_lasts_is_not(call: str, slept: list[float]) -> None:
    made, _ = over(iter([error("AccessDenied", 403)]))
    with pytest.raises(AccessDenied):
        CALLS[call](made)
    assert slept == []


def test_the_patience_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("tenacity.time.monotonic", lambda: now[0])
    monkeypatch.setitem(storage.PATIENT, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    made, s3 = over(iter(lambda: error("SlowDown", 503), None))
    with pytest.raises(ServiceUnavailable):
        made.put("b", "k", b"")
    assert 30 < now[0] <= 120
    assert s3.calls > 5
