"""The tools get a copy of a scorefile only where they can't read its header."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from genoferry.errors import ScorefileInvalid
from genoferry.pgsc.scorefile_copy import readable_by_tools

TEXT = "##a=b=c\n#pgs_id=S\n#trait_reported=BMI{}30\n#genome_build=GRCh38\nchr_name\tlocus_name\n1\tx=y=z\n#a=b=c\n"


def test_a_plain_header_needs_no_copy(tmp_path: Path) -> None:
    source, copy = tmp_path / "s.txt", tmp_path / "copy.gz"
    source.write_text(TEXT.format(" over "))
    assert readable_by_tools(source, copy) == source
    assert not copy.exists()


@pytest.mark.parametrize("packed", [False, True])
def test_only_the_headers_values_are_changed(tmp_path: Path, packed: bool) -> None:
    source, copy = tmp_path / "s.txt", tmp_path / "copy.gz"
    content = TEXT.format(">=").encode()
    source.write_bytes(gzip.compress(content) if packed else content)
    assert readable_by_tools(source, copy) == copy
    assert gzip.decompress(copy.read_bytes()).decode() == TEXT.format(">:")


def test_the_same_file_has_the_same_copy(tmp_path: Path) -> None:
    source, copies = tmp_path / "s.txt", [tmp_path / "1.gz", tmp_path / "2.gz"]
    source.write_text(TEXT.format(">="))
    os.utime(source, ns=(1, 123_456_789))
    for copy in copies:
        readable_by_tools(source, copy)
    assert copies[0].read_bytes() == copies[1].read_bytes()
    assert {copy.stat().st_mtime_ns for copy in copies} == {123_456_789}


def test_a_damaged_file_has_no_copy(tmp_path: Path) -> None:
    source = tmp_path / "s.txt.gz"
    source.write_bytes(gzip.compress(TEXT.format(">=").encode())[:-9])
    with pytest.raises(ScorefileInvalid):
        readable_by_tools(source, tmp_path / "copy.gz")
