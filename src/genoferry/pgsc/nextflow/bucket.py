"""What the Nextflow engine reads from buckets: a pipeline that is kept in one, and files of tasks that ran far away."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from genoferry.aws.clients import sync_client
from genoferry.aws.errors import mapped
from genoferry.errors import AccessDenied, NotFound, PipelineMissing
from genoferry.pgsc.nextflow.log_tail import WINDOW, from_folder, whole_lines


def split(uri: str) -> tuple[str, str]:
    """Bucket and key of `s3://BUCKET/KEY`."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def fetch_pipeline(uri: str, folder: Path) -> None:
    """The objects below `s3://BUCKET/PREFIX` into a folder, whole or not at all; nothing where it is there already.

    Raises `PipelineMissing` where there is none, `ServiceError`s.
    """
    if folder.exists():
        return
    client: Any = sync_client("s3")
    bucket, prefix = split(uri.rstrip("/") + "/")
    scratch = folder.with_name(f".{folder.name}")
    shutil.rmtree(scratch, ignore_errors=True)  # half of it, of an attempt that was killed
    with mapped():
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for item in page.get("Contents", ()):
                _download(client, bucket, item["Key"], scratch, item["Key"].removeprefix(prefix))
    if not (scratch / "main.nf").exists():
        raise PipelineMissing("There is no pipeline at GENOFERRY_NEXTFLOW_PIPELINE: its bucket has no main.nf there.")
    scratch.rename(folder)


def _download(client: Any, bucket: str, key: str, folder: Path, name: str) -> None:
    target = (folder / name).resolve()
    if name.endswith("/") or not target.is_relative_to(folder.resolve()):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    client.download_file(bucket, key, str(target))
    if "bin" in Path(name).parts:
        target.chmod(0o755)  # a bucket knows no modes; Nextflow puts a pipeline's bin/ on the PATH


def read_tail(workdir: str, name: str) -> bytes | None:
    """A `tails.Read` for work dirs in a bucket; those on a disk are read there."""
    if not workdir.startswith("s3://"):
        return from_folder(workdir, name)
    bucket, key = split(f"{workdir}/{name}")
    client: Any = sync_client("s3")
    try:
        with mapped():
            size: int = client.head_object(Bucket=bucket, Key=key)["ContentLength"]
            if size == 0:
                return b""  # of which S3 has no range
            start = max(0, size - WINDOW)
            body: bytes = client.get_object(Bucket=bucket, Key=key, Range=f"bytes={start}-")["Body"].read(WINDOW)
    except (NotFound, AccessDenied):  # the latter where an absent key may not be told of
        return None
    return whole_lines(body, start)
