"""A private key that can't be printed, logged, pickled or copied by accident."""

from __future__ import annotations

from typing import NoReturn

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from genoferry.errors import KeyMalformed

SIZE = 32
"""Bytes of a Curve25519 key (RFC 7748, section 5)."""


class PrivateKey:
    """The reader's private key. Copies what it is given; `wipe` overwrites the copy. Raises `KeyMalformed`."""

    __slots__ = ("_secret", "public")

    def __init__(self, secret: bytes | bytearray | memoryview) -> None:
        if len(secret) != SIZE:
            raise KeyMalformed
        self._secret = bytearray(secret)
        self.public = X25519PrivateKey.from_private_bytes(bytes(self._secret)).public_key().public_bytes_raw()

    def exchange(self, peer: bytes) -> bytes | None:
        """X25519 with another's public key; None where that key is a point of low order, which no writer has."""
        try:
            return X25519PrivateKey.from_private_bytes(bytes(self._secret)).exchange(
                X25519PublicKey.from_public_bytes(peer)
            )
        except (ValueError, InvalidKey):
            return None

    def wipe(self) -> None:
        """Overwrite the key. It opens nothing from then on."""
        self._secret[:] = bytes(SIZE)

    def __enter__(self) -> PrivateKey:
        return self

    def __exit__(self, *_: object) -> None:
        self.wipe()

    def __repr__(self) -> str:
        return "<private key>"

    __str__ = __repr__

    def __format__(self, _: str) -> str:
        return "<private key>"

    def __reduce_ex__(self, _: object) -> NoReturn:
        raise TypeError("a private key is not pickled or copied")
