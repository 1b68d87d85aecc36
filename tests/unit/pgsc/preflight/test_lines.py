"""Lines of streams that give a little at a time, in every compression."""

from __future__ import annotations

import gzip
import io
import sys
import threading
from functools import partial

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from genoferry.errors import CalculationStopped, ToolsMissing
from genoferry.pgsc.preflight import text_stream
from genoferry.pgsc.preflight.decompress import Unreadable
from genoferry.pgsc.preflight.text_stream import opened

COMPRESS = {
    "plain": bytes,
    "gzip": lambda text: gzip.compress(text[:7]) + gzip.compress(text[7:]),  # several members, as bgzip writes them
    "zstd": lambda text: zstandard.compress(text[:7]) + zstandard.compress(text[7:]),
}


class Dribble(io.RawIOBase):
    """Gives a few bytes at each read, as a connection may, and only what a bucket's body has: read and close."""

    def __init__(self, content: bytes, most: int = 5) -> None:
        self._content, self._most, self.ended = io.BytesIO(content), most, False

    def read(self, size: int = -1) -> bytes:
        return self._content.read(min(self._most, size) if size > 0 else self._most)

    def close(self) -> None:
        self.ended = True


def read(content: bytes, most: int = 5, **attributes: int) -> tuple[str, list[bytes]]:
    with opened(lambda: Dribble(content, most), threading.Event()) as text:  # type: ignore[arg-type, return-value]
        for name, value in attributes.items():
            setattr(text, name, value)
        found = [line for batch in text.batches() for line in batch]
        assert text.whole
        return text.compression, found


@given(st.lists(st.binary(max_size=40).filter(lambda line: b"\n" not in line)), st.booleans(), st.integers(1, 100))
def test_the_lines_are_those_of_splitlines(rows: list[bytes], ended: bool, most: int) -> None:
    content = b"x\n" + b"\n".join(rows) + (b"\n" if ended else b"")
    expected = content.split(b"\n")
    if not expected[-1]:
        expected.pop()
    for name, compress in COMPRESS.items():
        assert read(compress(content), most) == (name, expected)


def test_of_a_long_line_its_beginning_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_stream, "CHUNK", 16)
    rows = [b"a" * 50, b"b", b"c" * 200, b"d"]
    _, found = read(b"\n".join(rows), 16, longest=20)
    assert [row[:20] for row in found] == [row[:20] for row in rows]
    assert max(map(len, found)) <= 20 + 16


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_damage_is_told_of(name: str) -> None:
    content = COMPRESS[name](b"some text that is long enough\n" * 50)
    with pytest.raises(Unreadable):
        read(content[:12] + b"\xff" * 20 + content[32:])


def test_a_cut_gzip_is_damaged() -> None:
    with pytest.raises(Unreadable):
        read(gzip.compress(b"line\n" * 5000)[:-10])


def test_without_zstandard_only_zstd_can_not_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(Unreadable) as error:
        read(COMPRESS["zstd"](b"line\n" * 9))
    assert error.value.kind is ToolsMissing
    assert read(COMPRESS["gzip"](b"line\n" * 9))[1] == [b"line"] * 9


def test_a_stop_ends_it_and_closes_the_stream() -> None:
    stop, stream = threading.Event(), Dribble(b"line\n" * 100)
    with opened(lambda: stream, stop) as text:  # type: ignore[arg-type, return-value]
        batches = text.batches()
        next(batches)
        stop.set()
        with pytest.raises(CalculationStopped):
            list(batches)
    assert stream.ended


def test_a_set_stop_opens_nothing() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(CalculationStopped), opened(partial(pytest.fail, "opened"), stop):
        pass


def test_what_a_stream_raises_is_not_taken_for_damage() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() >= 64:
                raise ConnectionResetError
            return super().read(size)

    with (
        pytest.raises(ConnectionResetError),
        opened(lambda: Broken(gzip.compress(b"ab\n" * 90_000)), threading.Event()) as text,
    ):
        list(text.batches())
