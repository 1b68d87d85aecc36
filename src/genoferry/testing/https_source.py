"""A scripted double of an HTTPS source: byte ranges, etags, OAuth2 tokens, and faults on demand.

Speaks plain HTTP on loopback, which an allow-list may permit, or TLS by a context that it is given;
`python -m genoferry.testing.https_source FOLDER` serves a folder by hand.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import ssl
import sys
import threading
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from genoferry.testing.crypt4gh_writer import SEGMENT, data_key_packet, header, seal_packet, seal_segment
from genoferry.testing.http_double import Handler, HttpDouble, Request

PIECE = 1024**2


class Content(Protocol):
    """What a path serves."""

    @property
    def size(self) -> int: ...
    @property
    def etag(self) -> str: ...
    def pieces(self, start: int, stop: int) -> Iterator[bytes | memoryview]: ...


@dataclass(frozen=True)
class Data:
    """Bytes in memory."""

    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.data).hexdigest()[:32]}"'

    def pieces(self, start: int, stop: int) -> Iterator[memoryview]:
        for at in range(start, stop, PIECE):
            yield memoryview(self.data)[at : min(at + PIECE, stop)]


@dataclass(frozen=True)
class OnDisk:
    """A file."""

    path: Path

    @property
    def size(self) -> int:
        return self.path.stat().st_size

    @property
    def etag(self) -> str:
        found = self.path.stat()
        return f'"{found.st_mtime_ns:x}-{found.st_size:x}"'

    def pieces(self, start: int, stop: int) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            file.seek(start)
            while start < stop and (piece := file.read(min(PIECE, stop - start))):
                start += len(piece)
                yield piece


class Synthesised:
    """A Crypt4GH file of any size in a few MiB of memory: one full segment of noise, over and over."""

    def __init__(self, plain_size: int, reader: bytes) -> None:
        data_key, noise = os.urandom(32), os.urandom(SEGMENT)
        self.plain_size = plain_size
        self._head = header([seal_packet(data_key_packet(data_key), reader)])
        self._full = seal_segment(noise, data_key)
        self._row = memoryview(self._full * 32)
        rest = plain_size % SEGMENT
        self._last = seal_segment(noise[:rest], data_key) if rest else b""
        self.size = len(self._head) + plain_size // SEGMENT * len(self._full) + len(self._last)
        self.etag = f'"{hashlib.sha256(self._head).hexdigest()[:32]}"'

    def pieces(self, start: int, stop: int) -> Iterator[bytes | memoryview]:
        body, tail = len(self._head), self.size - len(self._last)
        if start < body:
            yield self._head[start : min(stop, body)]
        at = max(start, body)
        while at < min(stop, tail):
            within = (at - body) % len(self._full)
            piece = self._row[within : within + min(stop, tail) - at]
            yield piece
            at += len(piece)
        if stop > tail:
            yield self._last[max(0, start - tail) : stop - tail]


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with a request: of these, what is set.

    `status` alone as the answer; `redirect` to a URL; `short`: as many bytes of the body, then the connection ends;
    `ignore_range`: the whole file with 200; `hang`: nothing until the event is set; `change`: from now on the file
    has another content; `weak`: its etag is sent as a weak one; `drop`: the connection ends without an answer.
    """

    status: int | None = None
    redirect: str | None = None
    short: int | None = None
    ignore_range: bool = False
    hang: threading.Event | None = None
    change: Content | None = None
    weak: bool = False
    drop: bool = False


@dataclass(slots=True)
class _Rule:
    fault: Fault
    path: str | None
    after: int
    times: int


@dataclass
class Clients:
    """The OAuth2 side: who may have a token, what was given out, what of it still holds."""

    client_id: str = "worker"
    client_secret: str = "client-secret"  # noqa: S105  # a double's
    expires_in: int = 3600
    given: list[str] = field(default_factory=list)
    valid: set[str] = field(default_factory=set)


class HttpsSource(HttpDouble):
    """Serves `files` by path (no leading slash). With `clients`, a bearer token from `/token` is asked for."""

    def __init__(
        self,
        files: Mapping[str, Content],
        clients: Clients | None = None,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(port, tls)
        self.files, self.clients = dict(files), clients
        self._rules: list[_Rule] = []

    @property
    def gets(self) -> list[str]:
        """The ranges that were asked for, in order, as they stood in the header."""
        return [r.headers.get("Range", "") for r in list(self.requests) if r.method == "GET"]

    def fail(self, fault: Fault, *, path: str | None = None, after: int = 0, times: int = 1) -> None:
        """Let the next `times` requests (of a path, where one is given), `after` as many others, go wrong."""
        self._rules.append(_Rule(fault, path, after, times))

    def answer(self, request: Request, handler: Handler) -> None:
        path = unquote(urlsplit(request.path).path).lstrip("/")
        if request.method == "POST" and path == "token":
            self._give_token(request, handler)
            return
        fault = self._fault(path)
        if fault.hang is not None:
            fault.hang.wait()
        if fault.change is not None:
            self.files[path] = fault.change
        content = self.files.get(path)
        status = fault.status or self._refusal(request, content)
        if fault.drop:
            handler.close_connection = True
        elif fault.redirect:
            handler.reply(302, Location=fault.redirect)
        elif status or content is None:
            handler.reply(status or 404)
        else:
            _serve(request, handler, content, fault)

    def _fault(self, path: str) -> Fault:
        with self._lock:
            for rule in self._rules:
                if rule.path in (None, path) and rule.times:
                    if rule.after:
                        rule.after -= 1
                        continue
                    rule.times -= 1
                    return rule.fault
        return Fault()

    def _refusal(self, request: Request, content: Content | None) -> int | None:
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.clients is not None and bearer not in self.clients.valid:
            return 401
        wanted = request.headers.get("If-Match")
        return 412 if content is not None and wanted not in (None, content.etag) else None

    def _give_token(self, request: Request, handler: Handler) -> None:
        clients = self.clients
        pair = b64decode(request.headers.get("Authorization", "").removeprefix("Basic ") or b"").decode()
        if clients is None or pair != f"{clients.client_id}:{clients.client_secret}":
            handler.reply(401, b'{"error": "invalid_client"}')
            return
        token = f"token-{len(clients.given)}-{os.urandom(8).hex()}"
        clients.given.append(token)
        clients.valid.add(token)
        answer = {"access_token": token, "token_type": "Bearer", "expires_in": clients.expires_in}
        handler.reply(200, json.dumps(answer).encode(), Content_Type="application/json")


def _serve(request: Request, handler: Handler, content: Content, fault: Fault) -> None:
    found = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("Range", ""))
    start = int(found[1]) if found else 0
    stop = min(content.size, int(found[2]) + 1) if found and found[2] else content.size
    whole = fault.ignore_range or not found
    if not whole and start >= content.size:
        handler.reply(416, Content_Range=f"bytes */{content.size}")
        return
    if whole:
        start, stop = 0, content.size
    handler.send_response(200 if whole else 206)
    handler.send_header("ETag", f"W/{content.etag}" if fault.weak else content.etag)
    handler.send_header("Content-Length", str(stop - start))
    if not whole:
        handler.send_header("Content-Range", f"bytes {start}-{stop - 1}/{content.size}")
    handler.end_headers()
    if request.method == "HEAD":
        return
    if fault.short is not None:
        stop = min(stop, start + fault.short)
        handler.close_connection = True
    for piece in content.pieces(start, stop):
        handler.wfile.write(piece)


def main(folder: str) -> None:
    """Serve a folder until interrupted."""
    root = Path(folder)
    files = {str(path.relative_to(root)): OnDisk(path) for path in root.rglob("*") if path.is_file()}
    with HttpsSource(files) as source:
        print(source.url, flush=True)  # noqa: T201  # this is its answer
        threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1])
