"""How the key service wraps a private key, both ways.

base64 of a 12-byte IV, a 16-byte salt, and the AES-128-GCM ciphertext with its 16-byte tag. The wrapping key is
PBKDF2-HMAC-SHA256 of a password and that salt, 65,536 rounds, 16 bytes.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Callable
from hashlib import pbkdf2_hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from genoferry.errors import KeyMalformed

IV, SALT, TAG = 12, 16, 16
ROUNDS = 65_536
KEY = 16


def wrap(secret: bytes, password: str, random: Callable[[int], bytes]) -> str:
    """The wrapped form of a key's bytes or text."""
    iv, salt = random(IV), random(SALT)
    return b64encode(iv + salt + AESGCM(_wrapping_key(password, salt)).encrypt(iv, secret, None)).decode()


def unwrap(wrapped: str, password: str) -> bytes:
    """Raises `KeyMalformed` for a wrong password and for what isn't a wrapped key alike."""
    try:
        blob = b64decode("".join(wrapped.split()), validate=True)
    except (binascii.Error, ValueError):
        raise KeyMalformed from None
    if len(blob) < IV + SALT + TAG:
        raise KeyMalformed
    iv, salt, sealed = blob[:IV], blob[IV : IV + SALT], blob[IV + SALT :]
    try:
        return AESGCM(_wrapping_key(password, salt)).decrypt(iv, sealed, None)
    except InvalidTag:
        raise KeyMalformed from None


def _wrapping_key(password: str, salt: bytes) -> bytes:
    return pbkdf2_hmac("sha256", password.encode(), salt, ROUNDS, KEY)
