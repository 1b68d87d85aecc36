import io
from struct import pack

import crypt4gh.header as peer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genoferry.errors import Crypt4GHError, WrongKey
from genoferry.staging.header import MAX_HEADER, header_length, parse_header
from genoferry.staging.private_key import PrivateKey
from genoferry.testing.crypt4gh_writer import (
    data_key_packet,
    edit_list_packet,
    header,
    new_key,
    seal_packet,
    seal_segment,
)

SECRET, PUBLIC = new_key()
DATA = bytes(range(32))


def reader() -> PrivateKey:
    return PrivateKey(SECRET)


def sealed(*packets: bytes, public: bytes = PUBLIC) -> bytes:
    return header([seal_packet(packet, public) for packet in packets])


def test_one_data_key() -> None:
    start = sealed(data_key_packet(DATA))
    found = parse_header(start + b"segments follow", reader())
    segment = seal_segment(b"plain", DATA)
    (key,) = found.data_keys
    assert found.length == len(start) == 124
    assert key.cipher.decrypt(segment[:12], segment[12:], key.associated(7)) == b"plain"
    assert (found.edits, found.sequenced) == (None, False)


def test_a_header_that_the_crypt4gh_package_wrote() -> None:
    packets = [peer.make_packet_data_enc(0, DATA), peer.make_packet_data_edit_list([0, 5, 9])]
    keys = [(0, new_key()[0], PUBLIC)]
    start = peer.serialize([sealed for packet in packets for sealed in peer.encrypt(packet, keys)])
    found = parse_header(start, reader())
    assert found.edits == (0, 5, 9)
    assert len(found.data_keys) == 1


def test_the_crypt4gh_package_reads_what_the_writer_wrote() -> None:
    stream = io.BytesIO(sealed(data_key_packet(DATA), data_key_packet(bytes(32))))
    keys, edits = peer.deconstruct(stream, [(0, SECRET, None)])
    assert [bytes(key) for key in keys] == [DATA, bytes(32)]
    assert edits is None


def test_several_data_keys_and_other_readers() -> None:
    mine = [seal_packet(data_key_packet(bytes([n]) * 32), PUBLIC) for n in range(3)]
    others = [seal_packet(data_key_packet(DATA), new_key()[1]) for _ in range(2)]
    found = parse_header(header([others[0], *mine, others[1]]), reader())
    assert len(found.data_keys) == 3


def test_padding_after_a_packet_is_legal() -> None:
    found = parse_header(sealed(data_key_packet(DATA) + bytes(40), edit_list_packet([1, 2]) + bytes(9)), reader())
    assert found.edits == (1, 2)


def test_unknown_packets_are_skipped() -> None:
    unknown_type = seal_packet(pack("<I", 77) + b"from a later standard", PUBLIC)
    too_short_for_a_type = seal_packet(b"\0", PUBLIC)
    unknown_method = pack("<II", 24, 9) + bytes(16)
    tiny = pack("<I", 8) + bytes(4)
    low_order = pack("<II", 100, 0) + bytes(92)
    mine = seal_packet(data_key_packet(DATA), PUBLIC)
    found = parse_header(header([unknown_type, too_short_for_a_type, unknown_method, tiny, low_order, mine]), reader())
    assert len(found.data_keys) == 1


def test_the_numbered_mode() -> None:
    found = parse_header(sealed(data_key_packet(DATA, sequence=2**64 - 1)), reader())
    assert found.sequenced
    assert [found.data_keys[0].associated(n) for n in (0, 1)] == [b"\xff" * 8, bytes(8)]


@pytest.mark.parametrize("packets", [[], [edit_list_packet([0, 1])]])
def test_no_data_key(packets: list[bytes]) -> None:
    with pytest.raises(WrongKey):
        parse_header(sealed(*packets), reader())


def test_another_readers_file() -> None:
    with pytest.raises(WrongKey):
        parse_header(sealed(data_key_packet(DATA), public=new_key()[1]), reader())


@pytest.mark.parametrize(
    "packets",
    [
        pytest.param([edit_list_packet([0, 1]), edit_list_packet([0, 1])], id="two edit lists"),
        pytest.param([pack("<III", 1, 3, 0)], id="edit list shorter than it says"),
        pytest.param([pack("<II", 1, 2**32 - 1)], id="edit list of 32 GiB"),
        pytest.param([data_key_packet(DATA, sequence=1)], id="mixed methods"),
        pytest.param([pack("<II", 0, 5) + DATA], id="unknown method"),
        pytest.param([pack("<II", 0, 0) + DATA[:31]], id="short data key"),
        pytest.param([pack("<II", 0, 1) + DATA + bytes(7)], id="short sequence number"),
    ],
)
def test_headers_that_break_the_standard(packets: list[bytes]) -> None:
    with pytest.raises(Crypt4GHError) as caught:
        parse_header(sealed(data_key_packet(DATA), *packets), reader())
    assert not isinstance(caught.value, WrongKey)


@pytest.mark.parametrize(
    "start",
    [
        b"not crypt4gh at all",
        b"crypt4gh" + pack("<II", 2, 1),
        b"crypt4gh" + pack("<II", 1, 2**32 - 1),
        b"crypt4gh" + pack("<III", 1, 1, 7) + bytes(100),
        b"crypt4gh" + pack("<III", 1, 1, 0),
        b"crypt4gh" + pack("<III", 1, 1, 2**32 - 1),
        b"crypt4gh" + pack("<III", 1, 1, MAX_HEADER),
    ],
)
def test_what_is_no_header(start: bytes) -> None:
    with pytest.raises(Crypt4GHError):
        header_length(start)


def test_every_cut_is_noticed() -> None:
    start = sealed(data_key_packet(DATA), edit_list_packet([3]))
    for size in range(len(start)):
        assert header_length(start[:size]) is None
        with pytest.raises(Crypt4GHError):
            parse_header(start[:size], reader())
    assert header_length(start) == len(start)


@given(st.binary(max_size=400))
def test_noise_never_does_anything_but_refuse(noise: bytes) -> None:
    key = reader()
    for start in (noise, b"crypt4gh\1\0\0\0" + noise, b"crypt4gh\1\0\0\0\1\0\0\0" + noise):
        with pytest.raises(Crypt4GHError):
            parse_header(start, key)


@given(st.integers(0, 8 * 124 - 1))
def test_a_flipped_bit_never_yields_a_key(bit: int) -> None:
    start = bytearray(sealed(data_key_packet(DATA)))
    start[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Crypt4GHError):
        parse_header(bytes(start), reader())
