"""CRC-64/NVME of a whole object from those of its parts, so that parts can be summed in any order, on any thread.

Appending n bytes to a message multiplies its CRC, a polynomial over GF(2), by x^(8n) modulo the CRC's polynomial; so
crc(a + b) = crc(a) * x^(8 len b) + crc(b). That the CRC starts from and is inverted with all ones cancels out.
Polynomial: NVM Express NVM Command Set Specification 1.0c, section 5.2.1.3.4.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable
from functools import cache

from awscrt.checksums import crc64nvme as _crc64nvme

POLYNOMIAL = 0x9A6C9329AC4BC9B5
"""Bit-reversed, as the CRC is: the bit of x^0 is the highest."""

_ONE = 1 << 63


def crc64(data: bytes | bytearray | memoryview, crc: int = 0) -> int:
    """The CRC of `data`, or of what `crc` is the sum of and `data` after it."""
    return int(_crc64nvme(data, crc))


def combine(pieces: Iterable[tuple[int, int]]) -> int:
    """The CRC of the concatenation of pieces, each given as its CRC and its length in bytes."""
    whole = 0
    for crc, size in pieces:
        whole = _multiply(_shift(size), whole) ^ crc
    return whole


def encode(crc: int) -> str:
    """As S3 writes it: base64 of 8 bytes, big-endian."""
    return b64encode(crc.to_bytes(8, "big")).decode()


def decode(text: str) -> int:
    return int.from_bytes(b64decode(text), "big")


@cache
def _power(k: int) -> int:
    """x^(2^k) modulo the polynomial."""
    return _ONE >> 1 if k == 0 else _multiply(_power(k - 1), _power(k - 1))


@cache
def _shift(size: int) -> int:
    """x^(8 size) modulo the polynomial. Cached: all parts of an upload but its last have one size."""
    product, bits, k = _ONE, size * 8, 0
    while bits:
        if bits & 1:
            product = _multiply(product, _power(k))
        bits, k = bits >> 1, k + 1
    return product


def _multiply(a: int, b: int) -> int:
    """The product of two bit-reversed polynomials modulo `POLYNOMIAL`."""
    product, bit = 0, _ONE
    while bit:
        if a & bit:
            product ^= b
        b = (b >> 1) ^ POLYNOMIAL if b & 1 else b >> 1
        bit >>= 1
    return product
