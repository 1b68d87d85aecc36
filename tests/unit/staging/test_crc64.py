from hypothesis import given
from hypothesis import strategies as st

from genoferry.staging.crc64 import combine, crc64, decode, encode


def test_the_check_value() -> None:
    """Of "123456789", from the catalogue of parametrised CRC algorithms, CRC-64/NVME."""
    assert crc64(b"123456789") == 0xAE8B14860A799888


@given(st.lists(st.binary(max_size=300)))
def test_the_whole_from_its_parts(pieces: list[bytes]) -> None:
    assert combine((crc64(piece), len(piece)) for piece in pieces) == crc64(b"".join(pieces))


def test_long_parts() -> None:
    first, second = bytes(range(256)) * 70_000, b"x" * 1_000_003
    assert combine([(crc64(first), len(first)), (crc64(second), len(second))]) == crc64(first + second)


def test_as_s3_writes_it() -> None:
    assert encode(crc64(b"123456789")) == "rosUhgp5mIg="
    assert decode("rosUhgp5mIg=") == crc64(b"123456789")
