"""Throughput and memory of staging, beside the `crypt4gh` command followed by an upload.

    python bench/staging.py --endpoint http://127.0.0.1:8333 --bucket work [--sizes 256MiB,4GiB] [--peer 1GiB]

The source is a double in a process of its own, and each measured run is a process of its own, so that peak memory is
that run's alone. S3 credentials come from the environment as ever. Prints one JSON object a line.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

UNITS = {"MiB": 1024**2, "GiB": 1024**3}


def size_of(text: str) -> int:
    return int(text[:-3]) * UNITS[text[-3:]]


def serve(plain_size: int, reader: bytes, tell: Connection) -> None:
    from genoferry.testing.https_source import HttpsSource, Synthesised

    content = Synthesised(plain_size, reader)
    with HttpsSource({"file.c4gh": content}) as source:
        tell.send((source.host, content.size))
        tell.recv()


def client(endpoint: str) -> Any:
    import boto3
    from botocore.config import Config

    return boto3.client("s3", endpoint_url=endpoint, config=Config(max_pool_connections=32))


def staging(endpoint: str, bucket: str, host: str, secret: bytes, options: dict[str, int]) -> int:
    from genoferry.staging.http_client import Web
    from genoferry.staging.https import HttpsSource
    from genoferry.staging.private_key import PrivateKey
    from genoferry.staging.transfer import stage
    from genoferry.staging.upload import Destination

    source = HttpsSource(f"http://{host}", Web((host,)))
    dest = Destination(bucket, "bench-staged")
    return stage(source, "file.c4gh", dest, PrivateKey(secret), s3=client(endpoint), **options).size


def peer(endpoint: str, bucket: str, host: str, key_file: str, folder: str) -> int:
    """Download, decrypt by the crypt4gh command, upload by boto3's transfer manager (as `aws s3 cp` does)."""
    import urllib.request

    encrypted, plain = Path(folder, "file.c4gh"), Path(folder, "file")
    with urllib.request.urlopen(f"http://{host}/file.c4gh") as answer, encrypted.open("wb") as out:
        while piece := answer.read(1024**2):
            out.write(piece)
    command = [str(Path(sys.executable).with_name("crypt4gh")), "decrypt", "--sk", key_file]
    with encrypted.open("rb") as stdin, plain.open("wb") as stdout:
        subprocess.run(command, stdin=stdin, stdout=stdout, stderr=subprocess.DEVNULL, check=True)
    client(endpoint).upload_file(str(plain), bucket, "bench-peer")
    return plain.stat().st_size


def _measured(run: Callable[..., int], args: tuple[Any, ...], tell: Connection) -> None:
    start = time.perf_counter()
    size = run(*args)
    seconds = time.perf_counter() - start
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    tell.send(
        {
            "seconds": round(seconds, 2),
            "MB/s": round(size / seconds / 1e6, 1),
            "cpu_seconds": round(sum(u.ru_utime + u.ru_stime for u in usage), 2),
            "peak_rss_MiB": round(usage[0].ru_maxrss / 1024, 1),
        }
    )


def measure(run: Callable[..., int], *args: Any) -> dict[str, Any]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_measured, args=(run, args, theirs))
    process.start()
    theirs.close()
    try:
        result: dict[str, Any] = ours.recv()
    finally:
        process.join()
    return result


def one_size(arguments: argparse.Namespace, plain_size: int, with_peer: bool) -> None:
    from genoferry.testing.crypt4gh_writer import new_key

    secret, public = new_key()
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(plain_size, public, theirs))
    process.start()
    try:
        host, _ = ours.recv()
        s3 = client(arguments.endpoint)
        s3.delete_object(Bucket=arguments.bucket, Key="bench-staged")
        options = {"parts_in_flight": arguments.parts_in_flight, "part_size": size_of(arguments.part_size)}
        mine = measure(staging, arguments.endpoint, arguments.bucket, host, secret, options)
        print(json.dumps({"what": "genoferry stage", "plain_MiB": plain_size >> 20} | mine), flush=True)
        if with_peer:
            with tempfile.TemporaryDirectory() as folder:
                theirs_result = measure(
                    peer, arguments.endpoint, arguments.bucket, host, _key_file(secret, folder), folder
                )
            print(json.dumps({"what": "crypt4gh decrypt + upload", "plain_MiB": plain_size >> 20} | theirs_result))
            print(json.dumps({"what": "ratio", "throughput": round(mine["MB/s"] / theirs_result["MB/s"], 2)}))
        for key in ("bench-staged", "bench-peer"):
            s3.delete_object(Bucket=arguments.bucket, Key=key)
    finally:
        ours.send(None)
        process.join()


def _key_file(secret: bytes, folder: str) -> str:
    from base64 import b64encode

    fields = (b"none", b"none", secret)
    blob = b"c4gh-v1" + b"".join(len(f).to_bytes(2, "big") + f for f in fields)
    path = Path(folder, "key.sec")
    path.write_bytes(
        b"-----BEGIN CRYPT4GH PRIVATE KEY-----\n" + b64encode(blob) + b"\n-----END CRYPT4GH PRIVATE KEY-----\n"
    )
    return str(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--endpoint", default=os.environ.get("AWS_ENDPOINT_URL_S3"), required=False)
    parser.add_argument("--bucket", required=True)
    parser.add_argument("--sizes", default="256MiB,4GiB")
    parser.add_argument("--peer", default="256MiB", help="sizes that the peer is measured at, too; empty for none")
    parser.add_argument("--part-size", default="16MiB")
    parser.add_argument("--parts-in-flight", type=int, default=4)
    arguments = parser.parse_args()
    for text in arguments.sizes.split(","):
        one_size(arguments, size_of(text), text in arguments.peer.split(","))


if __name__ == "__main__":
    main()
