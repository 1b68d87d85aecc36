"""What a person writes of one file to stage."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from genoferry.cli.exit_codes import ExitCode
from genoferry.cli.stage import bytes_of
from genoferry.cli.stage_file import destination, open_source, private_key
from genoferry.errors import KeyMissing, SourceMissing, SourceNotAllowed
from genoferry.staging.file import FileSource
from genoferry.staging.https import HttpsSource
from genoferry.staging.s3 import S3Source


@pytest.mark.parametrize(
    ("text", "size"), [("16MiB", 16 << 20), ("1 GiB", 1 << 30), ("5242880", 5 << 20), ("6KiB", 6144)]
)
def test_sizes(text: str, size: int) -> None:
    assert bytes_of(text) == size


@pytest.mark.parametrize("text", ["", "MiB", "16MB", "-1", "1.5GiB"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        bytes_of(text)


@pytest.mark.parametrize("text", ["bucket/key", "s3://bucket", "s3:///key", "s3://bucket/", "https://x/y"])
def test_what_is_no_destination(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        destination(text)


def test_sources_by_their_looks(tmp_path: Path) -> None:
    assert isinstance(open_source("s3://bucket/a/b.c4gh", None)[0], S3Source)
    assert open_source("s3://bucket/a/b.c4gh", None)[1] == "a/b.c4gh"
    source, path = open_source("https://host:8443/a/b.c4gh", None)
    assert isinstance(source, HttpsSource)
    assert path == "b.c4gh"
    assert isinstance(open_source(str(tmp_path / "b.c4gh"), None)[0], FileSource)


def test_only_what_is_named_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "file").write_bytes(b"x")
    (tmp_path / "other").write_bytes(b"y")
    source, path = open_source(str(tmp_path / "in" / "file"), None)
    source.open(path, 0, 1).close()
    with pytest.raises(SourceNotAllowed):
        source.open("../other", 0, 1)
    with pytest.raises(SourceMissing):
        source.open("absent", 0, 1)


def test_a_link_is_followed_to_what_it_names(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to(tmp_path / "far" / "file")
    source, path = open_source(str(tmp_path / "link"), None)
    source.open(path, 0, 1).close()


def test_key_and_passphrase_may_be_in_different_folders(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(bytes(range(32)))
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "word").write_text("word")
    assert private_key(tmp_path / "key", tmp_path / "words" / "word").public
    with pytest.raises(KeyMissing):
        private_key(tmp_path / "absent", None)


@pytest.mark.parametrize(
    "options",
    [("--part-size", "1MiB"), ("--expect-sha256", "xyz"), ("--parts-in-flight", "0"), ("--expect-size", "-1")],
)
def test_wrong_options(run, options: tuple[str, ...]) -> None:
    assert run("stage", "a", "s3://b/c", "--key", "k", *options).exit_code == ExitCode.USAGE
