"""The pump: one encrypted file, from its source, decrypted, into a bucket; in parts, several at once, none on disk.

`stage` blocks, and runs threads of its own: an asyncio program calls it by `asyncio.to_thread`, and stops it by
setting `stop`. `on_progress` comes on those threads, never two at once; `on_upload` on the caller's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genoferry.errors import DestinationConflict, NoSuchUpload, PreconditionFailed, SourceChanged, UploadLost
from genoferry.staging import upload
from genoferry.staging.crc64 import combine, crc64, encode
from genoferry.staging.part_buffer import Bench
from genoferry.staging.plan import Plan, make_plan
from genoferry.staging.private_key import PrivateKey
from genoferry.staging.ranges import Retry
from genoferry.staging.segments import Part
from genoferry.staging.source import Source
from genoferry.staging.thread_pool import Crew
from genoferry.staging.upload import Destination, Uploaded
from genoferry.staging.upload_body import Body

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PART_SIZE = 16 * 1024**2
PARTS_IN_FLIGHT = 4


@dataclass(frozen=True, slots=True)
class UploadBegun:
    """To be recorded before the first part: what `stage` takes to go on after a crash."""

    upload_id: str
    source_etag: str


@dataclass(frozen=True, slots=True)
class StagedFile:
    """`size` in bytes of the plaintext; `crc64nvme` of it as S3 writes it, None where the service keeps none."""

    etag: str
    size: int
    crc64nvme: str | None
    source_etag: str
    source_size: int


def stage(
    source: Source,
    path: str,
    dest: Destination,
    key: PrivateKey,
    *,
    s3: S3Client,
    expect_size: int | None = None,
    upload_id: str | None = None,
    etag: str | None = None,
    on_upload: Callable[[UploadBegun], None] = lambda _: None,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
    stop: threading.Event | None = None,
    parts_in_flight: int = PARTS_IN_FLIGHT,
    part_size: int = PART_SIZE,
    retry: Retry | None = None,
) -> StagedFile:
    """Decrypt `path` of `source` into `dest`. Memory: `parts_in_flight` parts of `part_size` bytes.

    `expect_size`: bytes as stored. `upload_id`, `etag`: what `on_upload` was told earlier, to go on from there; done
    already is no error. `on_upload` returns before the first part is sent; it isn't called where one request does.
    `on_progress` gets bytes of plaintext: staged so far, and in all.

    Raises the errors of `Source.open` and `parse_header`, `SizeMismatch`, `SegmentCorrupt`, `FileTooLarge`;
    `SourceChanged` with the upload aborted (call again without its id), `StagingStopped` with it kept (call again
    with it); `UploadLost` where another ended it; `DestinationConflict`; `ServiceError` and its kind for the bucket.
    """
    stop, retry = stop or threading.Event(), retry or Retry()
    try:
        with Crew(1, stop) as crew:
            plan = crew.one(
                lambda: make_plan(
                    source,
                    path,
                    key,
                    expect_size=expect_size,
                    etag=etag,
                    wanted_part=part_size,
                    retry=retry,
                    halt=crew.halt,
                )
            )
    except SourceChanged:
        if upload_id is not None:
            upload.abort(s3, dest, upload_id)
        raise
    at_once = min(parts_in_flight, max(1, parts_in_flight * part_size // plan.part_size))  # few large, or many small
    with Crew(max(1, min(at_once, len(plan.parts))), stop) as crew:
        job = _Job(s3, dest, plan, retry=retry, crew=crew, on_progress=on_progress)
        if not plan.parts or (len(plan.parts) == 1 and upload_id is None):
            return crew.one(job.put)
        return job.multipart(upload_id, on_upload)


abort = upload.abort


class _Job:
    """One staging under way: its plan is made, its threads wait."""

    def __init__(
        self,
        s3: S3Client,
        dest: Destination,
        plan: Plan,
        *,
        retry: Retry,
        crew: Crew,
        on_progress: Callable[[int, int], None],
    ) -> None:
        self._s3, self._dest, self._plan, self._retry, self._crew = s3, dest, plan, retry, crew
        self._on_progress, self._done, self._telling = on_progress, 0, threading.Lock()
        self._local = threading.local()

    def put(self) -> StagedFile:
        """The whole in one request."""
        view = self._bench.plaintext(self._plan.parts[0]) if self._plan.parts else memoryview(b"")
        self._bench.check_tail()
        crc = crc64(view)
        try:
            etag = upload.put(self._s3, self._dest, Body(view, self._crew.halt), crc, self._plan.fingerprint)
        except PreconditionFailed:
            return self._ours() or self._lost()
        self._tell(len(view))
        return self._staged(etag, encode(crc))

    def multipart(self, upload_id: str | None, on_upload: Callable[[UploadBegun], None]) -> StagedFile:
        """In parts, those that are there left out."""
        there: dict[int, Uploaded] = {}
        if upload_id is not None:
            try:
                there = upload.list_parts(self._s3, self._dest, upload_id)
            except NoSuchUpload:
                if found := self._ours():
                    return found
                upload_id = None
        if upload_id is None:
            upload_id = upload.begin(self._s3, self._dest, self._plan.fingerprint)
            on_upload(UploadBegun(upload_id, self._plan.stat.etag))
        try:
            return self._fill(upload_id, there)
        except (NoSuchUpload, PreconditionFailed):
            return self._ours() or self._lost()
        except SourceChanged:
            upload.abort(self._s3, self._dest, upload_id)
            raise

    def _fill(self, upload_id: str, there: dict[int, Uploaded]) -> StagedFile:
        kept = {part.number: there[part.number] for part in self._plan.parts if _fits(part, there.get(part.number))}
        self._tell(sum(part.size for part in kept.values()))
        missing = [part for part in self._plan.parts if part.number not in kept]
        self._crew.one(self._check_tail)
        sent = self._crew.each(lambda part: self._send(upload_id, part), missing)
        done = sorted([*kept.values(), *sent], key=lambda part: part.number)
        crc = _whole(done)
        etag, stored = upload.complete(self._s3, self._dest, upload_id, done, crc)
        return self._staged(etag, stored)

    def _send(self, upload_id: str, part: Part) -> Uploaded:
        view = self._bench.plaintext(part)
        body = Body(view, self._crew.halt)
        sent = upload.put_part(self._s3, self._dest, upload_id, number=part.number, body=body, crc=crc64(view))
        self._tell(part.size)
        return sent

    def _check_tail(self) -> None:
        self._bench.check_tail()

    @property
    def _bench(self) -> Bench:
        """This thread's."""
        if not hasattr(self._local, "bench"):
            self._local.bench = Bench(self._plan, self._retry, self._crew.halt)
        bench: Bench = self._local.bench
        return bench

    def _tell(self, size: int) -> None:
        with self._telling:
            self._done += size
            self._on_progress(self._done, self._plan.size)

    def _ours(self) -> StagedFile | None:
        """The object that is there, if it is this file of this version; None where there is none.

        Raises `DestinationConflict` for another.
        """
        stored = upload.find(self._s3, self._dest)
        if stored is None:
            return None
        if (stored.size, stored.fingerprint) != (self._plan.size, self._plan.fingerprint):
            raise DestinationConflict
        return self._staged(stored.etag, stored.crc)

    def _lost(self) -> StagedFile:
        raise UploadLost

    def _staged(self, etag: str, crc: str | None) -> StagedFile:
        return StagedFile(etag, self._plan.size, crc, self._plan.stat.etag, self._plan.stat.size)


def _fits(part: Part, there: Uploaded | None) -> bool:
    """Whether a part of an earlier call is this one; its size may differ where the settings were changed since."""
    return there is not None and there.size == part.size


def _whole(parts: list[Uploaded]) -> int | None:
    """The checksum of all parts together, if that of each is known."""
    pieces = [(part.crc, part.size) for part in parts]
    return None if any(crc is None for crc, _ in pieces) else combine((crc or 0, size) for crc, size in pieces)
