"""Whole stagings: from a source double, or a folder, into a real S3 server."""
# ruff: noqa: PLR0917  # fixtures are arguments

from __future__ import annotations

import io
import os
import threading
import time
import traceback
from base64 import b64encode
from pathlib import Path
from typing import Any

import crypt4gh.lib
import pytest

from genoferry.errors import (
    Crypt4GHError,
    DestinationConflict,
    NotFound,
    SegmentCorrupt,
    SizeMismatch,
    SourceChanged,
    SourceMissing,
    SourceUnavailable,
    StagingStopped,
    UploadLost,
    WrongKey,
)
from genoferry.staging import transfer, upload
from genoferry.staging.crc64 import crc64, encode
from genoferry.staging.file import FileSource
from genoferry.staging.private_key import PrivateKey
from genoferry.staging.s3 import S3Source
from genoferry.staging.upload import Destination
from genoferry.testing.crypt4gh_writer import (
    SEGMENT,
    data_key_packet,
    encrypt,
    header,
    new_key,
    seal_packet,
    seal_segment,
)
from genoferry.testing.https_source import Data, Fault

MIB = 1024**2
PART = 5 * MIB


@pytest.fixture
def run(s3: Any, dest: Destination, key: PrivateKey, told: Any, retry: Any) -> Any:
    """Stages with small parts and says what its callbacks were told."""

    def go(source: Any, path: str = "file.c4gh", **options: Any) -> transfer.StagedFile:
        defaults = {
            "s3": s3,
            "part_size": PART,
            "retry": retry,
            "on_upload": told.uploads.append,
            "on_progress": lambda done, total: told.progress.append((done, total)),
        }
        return transfer.stage(source, path, dest, key, **(defaults | options))

    return go


SIZES = [0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 3 * SEGMENT, PART, PART + 1, 3 * PART - 7]


@pytest.mark.parametrize("size", SIZES)
def test_what_the_crypt4gh_package_encrypted(
    size: int, run: Any, serve: Any, https: Any, pair: Any, dest: Any, stored: Any, told: Any
) -> None:
    plain, sealed = os.urandom(size), io.BytesIO()
    crypt4gh.lib.encrypt([(0, new_key()[0], pair[1])], io.BytesIO(plain), sealed)
    staged = run(https(serve({"file.c4gh": sealed.getvalue()})), expect_size=len(sealed.getvalue()))
    assert stored(dest) == plain
    assert (staged.size, staged.source_size) == (size, len(sealed.getvalue()))
    assert staged.crc64nvme == encode(crc64(plain))
    assert told.progress[-1] == (size, size)
    assert [done for done, _ in told.progress] == sorted(done for done, _ in told.progress)
    assert len(told.uploads) == (size > PART)


def test_a_small_file_is_one_read_and_one_put(run: Any, serve: Any, https: Any, pair: Any) -> None:
    double = serve({"file.c4gh": encrypt(b"small", [pair[1]])})
    run(https(double))
    assert double.gets == ["bytes=0-65535"]


def test_the_first_bytes_are_not_read_twice(run: Any, serve: Any, https: Any, pair: Any) -> None:
    sealed = encrypt(bytes(2 * PART), [pair[1]])
    double = serve({"file.c4gh": sealed})
    run(https(double))
    asked = sorted(tuple(map(int, text.removeprefix("bytes=").split("-"))) for text in double.gets)
    assert asked[0] == (0, 65535)
    assert [a[1] + 1 for a in asked[:-1]] == [b[0] for b in asked[1:]]
    assert asked[-1][1] == len(sealed) - 1


@pytest.mark.parametrize(
    "edits",
    [
        (0, 10),
        (5,),
        (SEGMENT - 1, 2, 40 * SEGMENT, 7 * MIB, 3),
        (0, 7853, 71721, 307929, 51299, 38),
        (1, 2, 3, 4, 5, 6, 7),
        (2**64 - 1, 5),
        (0, 0, 0, 0),
        (9, 2**64 - 1),
    ],
)
def test_edit_lists(edits: Any, run: Any, serve: Any, https: Any, pair: Any, dest: Any, stored: Any) -> None:
    plain = os.urandom(2 * PART + 12_345)
    expected, position = b"", 0
    for index, count in enumerate(edits):
        expected += plain[position : position + count] if index % 2 else b""
        position += count
    expected += plain[position:] if len(edits) % 2 else b""
    run(https(serve({"file.c4gh": encrypt(plain, [pair[1]], edits=edits)})))
    assert stored(dest) == expected


def test_an_edit_list_saves_reading_what_it_skips(run: Any, serve: Any, https: Any, pair: Any) -> None:
    double = serve({"file.c4gh": encrypt(bytes(3 * PART), [pair[1]], edits=[0, 10, 2 * PART, 10])})
    run(https(double))
    read = sum(int(b) - int(a) + 1 for a, b in (t.removeprefix("bytes=").split("-") for t in double.gets))
    assert read < 5 * SEGMENT


def test_several_data_keys_and_readers(run: Any, serve: Any, https: Any, pair: Any, dest: Any, stored: Any) -> None:
    plain = os.urandom(PART + 99)
    sealed = encrypt(plain, [new_key()[1], pair[1], new_key()[1]], data_keys=3)
    run(https(serve({"file.c4gh": sealed})))
    assert stored(dest) == plain


def test_a_header_longer_than_the_first_read(
    run: Any, serve: Any, https: Any, pair: Any, dest: Any, stored: Any
) -> None:
    sealed = encrypt(b"plain", [*(new_key()[1] for _ in range(700)), pair[1]])
    assert len(sealed) > 65536 + 1000
    run(https(serve({"file.c4gh": sealed})))
    assert stored(dest) == b"plain"


@pytest.mark.parametrize("size", [0, 5, 2 * SEGMENT, PART, PART + 77])
def test_numbered_segments(size: int, run: Any, serve: Any, https: Any, pair: Any, dest: Any, stored: Any) -> None:
    plain = os.urandom(size)
    run(https(serve({"file.c4gh": encrypt(plain, [pair[1]], sequence=2**64 - 2)})))
    assert stored(dest) == plain


def test_numbered_segments_show_what_was_done_to_them(run: Any, serve: Any, https: Any, pair: Any) -> None:
    sealed = encrypt(bytes(4 * SEGMENT), [pair[1]], sequence=7)
    start, row = sealed[: -4 * (SEGMENT + 28) - 28], sealed[-4 * (SEGMENT + 28) - 28 : -28]
    cut = [row[i * (SEGMENT + 28) : (i + 1) * (SEGMENT + 28)] for i in range(4)]
    with pytest.raises(Crypt4GHError, match="lacks its last segment"):
        run(https(serve({"file.c4gh": start + row})))
    for moved in ([cut[1], cut[0], cut[2], cut[3]], [cut[0], cut[2], cut[3]], [cut[0], cut[0], *cut[1:]]):
        with pytest.raises(SegmentCorrupt):
            run(https(serve({"file.c4gh": start + b"".join(moved) + sealed[-28:]})))


def test_wrong_key(run: Any, serve: Any, https: Any, dest: Any, s3: Any) -> None:
    with pytest.raises(WrongKey):
        run(https(serve({"file.c4gh": encrypt(b"plain", [new_key()[1]])})))
    assert upload.find(s3, dest) is None


def test_not_encrypted(run: Any, serve: Any, https: Any) -> None:
    for content in (b"", b"crypt4g", b"#CHROM\tPOS\n" * 9):
        with pytest.raises(Crypt4GHError):
            run(https(serve({"file.c4gh": content})))


@pytest.mark.parametrize("place", [-1, -40_000, 200_000, 6 * MIB])
def test_a_flipped_bit(place: int, run: Any, serve: Any, https: Any, pair: Any, dest: Any, s3: Any) -> None:
    sealed = bytearray(encrypt(os.urandom(2 * PART), [pair[1]]))
    sealed[place] ^= 1
    with pytest.raises(SegmentCorrupt):
        run(https(serve({"file.c4gh": bytes(sealed)})))
    assert upload.find(s3, dest) is None


@pytest.mark.parametrize("lost", [1, 5, 15, 28, 30, 70_000])
def test_truncation(lost: int, run: Any, serve: Any, https: Any, pair: Any) -> None:
    sealed = encrypt(os.urandom(3 * SEGMENT), [pair[1]])
    with pytest.raises(Crypt4GHError):
        run(https(serve({"file.c4gh": sealed[:-lost]})))
    with pytest.raises(SizeMismatch):
        run(https(serve({"file.c4gh": sealed[:-lost]})), expect_size=len(sealed))


def test_truncation_at_a_segments_end_shows_by_size_alone(run: Any, serve: Any, https: Any, pair: Any) -> None:
    sealed = encrypt(bytes(3 * SEGMENT), [pair[1]])
    with pytest.raises(SizeMismatch):
        run(https(serve({"file.c4gh": sealed[: -SEGMENT - 28]})), expect_size=len(sealed))


def test_going_on_after_a_stop_reads_only_what_is_missing(
    run: Any, serve: Any, https: Any, pair: Any, dest: Any, stored: Any, told: Any, s3: Any
) -> None:
    plain = os.urandom(6 * PART + 5)
    double = serve({"file.c4gh": encrypt(plain, [pair[1]])})
    stop = threading.Event()

    def progress(done: int, total: int) -> None:
        if done >= 2 * PART:
            stop.set()

    with pytest.raises(StagingStopped):
        run(https(double), stop=stop, on_progress=progress, parts_in_flight=1)
    (begun,) = told.uploads
    there = upload.list_parts(s3, dest, begun.upload_id)
    assert 2 <= len(there) < 7
    double.requests.clear()
    staged = run(https(double), upload_id=begun.upload_id, etag=begun.source_etag)
    assert stored(dest) == plain
    assert len(set(double.gets)) == 1 + 7 - len(there), "a part that was asked for at the stop may come late, twice"
    assert told.progress[0] == (len(there) * PART, len(plain))
    assert staged.crc64nvme == encode(crc64(plain))
    assert len(told.uploads) == 1


def test_parts_of_another_size_are_sent_again(
    run: Any, serve: Any, https: Any, pair: Any, dest: Any, stored: Any, told: Any, s3: Any
) -> None:
    plain = os.urandom(3 * PART)
    source = https(serve({"file.c4gh": encrypt(plain, [pair[1]])}))
    stop = threading.Event()
    with pytest.raises(StagingStopped):
        run(source, stop=stop, on_progress=lambda done, _: stop.set() if done else None, parts_in_flight=1)
    (begun,) = told.uploads
    run(source, upload_id=begun.upload_id, etag=begun.source_etag, part_size=6 * MIB)
    assert stored(dest) == plain


def test_a_stop_ends_a_read_that_waits(run: Any, serve: Any, https: Any, pair: Any, retry: Any) -> None:
    double = serve({"file.c4gh": encrypt(bytes(3 * PART), [pair[1]])})
    hang, stop = threading.Event(), threading.Event()
    double.fail(Fault(hang=hang), after=1, times=9)
    try:
        threading.Timer(0.3, stop.set).start()
        start = time.monotonic()
        with pytest.raises(StagingStopped):
            run(https(double), stop=stop)
        assert time.monotonic() - start < 1.5  # the read itself would time out after 2 s, three times
    finally:
        hang.set()


def test_the_upload_is_known_before_its_first_part(
    run: Any, serve: Any, https: Any, pair: Any, s3: Any, dest: Any, uploads: Any
) -> None:
    class Crash(Exception):
        pass

    def on_upload(begun: transfer.UploadBegun) -> None:
        assert upload.list_parts(s3, dest, begun.upload_id) == {}
        raise Crash

    double = serve({"file.c4gh": encrypt(bytes(2 * PART), [pair[1]])})
    with pytest.raises(Crash):
        run(https(double), on_upload=on_upload)
    assert len(double.gets) == 1
    assert uploads(dest) == 1


def test_done_twice_is_done_once(run: Any, serve: Any, https: Any, pair: Any, dest: Any, told: Any) -> None:
    """A crash between the completion and its record: the upload is gone, the object is there."""
    double = serve({"file.c4gh": encrypt(os.urandom(2 * PART), [pair[1]])})
    first = run(https(double))
    (begun,) = told.uploads
    double.requests.clear()
    again = run(https(double), upload_id=begun.upload_id, etag=begun.source_etag)
    assert again == first
    assert double.gets == ["bytes=0-65535"]
    assert run(https(double)) == first  # without its record: sent again, found at the end


def test_a_small_file_done_twice(run: Any, serve: Any, https: Any, pair: Any) -> None:
    source = https(serve({"file.c4gh": encrypt(b"small", [pair[1]])}))
    assert run(source) == run(source)


@pytest.mark.parametrize("size", [5, 2 * PART])
def test_another_object_is_never_overwritten(
    size: int, run: Any, serve: Any, https: Any, pair: Any, dest: Any, stored: Any, s3: Any
) -> None:
    s3.put_object(Bucket=dest.bucket, Key=dest.key, Body=bytes(size))
    with pytest.raises(DestinationConflict):
        run(https(serve({"file.c4gh": encrypt(bytes(size), [pair[1]])})))
    assert stored(dest) == bytes(size)


def test_an_expired_upload_is_begun_anew(
    run: Any, serve: Any, https: Any, pair: Any, dest: Any, stored: Any, told: Any, s3: Any
) -> None:
    plain = os.urandom(2 * PART)
    gone = upload.begin(s3, dest, "0")
    transfer.abort(s3, dest, gone)
    transfer.abort(s3, dest, gone)
    run(https(serve({"file.c4gh": encrypt(plain, [pair[1]])})), upload_id=gone)
    assert stored(dest) == plain
    assert told.uploads[0].upload_id != gone


def test_an_upload_that_another_ended(run: Any, serve: Any, https: Any, pair: Any, dest: Any, s3: Any) -> None:
    double = serve({"file.c4gh": encrypt(bytes(2 * PART), [pair[1]])})
    with pytest.raises(UploadLost):
        run(https(double), on_upload=lambda begun: transfer.abort(s3, dest, begun.upload_id))


def test_two_at_once_make_one_object(run: Any, serve: Any, https: Any, pair: Any, dest: Any, stored: Any) -> None:
    plain = os.urandom(2 * PART)
    source = https(serve({"file.c4gh": encrypt(plain, [pair[1]])}))
    results: list[transfer.StagedFile] = []
    threads = [threading.Thread(target=lambda: results.append(run(source))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results[0] == results[1]
    assert stored(dest) == plain


def test_a_source_that_changes_in_the_middle(
    run: Any, serve: Any, https: Any, pair: Any, dest: Any, stored: Any, uploads: Any
) -> None:
    old, new = os.urandom(4 * PART), os.urandom(4 * PART)
    double = serve({"file.c4gh": encrypt(old, [pair[1]])})
    double.fail(Fault(change=Data(encrypt(new, [pair[1]]))), after=3)
    with pytest.raises(SourceChanged):
        run(https(double))
    assert uploads(dest) == 0
    run(https(double))
    assert stored(dest) == new


def test_a_source_that_changed_since_the_upload_was_begun(
    run: Any, serve: Any, https: Any, pair: Any, dest: Any, uploads: Any, s3: Any
) -> None:
    begun = upload.begin(s3, dest, "0")
    with pytest.raises(SourceChanged):
        run(https(serve({"file.c4gh": encrypt(bytes(9), [pair[1]])})), upload_id=begun, etag='"another"')
    assert uploads(dest) == 0


def test_trouble_that_passes(run: Any, serve: Any, https: Any, pair: Any, dest: Any, stored: Any) -> None:
    plain = os.urandom(3 * PART)
    double = serve({"file.c4gh": encrypt(plain, [pair[1]])})
    for after, fault in enumerate((Fault(status=503), Fault(short=300_000), Fault(drop=True), Fault(short=0))):
        double.fail(fault, after=after)
    run(https(double), parts_in_flight=2)
    assert stored(dest) == plain


def test_a_broken_read_goes_on_where_it_broke(run: Any, serve: Any, https: Any, pair: Any) -> None:
    sealed = encrypt(bytes(PART), [pair[1]])
    double = serve({"file.c4gh": sealed})
    double.fail(Fault(short=1_000_000), after=1)
    run(https(double))
    assert double.gets[1:] == [f"bytes=65536-{len(sealed) - 1}", f"bytes=1065536-{len(sealed) - 1}"]


def test_trouble_that_stays(run: Any, serve: Any, https: Any, pair: Any) -> None:
    double = serve({"file.c4gh": encrypt(bytes(2 * PART), [pair[1]])})
    double.fail(Fault(status=500), after=1, times=99)
    with pytest.raises(SourceUnavailable):
        run(https(double), parts_in_flight=1)
    assert len(double.gets) == 1 + 3


def test_no_bucket(serve: Any, https: Any, pair: Any, key: Any, s3: Any) -> None:
    source = https(serve({"file.c4gh": encrypt(b"plain", [pair[1]])}))
    with pytest.raises(NotFound):
        transfer.stage(source, "file.c4gh", Destination("no-such-bucket", "key"), key, s3=s3)


def test_from_a_folder(run: Any, folder: Path, pair: Any, dest: Any, stored: Any) -> None:
    plain = os.urandom(2 * PART + 1)
    (folder / "file.c4gh").write_bytes(encrypt(plain, [pair[1]]))
    run(FileSource(str(folder), [str(folder)]))
    assert stored(dest) == plain


def test_from_a_bucket(run: Any, pair: Any, dest: Any, stored: Any, s3: Any) -> None:
    plain = os.urandom(2 * PART + 1)
    s3.put_object(Bucket=dest.bucket, Key="cohort/file.c4gh", Body=encrypt(plain, [pair[1]]))
    run(S3Source(s3, dest.bucket, "cohort", [dest.bucket]))
    assert stored(dest) == plain


def test_a_missing_file(run: Any, serve: Any, https: Any) -> None:
    with pytest.raises(SourceMissing):
        run(https(serve({})))


def test_nothing_secret_is_logged_or_raised(
    run: Any, serve: Any, https: Any, pair: Any, caplog: pytest.LogCaptureFixture
) -> None:
    data_key, canary = b"data-key-canary-0123456789abcdef", b"genotype canary " * 4096
    start = header([seal_packet(data_key_packet(data_key), pair[1])])
    good = start + b"".join(seal_segment(canary, data_key) for _ in range(100))
    shown = []
    with caplog.at_level("DEBUG"):
        run(https(serve({"file.c4gh": good})))
        for bad in (good[:-1], good[:-70000] + b"x" + good[-69999:]):
            with pytest.raises(Crypt4GHError) as caught:
                run(https(serve({"file.c4gh": bad})))
            shown += [repr(caught.value), *traceback.format_exception(caught.value)]
    text = caplog.text + "".join(shown)
    for secret in (pair[0], data_key, canary[:16]):
        for form in (secret.decode("latin-1"), secret.hex(), repr(secret)[2:-1], b64encode(secret).decode()):
            assert form not in text
