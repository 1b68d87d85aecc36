"""`genoferry stage`: one file, from each kind of source, and nothing left where it fails."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from genoferry.testing.crypt4gh_writer import encrypt, new_key
from genoferry.testing.https_source import Data, Fault, HttpsSource

MIB = 1024**2
NAME = "hg38_21.pgen.c4gh"


def key_of(seeded) -> str:
    return str(seeded.folder / "keys" / "demo.sec")


def staged(seeded, key: str) -> bytes:
    return bytes(seeded.client("s3").get_object(Bucket="development-work", Key=key)["Body"].read())


def objects(seeded, prefix: str) -> list[str]:
    s3 = seeded.client("s3")
    found = s3.list_objects_v2(Bucket="development-work", Prefix=prefix).get("Contents", ())
    unfinished = s3.list_multipart_uploads(Bucket="development-work").get("Uploads", ())
    return [row["Key"] for row in found] + [row["Key"] for row in unfinished if row["Key"].startswith(prefix)]


@pytest.mark.parametrize("kind", ["path", "s3", "url"])
def test_a_file_from_each_kind_of_source(run, seeded, kind: str) -> None:
    host = seeded.variables["GENOFERRY_ALLOW_HOSTS"]
    source = {
        "path": str(seeded.folder / "cohort" / NAME),
        "s3": f"s3://genoferry-demo/cohort/{NAME}",
        "url": f"http://{host}/cohort/{NAME}",
    }[kind]
    done = run("stage", source, f"s3://development-work/stage/{kind}", "--key", key_of(seeded), "--json")
    assert done.returncode == 0, done.stderr
    known = json.loads(done.stdout)
    body = staged(seeded, f"stage/{kind}")
    assert body.startswith(b"\x6c\x1b")  # a pgen's magic number
    assert known["size"] == len(body)
    assert known["source_size"] > known["size"]
    assert known["peak_rss_bytes"] > 0
    assert known["crc64nvme"]


@pytest.fixture
def big(tmp_path: Path):
    """A file of three parts of 5 MiB, its server, and its key's file."""
    secret, public = new_key()
    plain = os.urandom(12 * MIB)
    (tmp_path / "key").write_bytes(secret)
    with HttpsSource({"big.c4gh": Data(encrypt(plain, [public]))}) as source:
        yield plain, source, str(tmp_path / "key")


def stage_big(run, source, key: str, dest: str, *options: str) -> subprocess.CompletedProcess[str]:
    return run(
        "stage",
        f"{source.url}/big.c4gh",
        f"s3://development-work/{dest}",
        "--key",
        key,
        "--part-size",
        "5MiB",
        *options,
    )


def test_a_digest_that_fits(run, seeded, big) -> None:
    plain, source, key = big
    done = stage_big(run, source, key, "stage/digest", "--expect-sha256", hashlib.sha256(plain).hexdigest().upper())
    assert done.returncode == 0, done.stderr
    assert "as expected" in done.stdout
    assert staged(seeded, "stage/digest") == plain


def test_a_digest_that_does_not_fit_leaves_nothing(run, seeded, big) -> None:
    _, source, key = big
    done = stage_big(run, source, key, "stage/other", "--expect-sha256", "0" * 64)
    assert done.returncode == 1
    assert "[digest-mismatch]" in done.stderr
    assert objects(seeded, "stage/other") == []


def test_a_failure_aborts_the_upload(run, seeded, big) -> None:
    _, source, key = big
    source.fail(Fault(status=403), after=1, times=100)
    done = stage_big(run, source, key, "stage/denied", "--parts-in-flight", "1")
    assert "[source-denied]" in done.stderr
    assert objects(seeded, "stage/denied") == []


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--expect-size", "7"), "size-mismatch"),
        (("--key", "/dev/null"), "key-missing"),
        (("--key", __file__), "key-malformed"),
    ],
)
def test_errors_are_named(run, big, options: tuple[str, ...], code: str) -> None:
    _, source, key = big
    done = stage_big(run, source, key, "stage/never", *options)
    assert done.returncode == 1
    assert f"[{code}]" in done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_ends_it_and_leaves_nothing(seeded, big) -> None:
    _, source, key = big
    hang = threading.Event()
    source.fail(Fault(hang=hang), after=3, times=100)
    dest = "s3://development-work/stage/interrupted"
    command = [sys.executable, "-m", "genoferry", "stage", f"{source.url}/big.c4gh", dest, "--key", key]
    process = subprocess.Popen(
        [*command, "--part-size", "5MiB"], env=seeded.environment, stderr=subprocess.PIPE, text=True
    )
    try:
        while len(source.gets) < 4 and process.poll() is None:
            threading.Event().wait(0.02)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    finally:
        hang.set()
        process.kill()
    assert process.returncode == 130
    assert "Traceback" not in said
    assert objects(seeded, "stage/interrupted") == []
