"""Writes Crypt4GH files for tests and demos: several readers, several data keys, edit lists, numbered segments.

Not for real data: it keeps everything in memory, and a test may choose its random source.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b
from itertools import cycle
from struct import pack

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

SEGMENT = 65_536
Random = Callable[[int], bytes]


def new_key(random: Random = os.urandom) -> tuple[bytes, bytes]:
    """A private key and its public half, 32 bytes each."""
    secret = random(32)
    return secret, X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def data_key_packet(data_key: bytes, sequence: int | None = None) -> bytes:
    """A data key in the clear; with `sequence`, for numbered segments (the AEAD mode)."""
    return pack("<II", 0, 0 if sequence is None else 1) + data_key + (b"" if sequence is None else pack("<Q", sequence))


def edit_list_packet(edits: Sequence[int]) -> bytes:
    return pack(f"<II{len(edits)}Q", 1, len(edits), *edits)


def seal_packet(plain: bytes, reader: bytes, random: Random = os.urandom) -> bytes:
    """A header packet for the reader with that public key."""
    secret, writer = new_key(random)
    shared = X25519PrivateKey.from_private_bytes(secret).exchange(X25519PublicKey.from_public_bytes(reader))
    key, nonce = blake2b(shared + reader + writer).digest()[:32], random(12)
    packet = pack("<I", 0) + writer + nonce + ChaCha20Poly1305(key).encrypt(nonce, plain, None)
    return pack("<I", len(packet) + 4) + packet


def header(packets: Sequence[bytes]) -> bytes:
    """A header of sealed packets."""
    return b"crypt4gh" + pack("<II", 1, len(packets)) + b"".join(packets)


def seal_segment(plain: bytes, data_key: bytes, number: int | None = None, random: Random = os.urandom) -> bytes:
    nonce = random(12)
    associated = None if number is None else pack("<Q", number % 2**64)
    return nonce + ChaCha20Poly1305(data_key).encrypt(nonce, plain, associated)


def encrypt(
    plain: bytes,
    readers: Iterable[bytes],
    *,
    data_keys: int = 1,
    edits: Sequence[int] | None = None,
    sequence: int | None = None,
    random: Random = os.urandom,
) -> bytes:
    """A whole file for the readers with these public keys; its segments use the data keys by turns."""
    keys = [random(32) for _ in range(data_keys)]
    packets = [data_key_packet(key, sequence) for key in keys]
    if edits is not None:
        packets.append(edit_list_packet(edits))
    sealed = [seal_packet(packet, reader, random) for reader in readers for packet in packets]
    pieces = [plain[start : start + SEGMENT] for start in range(0, len(plain), SEGMENT)]
    if sequence is not None and len(plain) % SEGMENT == 0:
        pieces.append(b"")
    body = [
        seal_segment(piece, key, None if sequence is None else sequence + index, random)
        for index, (piece, key) in enumerate(zip(pieces, cycle(keys), strict=False))
    ]
    return header(sealed) + b"".join(body)
