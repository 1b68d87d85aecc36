"""The plaintext as a stream equals what was encrypted, and no more of the source is asked for than is read."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import pytest

from genoferry.errors import (
    GenoferryError,
    RangeNotSatisfiable,
    SegmentCorrupt,
    SizeMismatch,
    SourceMissing,
    SourceUnavailable,
    StagingStopped,
    WrongKey,
)
from genoferry.staging.cancellation import Halt
from genoferry.staging.plaintext import open_plaintext, open_stored
from genoferry.staging.private_key import PrivateKey
from genoferry.staging.ranges import Retry
from genoferry.staging.segments import MIN_PART, SEALED, SEGMENT
from genoferry.staging.source import SourceStat
from genoferry.testing.crypt4gh_writer import encrypt, new_key

SECRET, PUBLIC = new_key()
KEY = PrivateKey(SECRET)
AT_ONCE = Retry(tries=3, first=0, most=0)


@dataclass
class Memory:
    """A source of one file. `asked`: the ranges that were opened; `trouble`: raised at the next ones."""

    content: bytes
    asked: list[tuple[int, int]] = field(default_factory=list)
    trouble: list[GenoferryError] = field(default_factory=list)

    def open(self, path: str, start: int, stop: int, if_match: str | None = None, halt: Halt | None = None) -> Body:
        if self.trouble:
            raise self.trouble.pop()
        if start >= len(self.content):
            raise RangeNotSatisfiable
        self.asked.append((start, stop))
        return Body(self.content[start:stop], SourceStat(len(self.content), '"e"'))


@dataclass(eq=False)
class Body:
    content: bytes
    stat: SourceStat

    def readinto(self, view: memoryview) -> int:
        """A little at a time, as a network does."""
        piece = self.content[: min(len(view), 100_000)]
        view[: len(piece)] = piece
        self.content = self.content[len(piece) :]
        return len(piece)

    def close(self) -> None: ...

    def abort(self) -> None: ...


def read(content: bytes, key: PrivateKey = KEY, **options: int) -> bytes:
    return open_plaintext(Memory(content), "x", key, retry=AT_ONCE, **options).readall()


@pytest.mark.parametrize("size", [0, 1, SEGMENT, SEGMENT + 1, 3 * SEGMENT, MIN_PART, MIN_PART + SEGMENT + 7])
@pytest.mark.parametrize("sequence", [None, 0])
def test_it_is_what_was_encrypted(size: int, sequence: int | None) -> None:
    plain = os.urandom(size)
    assert read(encrypt(plain, [PUBLIC], data_keys=2, sequence=sequence)) == plain


def test_an_edit_list_is_applied() -> None:
    plain = os.urandom(3 * SEGMENT)
    content = encrypt(plain, [PUBLIC], edits=[10, 100, SEGMENT, 5])
    assert read(content) == plain[10:110] + plain[110 + SEGMENT : 115 + SEGMENT]


def test_a_read_gives_no_more_than_is_asked_for() -> None:
    plain = os.urandom(2 * SEGMENT)
    with open_plaintext(Memory(encrypt(plain, [PUBLIC])), "x", KEY) as stream:
        pieces = list(iter(lambda: stream.read(1000), b""))
    assert b"".join(pieces) == plain
    assert max(map(len, pieces)) == 1000


def test_only_what_is_read_is_asked_for() -> None:
    source = Memory(encrypt(os.urandom(3 * MIN_PART), [PUBLIC]))
    with open_plaintext(source, "x", KEY) as stream:
        assert len(stream.read(1) or b"") == 1
    assert max(stop for _, stop in source.asked) < MIN_PART + 3 * SEALED


def test_passing_trouble_is_tried_again() -> None:
    plain = os.urandom(2 * MIN_PART)
    source = Memory(encrypt(plain, [PUBLIC]))
    stream = open_plaintext(source, "x", KEY, retry=AT_ONCE)
    source.trouble = [SourceUnavailable()]
    assert stream.readall() == plain


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (lambda content: content[:-100] + bytes([content[-100] ^ 1]) + content[-99:], SegmentCorrupt),
        (lambda content: content[:-1], SegmentCorrupt),
    ],
)
def test_damage_is_told_of(spoil, error: type[GenoferryError]) -> None:
    with pytest.raises(error):
        read(spoil(encrypt(os.urandom(SEGMENT + 500), [PUBLIC])))


def test_what_is_wrong_with_the_file_is_told_of_when_it_is_opened() -> None:
    content = encrypt(b"x", [PUBLIC])
    with pytest.raises(SizeMismatch):
        open_plaintext(Memory(content), "x", KEY, expect_size=5)
    with pytest.raises(WrongKey):
        open_plaintext(Memory(content), "x", PrivateKey(new_key()[0]))
    with pytest.raises(SourceMissing):
        open_plaintext(Memory(content, trouble=[SourceMissing()]), "x", KEY)


def test_a_halt_ends_it() -> None:
    halt = Halt()
    stream = open_plaintext(Memory(encrypt(os.urandom(2 * MIN_PART), [PUBLIC])), "x", KEY, halt=halt)
    stream.read(1)
    halt.set()
    with pytest.raises(StagingStopped):
        stream.readall()


@pytest.mark.parametrize("size", [1, 99_999, 100_000, 250_001])
def test_a_file_that_is_not_encrypted_is_read_as_it_is(size: int) -> None:
    content = os.urandom(size)
    source = Memory(content)
    with open_stored(source, "x", retry=AT_ONCE) as stream:
        assert source.asked == []
        assert stream.readall() == content
