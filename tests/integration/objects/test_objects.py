"""What a bucket of documents must do, by every provider: in memory, and S3 on the embedded AWS."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from genoferry.aws.clients import open_clients
from genoferry.aws.objects import MemoryObjects, Objects, S3Objects, delete_below
from genoferry.errors import GenoferryError, NotFound


@pytest.fixture(params=["memory", "s3"])
async def objects(request: pytest.FixtureRequest) -> AsyncIterator[Objects]:
    if request.param == "memory":
        yield MemoryObjects()
        return
    variables = request.getfixturevalue("aws_environment")
    async with AsyncExitStack() as stack:
        yield S3Objects((await open_clients(stack)).s3, variables["GENOFERRY_WORK_BUCKET"])


@pytest.fixture
def top() -> str:
    """A first part of keys that is this test's own."""
    return str(uuid.uuid4())


async def keys(objects: Objects, prefix: str) -> list[str]:
    return [key async for key in objects.keys(prefix)]


async def test_what_is_put_is_got(objects, top):
    assert await objects.get(f"{top}/1/x.json") is None
    assert await objects.size(f"{top}/1/x.json") is None
    await objects.put(f"{top}/1/x.json", b'{"\xc3\xbc": 1}')
    assert await objects.get(f"{top}/1/x.json") == b'{"\xc3\xbc": 1}'
    assert await objects.size(f"{top}/1/x.json") == 9
    await objects.put(f"{top}/1/x.json", b"")
    assert await objects.get(f"{top}/1/x.json") == b""
    assert await objects.size(f"{top}/1/x.json") == 0


async def test_put_new_only_if_absent(objects, top):
    key = f"{top}/1/started"
    assert await objects.put_new(key, b"same") is True
    assert await objects.put_new(key, b"same") is False
    assert await objects.put_new(key, b"other") is False
    assert await objects.get(key) == b"same"
    await objects.delete([key])
    assert await objects.put_new(key, b"other") is True


async def test_of_many_new_puts_at_once_one_wins(objects, top):
    won = await asyncio.gather(*(objects.put_new(f"{top}/1/job.json", b"%d" % n) for n in range(10)))
    assert sum(won) == 1
    assert await objects.get(f"{top}/1/job.json") == b"%d" % won.index(True)


async def test_delete_and_delete_again(objects, top):
    await objects.put(f"{top}/1/a", b"1")
    await objects.delete([f"{top}/1/a", f"{top}/1/never"])
    await objects.delete([f"{top}/1/a"])
    await objects.delete([])
    assert await keys(objects, f"{top}/") == []


async def test_keys_below_a_prefix(objects, top):
    for name in ("1/a", "1/b/c", "10/a", "2/a"):
        await objects.put(f"{top}/{name}", b"")
    assert await keys(objects, f"{top}/1/") == [f"{top}/1/a", f"{top}/1/b/c"]
    assert len(await keys(objects, f"{top}/")) == 4
    assert await keys(objects, f"{top}/3/") == []


async def test_clean_up_of_one_attempt_leaves_the_others_and_what_is_kept(objects, top):
    for name in ("1/job.json", "1/inputs/0000", "1/exit.json", "10/job.json", "2/job.json"):
        await objects.put(f"{top}/{name}", b"x")
    await delete_below(objects, f"{top}/1/", keep=(f"{top}/1/job.json",))
    await delete_below(objects, f"{top}/1/", keep=(f"{top}/1/job.json",))
    assert await keys(objects, f"{top}/") == [f"{top}/1/job.json", f"{top}/10/job.json", f"{top}/2/job.json"]


@pytest.mark.parametrize("prefix", ["", "/", "uuid", "uuid/", "uuid/1", "a/b"])
async def test_a_prefix_that_is_not_an_attempts_is_refused(objects, prefix):
    with pytest.raises(GenoferryError):
        await delete_below(objects, prefix)
    with pytest.raises(GenoferryError):
        await objects.abort_uploads(prefix)


async def test_unfinished_uploads_below_a_prefix_are_ended_and_no_others(aws_environment, top):
    async with AsyncExitStack() as stack:
        client, bucket = (await open_clients(stack)).s3, aws_environment["GENOFERRY_WORK_BUCKET"]
        objects = S3Objects(client, bucket)
        for key in (f"{top}/1/inputs/0000", f"{top}/1/inputs/0001", f"{top}/2/inputs/0000"):
            await client.create_multipart_upload(Bucket=bucket, Key=key)
        await objects.abort_uploads(f"{top}/1/inputs/")
        await objects.abort_uploads(f"{top}/1/inputs/")
        answer = await client.list_multipart_uploads(Bucket=bucket, Prefix=f"{top}/")
        assert [u["Key"] for u in answer.get("Uploads", ())] == [f"{top}/2/inputs/0000"]
        await objects.abort_uploads(f"{top}/2/")


async def test_many_keys_are_listed_and_deleted_in_pages(aws_environment, top):
    async with AsyncExitStack() as stack:
        objects = S3Objects((await open_clients(stack)).s3, aws_environment["GENOFERRY_WORK_BUCKET"])
        slots = asyncio.Semaphore(20)

        async def put(number: int) -> None:
            async with slots:
                await objects.put(f"{top}/1/{number:04d}", b"")

        await asyncio.gather(*(put(number) for number in range(1010)))
        assert len(await keys(objects, f"{top}/1/")) == 1010
        await delete_below(objects, f"{top}/1/")
        assert await keys(objects, f"{top}/1/") == []


async def test_a_bucket_that_is_not_there_is_trouble_and_no_answer(aws_environment):
    async with AsyncExitStack() as stack:
        objects = S3Objects((await open_clients(stack)).s3, "no-such-bucket")
        with pytest.raises(NotFound):
            await objects.get("x")
        with pytest.raises(NotFound):
            await objects.put("x", b"")
