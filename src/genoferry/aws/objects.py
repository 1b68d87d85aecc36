"""Small objects of one bucket: the worker's reads and writes of documents."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Protocol

from tenacity import AsyncRetrying

from genoferry.aws.errors import AGAIN, mapped
from genoferry.errors import GenoferryError, NoSuchUpload, NotFound, PreconditionFailed

if TYPE_CHECKING:
    from types_aiobotocore_s3.client import S3Client


class Objects(Protocol):
    """Documents in a bucket. All raise `ServiceError`s."""

    @property
    def bucket(self) -> str: ...

    async def get(self, key: str) -> bytes | None: ...

    async def put(self, key: str, body: bytes) -> None: ...

    async def put_new(self, key: str, body: bytes) -> bool:
        """Put only if absent (If-None-Match); False where something is there. A 409, which says neither, is tried
        again."""
        ...

    async def size(self, key: str) -> int | None: ...

    async def delete(self, keys: list[str]) -> None: ...

    def keys(self, prefix: str) -> AsyncIterator[str]: ...

    async def abort_uploads(self, prefix: str) -> None:
        """End every unfinished upload below a prefix of one attempt, recorded anywhere or not."""
        ...


async def delete_below(objects: Objects, prefix: str, *, keep: tuple[str, ...] = ()) -> None:
    """Delete every object below a prefix of one attempt, but those whose keys begin with one of `keep`. An empty or
    shallow prefix is refused."""
    _check_deep(prefix)
    batch = [key async for key in objects.keys(prefix) if not key.startswith(keep)]
    if batch:
        await objects.delete(batch)


def _check_deep(prefix: str) -> None:
    if prefix.count("/") < 2 or not prefix.endswith("/"):
        raise GenoferryError("A clean-up was asked for a prefix that isn't an attempt's.")


class S3Objects:
    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self.bucket = bucket

    async def get(self, key: str) -> bytes | None:
        try:
            with mapped():
                answer = await self._client.get_object(Bucket=self.bucket, Key=key)
                return await answer["Body"].read()
        except NotFound as error:
            _missing_object(error)
            return None

    async def put(self, key: str, body: bytes) -> None:
        with mapped():
            await self._client.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType=_type(key))

    async def put_new(self, key: str, body: bytes) -> bool:
        async for attempt in AsyncRetrying(**AGAIN):
            with attempt:
                try:
                    with mapped():
                        await self._client.put_object(
                            Bucket=self.bucket, Key=key, Body=body, ContentType=_type(key), IfNoneMatch="*"
                        )
                except PreconditionFailed:
                    return False
        return True

    async def size(self, key: str) -> int | None:
        try:
            with mapped():
                return (await self._client.head_object(Bucket=self.bucket, Key=key))["ContentLength"]
        except NotFound:
            return None

    async def delete(self, keys: list[str]) -> None:
        for start in range(0, len(keys), 1000):
            batch: Any = [{"Key": key} for key in keys[start : start + 1000]]
            with mapped():
                answer = await self._client.delete_objects(Bucket=self.bucket, Delete={"Objects": batch, "Quiet": True})
            if answer.get("Errors"):
                raise GenoferryError(f"{len(answer['Errors'])} objects could not be deleted.")

    async def keys(self, prefix: str) -> AsyncIterator[str]:
        with mapped():
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
            async for page in pages:
                for item in page.get("Contents", ()):
                    yield item["Key"]

    async def abort_uploads(self, prefix: str) -> None:
        _check_deep(prefix)
        with mapped():
            pages = self._client.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket, Prefix=prefix)
            found = [upload async for page in pages for upload in page.get("Uploads", ())]
        for upload in found:
            await self._abort(upload["Key"], upload["UploadId"])

    async def _abort(self, key: str, upload_id: str) -> None:
        try:
            with mapped():
                await self._client.abort_multipart_upload(Bucket=self.bucket, Key=key, UploadId=upload_id)
        except (NoSuchUpload, NotFound):
            return  # another was first


def _missing_object(error: NotFound) -> None:
    """A missing object is an answer; a missing bucket is trouble."""
    if "NoSuchBucket" in str(error):
        raise error


def _type(key: str) -> str:
    return "application/json" if key.endswith(".json") else "application/octet-stream"


class MemoryObjects:
    """The same in memory, for tests."""

    def __init__(self, bucket: str = "memory") -> None:
        self.bucket = bucket
        self.content: dict[str, bytes] = {}
        self.aborted: list[str] = []

    async def get(self, key: str) -> bytes | None:
        return self.content.get(key)

    async def put(self, key: str, body: bytes) -> None:
        self.content[key] = body

    async def put_new(self, key: str, body: bytes) -> bool:
        if key in self.content:
            return False
        self.content[key] = body
        return True

    async def size(self, key: str) -> int | None:
        return len(self.content[key]) if key in self.content else None

    async def delete(self, keys: list[str]) -> None:
        for key in keys:
            self.content.pop(key, None)

    async def keys(self, prefix: str) -> AsyncIterator[str]:
        for key in sorted(self.content):
            if key.startswith(prefix):
                yield key

    async def abort_uploads(self, prefix: str) -> None:
        _check_deep(prefix)
        self.aborted.append(prefix)
