"""The Crypt4GH header: which keys open the segments, and which of their bytes are the content.

Follows the GA4GH File Encryption Standard (samtools/hts-specs, crypt4gh.tex), sections 3.2 and 3.3; every number is
little-endian. A packet that doesn't open is another reader's, and one of an unknown type is of a later standard: both
are skipped. Section 3.4.3's authenticated mode, in which lost and swapped segments are noticed, is read too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from struct import unpack_from

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from genoferry.errors import Crypt4GHError, WrongKey
from genoferry.staging.private_key import PrivateKey

MAGIC = b"crypt4gh"
VERSION = 1
FIXED = 16
"""Bytes of magic number, version and packet count."""

MAX_HEADER = 1024**2
"""Bytes; a header of one reader has 124. The standard sets no limit, so a hostile file could."""

MAX_PACKETS = 1024
"""Packets that are tried. Each costs an X25519 exchange, some 90 µs, and 1 MiB holds 15,420 of the shortest. A file
needs one for each reader and data key, and one for each reader's edit list (section 2.4)."""

MAX_DATA_KEYS = 64
"""Different data keys of one reader. The standard sets no limit; each may be tried on each segment (section 4.1), some
14 µs a try, so that 64 in the worst order cost 15 s a GiB, and 9,000 half an hour. The crypt4gh package and htslib
write one key a file, so that only files put together of others' segments have several: one for each of those."""

X25519_CHACHA20 = 0
DATA_KEY, EDIT_LIST = 0, 1
CHACHA20, CHACHA20_SEQUENCED = 0, 1


@dataclass(frozen=True, slots=True)
class DataKey:
    """What opens segments. `sequence` is the number of segment 0 in the authenticated mode, None in the plain one."""

    cipher: ChaCha20Poly1305 = field(repr=False)
    sequence: int | None = None

    def associated(self, segment: int) -> bytes | None:
        """The associated data of a segment: its place in the file, which wraps at 64 bits."""
        return None if self.sequence is None else ((self.sequence + segment) % 2**64).to_bytes(8, "little")


@dataclass(frozen=True, slots=True)
class Header:
    """`length` in bytes, from the file's start; `edits` as in the file: bytes to discard and to keep, by turns."""

    data_keys: tuple[DataKey, ...]
    edits: tuple[int, ...] | None
    length: int

    @property
    def sequenced(self) -> bool:
        return self.data_keys[0].sequence is not None


def header_length(start: bytes | memoryview) -> int | None:
    """Bytes of the header that `start` begins with; None where `start` ends before that can be said.

    Raises `Crypt4GHError` for what isn't a header, or one over `MAX_HEADER` or `MAX_PACKETS`.
    """
    if bytes(start[: len(MAGIC)]) != MAGIC[: len(start)]:
        raise Crypt4GHError("A file is not a Crypt4GH file: it doesn't begin as one. Encrypt it before it is sent.")
    if len(start) < FIXED:
        return None
    version, count = unpack_from("<II", start, len(MAGIC))
    if version != VERSION:
        raise Crypt4GHError("A file is of a version of Crypt4GH other than 1, which is not known here.")
    if count > MAX_PACKETS:
        raise Crypt4GHError(_TOO_MANY_PACKETS)
    return _walk(start, count)


_TOO_LONG = "A file's Crypt4GH header is over 1 MiB. Encrypt the file for fewer readers."

_TOO_MANY_PACKETS = (
    f"A file's Crypt4GH header has over {MAX_PACKETS} packets, which is one for each data key of each reader."
    " Encrypt the file anew: with one data key, and for fewer readers."
)
_TOO_MANY_KEYS = f"A file's Crypt4GH header has over {MAX_DATA_KEYS} data keys. Encrypt the file anew, with one."


def _walk(start: bytes | memoryview, count: int) -> int | None:
    position = FIXED
    for _ in range(count):
        if position + 4 > len(start):
            return None
        (length,) = unpack_from("<I", start, position)
        if length < 8:  # its own length and its method
            raise Crypt4GHError("A header packet of a file states a length that none can have: the file is damaged.")
        position += length
        if position > MAX_HEADER:
            raise Crypt4GHError(_TOO_LONG)
    return position if position <= len(start) else None


def parse_header(start: bytes | memoryview, key: PrivateKey) -> Header:
    """The header that `start` begins with, opened by its reader's key.

    Raises `WrongKey` where no packet with a data key opens, `Crypt4GHError` where the header breaks the standard or has
    over `MAX_DATA_KEYS` data keys.
    """
    length = header_length(start)
    if length is None:
        raise Crypt4GHError("A file ends inside its Crypt4GH header: it was cut. Send it again.")
    opened = [plain for packet in _packets(start, length) if (plain := _open(packet, key)) is not None]
    keys = _data_keys(plain for plain in opened if _kind(plain) == DATA_KEY)
    lists = [_edit_list(plain) for plain in opened if _kind(plain) == EDIT_LIST]
    if not keys:
        raise WrongKey
    if len({data_key.sequence is None for data_key in keys}) > 1:
        raise Crypt4GHError("A file's header mixes data encryption methods, which Crypt4GH forbids.")
    if len(lists) > 1:
        raise Crypt4GHError("A file's header has more than one edit list, which Crypt4GH forbids.")
    return Header(keys, lists[0] if lists else None, length)


def _packets(start: bytes | memoryview, length: int) -> Iterator[bytes]:
    position = FIXED
    while position < length:
        (size,) = unpack_from("<I", start, position)
        yield bytes(start[position + 4 : position + size])
        position += size


def _open(packet: bytes, key: PrivateKey) -> bytes | None:
    """The plaintext of a packet (method, writer's public key, nonce, sealed payload); None where it is another's."""
    if len(packet) < 4 + 32 + 12 + 16 or unpack_from("<I", packet)[0] != X25519_CHACHA20:
        return None
    writer, nonce, sealed = packet[4:36], packet[36:48], packet[48:]
    shared = key.exchange(writer)
    if shared is None:
        return None
    try:
        return ChaCha20Poly1305(blake2b(shared + key.public + writer).digest()[:32]).decrypt(nonce, sealed, None)
    except InvalidTag:
        return None


def _kind(plain: bytes) -> int:
    """The packet's type; -1, which no packet has, where it is too short to say."""
    return int(unpack_from("<I", plain)[0]) if len(plain) >= 4 else -1


def _data_keys(packets: Iterable[bytes]) -> tuple[DataKey, ...]:
    """Each key once: a file may be encrypted for the same reader twice."""
    keys = {secret: None for plain in packets if (secret := _secret(plain))}
    if len(keys) > MAX_DATA_KEYS:
        raise Crypt4GHError(_TOO_MANY_KEYS)
    return tuple(
        DataKey(ChaCha20Poly1305(secret[:32]), unpack_from("<Q", secret, 32)[0] if len(secret) > 32 else None)
        for secret in keys
    )


def _secret(plain: bytes) -> bytes:
    """The data key of a packet's plaintext, with its sequence number in the authenticated mode."""
    method = unpack_from("<I", plain, 4)[0] if len(plain) >= 40 else None
    if method == CHACHA20:
        return plain[8:40]
    if method == CHACHA20_SEQUENCED and len(plain) >= 48:
        return plain[8:48]
    raise Crypt4GHError("A file's data is encrypted by a method that is not known here, or its data key was cut.")


def _edit_list(plain: bytes) -> tuple[int, ...]:
    count = unpack_from("<I", plain, 4)[0] if len(plain) >= 8 else 0
    if len(plain) < 8 + 8 * count:
        raise Crypt4GHError("A file's edit list is shorter than it states: the file is damaged.")
    return unpack_from(f"<{count}Q", plain, 8)
