"""The job's storage in memory: the buckets and queues that a simulated worker has, from the job's side."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from genoferry.aws.objects import MemoryObjects
from genoferry.errors import DigestMismatch, NotFound, SizeMismatch
from genoferry.job.storage import Storage


@dataclass
class MemoryStorage(Storage):
    """`buckets` by name; `sent` holds queue URL and body of each report, and `on_send` sees them as they come."""

    buckets: Mapping[str, MemoryObjects]
    sent: list[tuple[str, str]] = field(default_factory=list)
    on_send: Callable[[str], object] = lambda _: None

    def get(self, bucket: str, key: str) -> bytes | None:
        return self._content(bucket).get(key)

    def put(self, bucket: str, key: str, body: bytes) -> None:
        self._content(bucket)[key] = body

    def put_new(self, bucket: str, key: str, body: bytes) -> bool:
        content = self._content(bucket)
        if key in content:
            return False
        content[key] = body
        return True

    def fetch(
        self, bucket: str, key: str, target: Path, *, size: int, sha256: str | None, moved: Callable[[int], None]
    ) -> None:
        body = self._content(bucket).get(key)
        if body is None:
            raise NotFound
        target.write_bytes(body)
        moved(len(body))
        if len(body) != size:
            raise SizeMismatch
        if sha256 is not None and hashlib.sha256(body).hexdigest() != sha256:
            raise DigestMismatch

    def upload(self, path: Path, bucket: str, key: str, content_type: str) -> None:  # noqa: ARG002
        self._content(bucket)[key] = path.read_bytes()

    def send(self, queue_url: str, body: str) -> None:
        self.sent.append((queue_url, body))
        self.on_send(body)

    def _content(self, bucket: str) -> dict[str, bytes]:
        try:
            return self.buckets[bucket].content
        except KeyError:
            raise NotFound from None
