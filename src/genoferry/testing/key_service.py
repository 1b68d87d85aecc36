"""A double of the key service: HTTP Basic, and private keys wrapped in the very bytes that the real one sends."""

from __future__ import annotations

import json
import os
from base64 import b64encode
from collections.abc import Mapping
from urllib.parse import unquote

from genoferry.staging.key_wrapping import wrap
from genoferry.testing.http_double import Handler, HttpDouble, Request


class KeyService(HttpDouble):
    """Serves `keys` by secret id and version. `statuses`: what the next requests are answered instead, in order.

    `bodies`: the same for whole bodies with status 200.
    """

    def __init__(
        self,
        keys: Mapping[tuple[str, str], bytes],
        *,
        username: str = "worker",
        password: str = "service-password",  # noqa: S107  # a double's
        wrapping_password: str = "wrapping-password",  # noqa: S107
        port: int = 0,
    ) -> None:
        super().__init__(port)
        self.keys, self.wrapping_password = dict(keys), wrapping_password
        self.statuses: list[int] = []
        self.bodies: list[bytes] = []
        self._authorization = "Basic " + b64encode(f"{username}:{password}".encode()).decode()

    def answer(self, request: Request, handler: Handler) -> None:
        if self.statuses:
            handler.reply(self.statuses.pop(0))
        elif request.headers.get("Authorization") != self._authorization:
            handler.reply(401, WWW_Authenticate="Basic")
        elif self.bodies:
            handler.reply(200, self.bodies.pop(0))
        else:
            self._give(request, handler)

    def _give(self, request: Request, handler: Handler) -> None:
        names = [unquote(name) for name in request.path.split("/")]
        secret = self.keys.get((names[2], names[4])) if names[1::2] == ["key", "version"] and len(names) == 5 else None
        if secret is None:
            handler.reply(404)
            return
        answer = {"secretId": names[2], "privateKey": wrap(secret, self.wrapping_password, os.urandom)}
        handler.reply(200, json.dumps(answer).encode(), Content_Type="application/json")
