"""HTTP to hosts that are allowed, and to no other: names are resolved once, checked, and the address that was checked
is the one that is connected to, so that a name can't change its address in between; redirects are followed by hand.

`http.client` on purpose: it reads from the socket straight into memory that the caller owns, which httpx can't (0.2
to 0.3 s of processor time for a GiB against 0.7 to 0.9 s), and pins addresses by one overridden method. Proxies from
the environment are not used.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Self
from urllib.parse import urljoin

from genoferry.errors import SourceRedirects, SourceShort, SourceUnavailable, SourceUntrusted, StagingStopped
from genoferry.staging.allowlist import Url, check_addresses, check_url
from genoferry.staging.cancellation import Halt

REDIRECTS = (301, 302, 303, 307, 308)
MAX_REDIRECTS = 5
MAX_IDLE = 64
"""Idle connections kept for one origin: one for each part in flight is all that can be used again."""

Resolve = Callable[[str, int], list[str]]


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, in the order to try them."""
    return list(dict.fromkeys(str(row[4][0]) for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to connect, and between two bytes of an answer."""

    connect: float = 10
    read: float = 60


class _Pinned(http.client.HTTPConnection):
    """A connection to addresses that were checked, whatever the name resolves to by now."""

    def __init__(self, url: Url, addresses: list[str], timeouts: Timeouts, context: ssl.SSLContext | None) -> None:
        super().__init__(url.host, url.port)
        self.default_port = 443 if url.scheme == "https" else 80  # decides the Host header
        self._addresses, self._timeouts, self._context = addresses, timeouts, context

    def connect(self) -> None:
        sock = self._first()
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._context is not None:
                sock = self._context.wrap_socket(sock, server_hostname=self.host)
            sock.settimeout(self._timeouts.read)
        except BaseException:
            sock.close()
            raise
        self.sock = self._wire = sock

    def abort(self) -> None:
        """From another thread: what waits for this connection, its answer's head or body, fails soon."""
        with suppress(OSError):  # not connected any more: nothing waits
            socket.socket.shutdown(self._wire, socket.SHUT_RDWR)  # not SSLSocket's, which drops state a reader uses

    def _first(self) -> socket.socket:
        trouble: OSError = OSError("no address")
        for address in self._addresses:
            try:
                return socket.create_connection((address, self.port), self._timeouts.connect)
            except OSError as error:
                trouble = error
        raise trouble


class Answer:
    """An answer, its body unread. `close` gives the connection back where the body was read to its end."""

    def __init__(
        self,
        url: Url,
        connection: _Pinned,
        response: http.client.HTTPResponse,
        give_back: Callable[[Url, _Pinned], None],
    ) -> None:
        self.url, self.status, self.headers = url, response.status, response.headers
        self._connection, self._response, self._give_back = connection, response, give_back

    def readinto(self, view: memoryview) -> int:
        """Raises `SourceUnavailable` or `SourceShort`, both transient."""
        try:
            return self._response.readinto(view)
        except http.client.HTTPException as error:
            raise SourceShort from error
        except (OSError, ValueError) as error:  # ValueError: aborted, and so closed, in the middle
            raise SourceUnavailable from error

    def read(self, limit: int) -> bytes:
        """The whole of a small body. Raises `SourceUnavailable` where it is over `limit` bytes."""
        buffer = bytearray(limit + 1)
        done = 0
        while done <= limit and (got := self.readinto(memoryview(buffer)[done:])):
            done += got
        if done > limit:
            raise SourceUnavailable("A service's answer is far longer than it should be.")
        return bytes(buffer[:done])

    def close(self) -> None:
        reusable = self._response.isclosed() and not self._response.will_close
        self._response.close()
        if reusable:
            self._give_back(self.url, self._connection)
        else:
            self._connection.close()

    def abort(self) -> None:
        """See `_Pinned.abort`."""
        self._connection.abort()


class Web:
    """A client for the hosts of an allow-list. Safe to use from several threads.

    Besides what its methods say, all raise `SourceNotAllowed` for a URL, redirect or address that isn't allowed,
    `SourceUntrusted` for a certificate that can't be verified, `SourceUnavailable` where nothing answers.
    """

    def __init__(
        self,
        hosts: tuple[str, ...],
        *,
        timeouts: Timeouts | None = None,
        context: ssl.SSLContext | None = None,
        resolve: Resolve = resolve,
    ) -> None:
        self._hosts, self._timeouts, self._resolve = hosts, timeouts or Timeouts(), resolve
        self._context = context or ssl.create_default_context()
        self._idle: defaultdict[tuple[str, str, int], list[_Pinned]] = defaultdict(list)
        self._lock = threading.Lock()

    def get(self, url: str, headers: Mapping[str, str], halt: Halt | None = None) -> Answer:
        """The answer after at most `MAX_REDIRECTS` redirects; another origin never sees `Authorization`.

        Raises `SourceRedirects` for more of them.
        """
        here = check_url(url, self._hosts)
        sent = dict(headers)
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._exchange("GET", here, sent, halt=halt or Halt())
            if answer.status not in REDIRECTS:
                return answer
            there = self._redirected(answer)
            if there.origin != here.origin:
                sent.pop("Authorization", None)
            here = there
        raise SourceRedirects

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """No redirect is followed: what is posted is a secret."""
        return self._exchange("POST", check_url(url, self._hosts), headers, body, halt=Halt())

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            for connection in (c for idle in self._idle.values() for c in idle):
                connection.close()
            self._idle.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _redirected(self, answer: Answer) -> Url:
        scheme, host, port = answer.url.origin
        location = answer.headers.get("Location")
        answer.close()
        if not location:
            raise SourceRedirects
        literal = f"[{host}]" if ":" in host else host
        return check_url(
            urljoin(f"{scheme}://{literal}:{port}{answer.url.target}", location).partition("#")[0], self._hosts
        )

    def _exchange(
        self, method: str, url: Url, headers: Mapping[str, str], body: bytes | None = None, *, halt: Halt
    ) -> Answer:
        connection = self._take(url)
        if connection is not None:
            with suppress(SourceUnavailable):  # the server closed it while it was idle: once more, on a new one
                return self._send(connection, method, url, headers, body, halt=halt)
        return self._send(self._new(url), method, url, headers, body, halt=halt)

    def _send(
        self, connection: _Pinned, method: str, url: Url, headers: Mapping[str, str], body: bytes | None, *, halt: Halt
    ) -> Answer:
        try:
            connection.request(method, url.target, body, dict(headers))
            with halt.aborting(connection):
                return Answer(url, connection, connection.getresponse(), self._put_back)
        except StagingStopped:
            connection.close()
            raise
        except ssl.SSLCertVerificationError as error:
            connection.close()
            raise SourceUntrusted from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            connection.close()
            raise SourceUnavailable from error

    def _new(self, url: Url) -> _Pinned:
        try:
            addresses = self._resolve(url.host, url.port)
        except (OSError, UnicodeError) as error:
            raise SourceUnavailable from error
        check_addresses(url.host, addresses)
        return _Pinned(url, addresses, self._timeouts, self._context if url.scheme == "https" else None)

    def _take(self, url: Url) -> _Pinned | None:
        with self._lock:
            idle = self._idle[url.origin]
            return idle.pop() if idle else None

    def _put_back(self, url: Url, connection: _Pinned) -> None:
        with self._lock:
            if len(self._idle[url.origin]) < MAX_IDLE:
                self._idle[url.origin].append(connection)
                return
        connection.close()
