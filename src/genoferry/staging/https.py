"""Files of an HTTPS server that serves byte ranges; a Globus guest collection is one."""

from __future__ import annotations

import re
from typing import Protocol
from urllib.parse import quote

from genoferry.errors import (
    GenoferryError,
    RangeNotSatisfiable,
    SourceChanged,
    SourceDenied,
    SourceIgnoresRange,
    SourceMissing,
    SourceUnavailable,
    StagingError,
)
from genoferry.staging.allowlist import check_path
from genoferry.staging.cancellation import Halt
from genoferry.staging.http_client import Answer, Web
from genoferry.staging.source import SourceStat

STATUS: dict[int, type[GenoferryError]] = {
    200: SourceIgnoresRange,
    401: SourceDenied,
    403: SourceDenied,
    404: SourceMissing,
    410: SourceMissing,
    412: SourceChanged,
    416: RangeNotSatisfiable,
    408: SourceUnavailable,
    425: SourceUnavailable,
    429: SourceUnavailable,
}
"""Anything else: `SourceUnavailable` for a server error, which is tried again, else `StagingError`."""

_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)", re.ASCII)


class Tokens(Protocol):
    """Gives the bearer token of a source. `refused` is one that the source didn't take."""

    def token(self, refused: str | None = None) -> str: ...


class HttpsSource:
    """Files below `base_url`. The allow-list is `web`'s. `tokens` is for the base's origin alone."""

    def __init__(self, base_url: str, web: Web, tokens: Tokens | None = None) -> None:
        self._base, self._web, self._tokens = base_url.rstrip("/"), web, tokens

    def open(
        self, path: str, start: int, stop: int, if_match: str | None = None, halt: Halt | None = None
    ) -> HttpsBody:
        """See `Source.open`."""
        url = f"{self._base}/{quote(check_path(path), safe='/')}"
        headers = {"Range": f"bytes={start}-{stop - 1}", "Accept-Encoding": "identity"}
        if if_match is not None and if_match.startswith('"'):  # a weak etag never matches (RFC 9110, 13.1.1)
            headers["If-Match"] = if_match
        answer = self._get(url, headers, halt)
        try:
            stat = _stat(answer, start)
            if if_match not in (None, stat.etag):
                raise SourceChanged
        except BaseException:
            answer.close()
            raise
        return HttpsBody(answer, stat)

    def _get(self, url: str, headers: dict[str, str], halt: Halt | None) -> Answer:
        if self._tokens is None:
            return self._web.get(url, headers, halt)
        token = self._tokens.token()
        answer = self._web.get(url, headers | {"Authorization": f"Bearer {token}"}, halt)
        if answer.status != 401:
            return answer
        answer.close()
        return self._web.get(url, headers | {"Authorization": f"Bearer {self._tokens.token(refused=token)}"}, halt)


class HttpsBody:
    """See `Body`."""

    def __init__(self, answer: Answer, stat: SourceStat) -> None:
        self.stat = stat
        self.readinto, self.close, self.abort = answer.readinto, answer.close, answer.abort


def _stat(answer: Answer, start: int) -> SourceStat:
    """Size and etag from an answer's head. Raises what its status means."""
    if answer.status != 206:
        raise STATUS.get(answer.status, SourceUnavailable if answer.status >= 500 else StagingError)()
    found = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    if found is None or int(found[1]) != start or answer.headers.get("Content-Encoding", "identity") != "identity":
        raise SourceIgnoresRange
    return SourceStat(int(found[3]), _etag(answer, int(found[3])))


def _etag(answer: Answer, size: int) -> str:
    """The etag, or for servers without etags what comes nearest."""
    return answer.headers.get("ETag") or f"{answer.headers.get('Last-Modified', 'undated')}; {size} bytes"
