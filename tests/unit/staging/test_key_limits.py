"""One sender's file costs little, however many keys and packets its header has: tries are counted, not timed."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from genoferry.errors import Crypt4GHError, SegmentCorrupt, WrongKey
from genoferry.staging.cancellation import Halt
from genoferry.staging.decrypt import Opener
from genoferry.staging.header import MAX_DATA_KEYS, MAX_PACKETS, DataKey, header_length, parse_header
from genoferry.staging.private_key import PrivateKey
from genoferry.staging.ranges import Origin, Retry
from genoferry.staging.segments import SEGMENT, Extent, Layout, wanted
from genoferry.staging.source import SourceStat
from genoferry.testing.crypt4gh_writer import (
    data_key_packet,
    edit_list_packet,
    header,
    new_key,
    seal_packet,
    seal_segment,
)

SECRET, PUBLIC = new_key()


class CountingKey(PrivateKey):
    """Counts its exchanges."""

    __slots__ = ("exchanges",)

    def __init__(self) -> None:
        super().__init__(SECRET)
        self.exchanges = 0

    def exchange(self, peer: bytes) -> bytes | None:
        self.exchanges += 1
        return super().exchange(peer)


class CountingCipher:
    """Counts the segments that it is tried on."""

    tries = 0

    def __init__(self, key: bytes) -> None:
        self._cipher = ChaCha20Poly1305(key)

    def decrypt_into(self, nonce: memoryview, data: memoryview, associated: bytes | None, out: memoryview) -> int:
        CountingCipher.tries += 1
        return self._cipher.decrypt_into(nonce, data, associated, out)


def tries(order: Sequence[int], keys: int) -> int:
    """How many tries a file costs whose segments are sealed with these of its keys, one after the other."""
    secrets = [bytes([n, n >> 8]) * 16 for n in range(keys)]
    stored = b"".join(seal_segment(bytes([n]), secrets[n]) for n in order[-1:])
    full = b"".join(seal_segment(bytes(SEGMENT), secrets[n]) for n in order[:-1])
    layout = Layout(0, len(full + stored))
    data_keys = tuple(DataKey(CountingCipher(secret)) for secret in secrets)  # type: ignore[arg-type]
    start = Origin(_NoSource(), "", SourceStat(layout.size, "e"), full + stored)
    opener = Opener(start, layout, data_keys, Retry(tries=1, first=0, most=0), Halt())
    CountingCipher.tries = 0
    opener.fill(wanted((Extent(0, layout.plain),)), memoryview(bytearray(layout.plain)))
    return CountingCipher.tries


class _NoSource:
    """All is in the first bytes."""

    def open(self, *_: object, **__: object) -> None:
        raise AssertionError


def test_nine_thousand_data_keys_are_refused() -> None:
    packets = [seal_packet(data_key_packet(os.urandom(32)), PUBLIC)] * 9000
    with pytest.raises(Crypt4GHError, match="over 1024 packets") as refused:
        header_length(header(packets))
    assert refused.value.code == "crypt4gh-invalid"


def test_too_many_data_keys_are_refused() -> None:
    packets = [seal_packet(data_key_packet(os.urandom(32)), PUBLIC) for _ in range(MAX_DATA_KEYS + 1)]
    with pytest.raises(Crypt4GHError, match="over 64 data keys") as refused:
        parse_header(header(packets), PrivateKey(SECRET))
    assert refused.value.code == "crypt4gh-invalid"


def test_as_many_data_keys_are_read() -> None:
    packets = [seal_packet(data_key_packet(os.urandom(32)), PUBLIC) for _ in range(MAX_DATA_KEYS)]
    found = parse_header(header([*packets, seal_packet(edit_list_packet([0, 1]), PUBLIC)]), PrivateKey(SECRET))
    assert len(found.data_keys) == MAX_DATA_KEYS


def test_the_same_key_twice_is_one() -> None:
    packets = [seal_packet(data_key_packet(bytes(32)) + bytes(n), PUBLIC) for n in range(MAX_DATA_KEYS + 1)]
    assert len(parse_header(header(packets), PrivateKey(SECRET)).data_keys) == 1


def test_packets_that_are_tried_are_few() -> None:
    """As many for other readers as 1 MiB holds."""
    other = seal_packet(data_key_packet(bytes(32)), new_key()[1])
    key = CountingKey()
    with pytest.raises(WrongKey):
        parse_header(header([other] * MAX_PACKETS), key)
    assert key.exchanges == MAX_PACKETS
    with pytest.raises(Crypt4GHError, match="over 1024 packets"):
        parse_header(header([other] * (MAX_PACKETS + 1)), key)
    assert key.exchanges == MAX_PACKETS


@pytest.mark.parametrize(
    ("order", "most"),
    [
        pytest.param([0] * 40, 40, id="one key"),
        pytest.param([n // 8 for n in range(40)], 45, id="files put together"),
        pytest.param([n % 10 for n in range(40)], 80, id="keys that take turns"),
    ],
)
def test_many_legitimate_keys_cost_little(order: list[int], most: int) -> None:
    assert tries(order, keys=10) <= most


def test_each_key_is_tried_once_a_segment() -> None:
    cipher = CountingCipher(bytes(32))
    opener = Opener(
        Origin(_NoSource(), "", SourceStat(29, "e"), bytes(29)),
        Layout(0, 29),
        tuple(DataKey(cipher) for _ in range(MAX_DATA_KEYS)),  # type: ignore[arg-type]
        Retry(tries=1, first=0, most=0),
        Halt(),
    )
    CountingCipher.tries = 0
    with pytest.raises(SegmentCorrupt):
        opener.fill(wanted((Extent(0, 1),)), memoryview(bytearray(1)))
    assert CountingCipher.tries == MAX_DATA_KEYS
