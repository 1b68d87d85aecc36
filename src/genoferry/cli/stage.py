"""`genoferry stage`: one file through staging alone."""

from __future__ import annotations

import re
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genoferry.cli import output

if TYPE_CHECKING:
    from genoferry.cli.stage_file import Done

EPILOG = """[bold]Examples[/bold]

  genoferry stage https://data.example.org/hg_22.pgen.c4gh s3://work/hg_22.pgen --key me.sec

  genoferry stage s3://inbox/hg_22.pgen.c4gh s3://work/hg_22.pgen --key me.sec --passphrase-file word.txt --json
"""
UNITS = {"": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
SMALLEST_PART = 5 * 1024**2


def bytes_of(text: str) -> int:
    """`16MiB`, `1GiB`, or plain bytes."""
    found = re.fullmatch(r"(\d+)\s*(|KiB|MiB|GiB)", text.strip())
    if found is None:
        raise typer.BadParameter("a size looks like 16MiB, or 16777216.")
    return int(found[1]) * UNITS[found[2]]


def part_bytes(text: str) -> int:
    size = bytes_of(text)
    if size < SMALLEST_PART:
        raise typer.BadParameter("S3 takes no parts under 5MiB.")
    return size


def hex_digest(text: str | None) -> str | None:
    if text is not None and not re.fullmatch(r"[0-9A-Fa-f]{64}", text):
        raise typer.BadParameter("a sha256 has 64 hexadecimal digits.")
    return text and text.lower()


def stage(  # noqa: PLR0917  # typer calls it by name
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="A Crypt4GH file: URL, s3://BUCKET/KEY or path.")],
    dest: Annotated[str, typer.Argument(metavar="DEST", help="s3://BUCKET/KEY; must not be there yet.")],
    key: Annotated[Path, typer.Option(metavar="FILE", help="Private key: Crypt4GH, OpenSSH ed25519 or 32 bytes.")],
    passphrase_file: Annotated[Path | None, typer.Option(metavar="FILE", help="Its passphrase, if it has one.")] = None,
    expect_size: Annotated[int | None, typer.Option(metavar="N", min=0, help="Bytes of SOURCE as stored.")] = None,
    expect_sha256: Annotated[
        str | None, typer.Option(metavar="H", callback=hex_digest, help="Of the plaintext: read back once staged.")
    ] = None,
    parts_in_flight: Annotated[int, typer.Option(metavar="N", min=1, max=64, help="Parts in memory at once.")] = 4,
    part_size: Annotated[
        str, typer.Option(metavar="SIZE", help="Of one part of the upload, at least, e.g. 16MiB.")
    ] = "16MiB",
    as_json: Annotated[bool, typer.Option("--json", help="Print size, etag, crc64nvme, seconds and peak RSS.")] = False,
) -> None:
    """Decrypt one Crypt4GH file into a bucket, streamed: nothing is written to disk.

    What you name is allowed; the worker's allow-lists don't count here. The parts come in parallel, which no digest
    can follow, so with --expect-sha256 the object is read back and hashed once it is staged, and deleted where the
    digest is another. Ctrl-C, or an error, aborts the upload: nothing is left in the bucket, and it begins anew.
    """
    from genoferry.cli.stage_file import stage_one

    size, stop, interrupted = part_bytes(part_size), threading.Event(), threading.Event()
    with _Bar() as bar, _Interruptible(stop, interrupted):
        try:
            done = stage_one(
                source,
                dest,
                key=key,
                passphrase_file=passphrase_file,
                expect_size=expect_size,
                expect_sha256=expect_sha256,
                parts_in_flight=parts_in_flight,
                part_size=size,
                on_progress=bar.show,
                stop=stop,
            )
        except Exception:
            if interrupted.is_set():
                raise KeyboardInterrupt from None
            raise
    _show(done, as_json)


def _show(done: Done, as_json: bool) -> None:
    if as_json:
        output.document(done.document())
        return
    rate = done.size / done.seconds if done.seconds else 0
    output.facts(
        [
            ("Staged", done.uri),
            ("Size", f"{done.size} bytes"),
            ("ETag", done.etag),
            ("CRC64NVME", done.crc64nvme),
            ("SHA-256", done.sha256 and f"{done.sha256} (as expected)"),
            ("Time", f"{done.seconds:.1f} s, {output.size(rate)}/s"),
            ("Peak RSS", f"{done.peak_rss_bytes / 1024**2:.0f} MiB"),
        ]
    )


class _Interruptible:
    """While inside: the first Ctrl-C stops the staging in good order, a second one as ever."""

    def __init__(self, stop: threading.Event, interrupted: threading.Event) -> None:
        self._stop, self._interrupted = stop, interrupted

    def __enter__(self) -> None:
        self._before = signal.signal(signal.SIGINT, self._ask)

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _ask(self, *_: object) -> None:
        self._interrupted.set()
        self._stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)


class _Bar:
    """A progress bar on stderr where that is a terminal."""

    def __enter__(self) -> _Bar:
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
        from rich.progress import TransferSpeedColumn as Speed

        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), DownloadColumn(), Speed(), TimeRemainingColumn(),
            console=output.notes(), transient=True, disable=not output.notes().is_terminal,
        )  # fmt: skip
        self._task = self._progress.add_task("staging", total=None)
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, what: str, done: int, total: int) -> None:
        self._progress.update(self._task, description=what, completed=done, total=total)
