"""The S3 side: a multipart upload that can be taken up again, and is completed at most once.

An object is only ever created (`If-None-Match: *`), with a fingerprint of its source in its metadata; so after a
crash, or a race of two workers, "it is there already" can be told from "something else is there".
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, cast

from genoferry.aws.errors import mapped
from genoferry.errors import NoSuchUpload, NotFound, StagingStopped
from genoferry.staging.crc64 import decode, encode
from genoferry.staging.upload_body import Abandoned, Body

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

FINGERPRINT = "genoferry-source"
"""Metadata name of `Plan.fingerprint`."""


@dataclass(frozen=True, slots=True)
class Destination:
    bucket: str
    key: str

    @property
    def where(self) -> dict[str, Any]:
        return {"Bucket": self.bucket, "Key": self.key}


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A part that is there. `crc` is None where the service doesn't list it (SeaweedFS 4.48 doesn't)."""

    number: int
    size: int
    etag: str
    crc: int | None


@dataclass(frozen=True, slots=True)
class Stored:
    """An object that is there. `crc` as S3 writes it, None where the service keeps none."""

    etag: str
    size: int
    crc: str | None
    fingerprint: str | None


def begin(s3: S3Client, dest: Destination, fingerprint: str) -> str:
    """A new upload's id."""
    with mapped():
        return s3.create_multipart_upload(
            **dest.where,
            ChecksumAlgorithm="CRC64NVME",
            ChecksumType="FULL_OBJECT",
            Metadata={FINGERPRINT: fingerprint},
        )["UploadId"]


def put_part(s3: S3Client, dest: Destination, upload_id: str, *, number: int, body: Body, crc: int) -> Uploaded:
    """The service compares the checksum before it keeps the part. Raises `StagingStopped` where the body does."""
    with _sending():
        answer = s3.upload_part(
            **dest.where, UploadId=upload_id, PartNumber=number, Body=_file(body), ChecksumCRC64NVME=encode(crc)
        )
    return Uploaded(number, len(body), answer["ETag"], crc)


@contextmanager
def _sending() -> Iterator[None]:
    try:
        with mapped():
            yield
    except Abandoned:
        raise StagingStopped from None


def _file(body: Body) -> IO[bytes]:
    """botocore uses no more of a file than `Body` has."""
    return cast("IO[bytes]", body)


def list_parts(s3: S3Client, dest: Destination, upload_id: str) -> dict[int, Uploaded]:
    """The parts that are there. Raises `NoSuchUpload`."""
    with mapped():
        pages = s3.get_paginator("list_parts").paginate(**dest.where, UploadId=upload_id)
        rows = [row for page in pages for row in page.get("Parts", ())]
    return {
        row["PartNumber"]: Uploaded(row["PartNumber"], row["Size"], row["ETag"], _crc(row.get("ChecksumCRC64NVME")))
        for row in rows
    }


def _crc(text: str | None) -> int | None:
    return None if text is None else decode(text)


def complete(
    s3: S3Client, dest: Destination, upload_id: str, parts: list[Uploaded], crc: int | None
) -> tuple[str, str | None]:
    """The new object's etag and checksum, which the service compares with `crc` where that is known.

    Raises `NoSuchUpload`, `PreconditionFailed` (an object is there).
    """
    rows = [
        {"PartNumber": part.number, "ETag": part.etag}
        | ({} if part.crc is None else {"ChecksumCRC64NVME": encode(part.crc)})
        for part in parts
    ]
    whole: Any = {} if crc is None else {"ChecksumCRC64NVME": encode(crc), "ChecksumType": "FULL_OBJECT"}
    with mapped():
        answer = s3.complete_multipart_upload(
            **dest.where,
            UploadId=upload_id,
            MultipartUpload={"Parts": rows},  # type: ignore[typeddict-item]
            MpuObjectSize=sum(part.size for part in parts),
            IfNoneMatch="*",
            **whole,
        )
    return answer["ETag"], answer.get("ChecksumCRC64NVME", whole.get("ChecksumCRC64NVME"))


def put(s3: S3Client, dest: Destination, body: Body, crc: int, fingerprint: str) -> str:
    """A small object in one request; its etag. Raises `PreconditionFailed` (an object is there), `StagingStopped`."""
    with _sending():
        return s3.put_object(
            **dest.where,
            Body=_file(body),
            ChecksumCRC64NVME=encode(crc),
            Metadata={FINGERPRINT: fingerprint},
            IfNoneMatch="*",
        )["ETag"]


def find(s3: S3Client, dest: Destination) -> Stored | None:
    """The object that is there, if one is."""
    try:
        with mapped():
            row = s3.head_object(**dest.where, ChecksumMode="ENABLED")
    except NotFound:
        return None
    return Stored(
        row["ETag"], row["ContentLength"], row.get("ChecksumCRC64NVME"), row.get("Metadata", {}).get(FINGERPRINT)
    )


def abort(s3: S3Client, dest: Destination, upload_id: str) -> None:
    """Drop an upload and its parts. One that is gone already is no error."""
    try:
        with mapped():
            s3.abort_multipart_upload(**dest.where, UploadId=upload_id)
    except (NoSuchUpload, NotFound):
        return
