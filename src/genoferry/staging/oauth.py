"""OAuth2 access tokens by client credentials (RFC 6749, section 4.4), as Globus gives them out."""

from __future__ import annotations

import json
import threading
import time
from base64 import b64encode
from collections.abc import Callable
from urllib.parse import quote_plus, urlencode

from genoferry.errors import SourceDenied, SourceUnavailable
from genoferry.staging.http_client import Web

EARLY = 60.0
"""Seconds before its expiry from which a token isn't used: requests made with it take time."""

MAX_ANSWER = 64 * 1024


class ClientCredentials:
    """The token of one client, asked for when it is first needed and again shortly before it expires.

    Safe to use from several threads: one asks, the others wait for it.
    """

    def __init__(
        self,
        web: Web,
        token_url: str,
        *,
        client_id: str,
        client_secret: str,
        scope: str | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._web, self._url, self._scope, self._monotonic = web, token_url, scope, monotonic
        pair = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"  # RFC 6749, section 2.3.1
        self._authorization = "Basic " + b64encode(pair.encode()).decode()
        self._lock = threading.Lock()
        self._token, self._until = "", float("-inf")

    def token(self, refused: str | None = None) -> str:
        """A token that holds for a while yet, and isn't `refused`.

        Raises `SourceDenied` where the client isn't accepted, `SourceUnavailable` (transient) where nothing answers.
        """
        with self._lock:
            if self._monotonic() >= self._until or refused == self._token:
                self._token, lasts = self._ask()
                self._until = self._monotonic() + lasts - min(EARLY, lasts / 2)
            return self._token

    def _ask(self) -> tuple[str, float]:
        form = {"grant_type": "client_credentials"} | ({"scope": self._scope} if self._scope else {})
        headers = {"Authorization": self._authorization, "Content-Type": "application/x-www-form-urlencoded"}
        answer = self._web.post(self._url, headers | {"Accept": "application/json"}, urlencode(form).encode())
        try:
            if 400 <= answer.status < 500 and answer.status not in (408, 429):
                raise SourceDenied("The token service refused the worker's client id, secret or scope. Check them.")
            if answer.status != 200:
                raise SourceUnavailable
            return _parse(answer.read(MAX_ANSWER))
        finally:
            answer.close()


def _parse(body: bytes) -> tuple[str, float]:
    """Token and seconds that it lasts (RFC 6749, section 5.1)."""
    try:
        answer = json.loads(body)
        token, lasts = answer["access_token"], float(answer.get("expires_in", 300))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise SourceUnavailable("The token service's answer is not what OAuth2 says it is.") from None
    if not isinstance(token, str) or not token.isascii() or not token.isprintable():
        raise SourceUnavailable("The token service's answer holds no usable token.")
    return token, lasts
