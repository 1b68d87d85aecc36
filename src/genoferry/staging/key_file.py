"""The text of a private key, in the formats that Crypt4GH tools write.

- Crypt4GH's own: PEM around `c4gh-v1`, KDF name and options (4 bytes of rounds, salt), cipher name, sealed key, every
  field after the magic word with a 2-byte big-endian length (crypt4gh documentation, "Private Key Format");
- OpenSSH's, of an ed25519 key, whose Curve25519 form is the first half of the SHA-512 of its seed (RFC 8032, 5.1.5);
- the 32 bytes alone.

Read here and not by the crypt4gh package: that one writes key material to its debug log, and ends the process when a
passphrase is wrong.
"""

from __future__ import annotations

import binascii
import hashlib
from base64 import b64decode
from collections.abc import Callable

import bcrypt
from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import load_ssh_private_key

from genoferry.errors import KeyMalformed
from genoferry.staging.private_key import SIZE, PrivateKey

MAGIC = b"c4gh-v1"
MAX_ROUNDS = 10_000_000
"""A file that states more is hostile: it would keep the worker busy for minutes."""

Kdf = Callable[[bytes, bytes, int], bytes]

KDFS: dict[bytes, Kdf] = {
    b"scrypt": lambda word, salt, _: hashlib.scrypt(word, salt=salt, n=1 << 14, r=8, p=1, dklen=32),
    b"bcrypt": lambda word, salt, rounds: bcrypt.kdf(word, salt, 32, rounds, ignore_few_rounds=True),
    b"pbkdf2_hmac_sha256": lambda word, salt, rounds: hashlib.pbkdf2_hmac("sha256", word, salt, rounds, 32),
}
"""From passphrase, salt and rounds to a 32-byte key; the parameters are the format's."""


def parse_private_key(text: bytes, passphrase: bytes | None = None) -> PrivateKey:
    """The key in `text`. Raises `KeyMalformed`, also for a passphrase that is wrong or missing."""
    if len(text) == SIZE:
        return PrivateKey(text)
    if text.startswith(MAGIC):
        return PrivateKey(_crypt4gh(text, passphrase))
    lines = [line.strip() for line in text.split(b"\n") if line.strip()]
    if len(lines) < 3 or not (lines[0].startswith(b"-----BEGIN ") and lines[-1].startswith(b"-----END ")):
        raise KeyMalformed
    if b"OPENSSH PRIVATE KEY" in lines[0]:
        return PrivateKey(_openssh(b"\n".join(lines) + b"\n", passphrase))
    try:
        blob = b64decode(b"".join(lines[1:-1]), validate=True)
    except binascii.Error:
        raise KeyMalformed from None
    return PrivateKey(blob if len(blob) == SIZE else _crypt4gh(blob, passphrase))


def _crypt4gh(blob: bytes, passphrase: bytes | None) -> bytes:
    if not blob.startswith(MAGIC):
        raise KeyMalformed
    kdf, rest = _field(blob[len(MAGIC) :])
    options, rest = (b"", rest) if kdf == b"none" else _field(rest)
    cipher, rest = _field(rest)
    sealed, _ = _field(rest)  # a comment may follow
    if cipher == b"none":
        return sealed
    if cipher != b"chacha20_poly1305" or kdf not in KDFS or len(options) < 4 or len(sealed) < 12:
        raise KeyMalformed
    if not passphrase:
        raise KeyMalformed("The private key has a passphrase, and none was given. Name a passphrase file.")
    rounds = int.from_bytes(options[:4], "big")
    try:
        if rounds > MAX_ROUNDS:
            raise KeyMalformed
        return ChaCha20Poly1305(KDFS[kdf](passphrase, options[4:], rounds)).decrypt(sealed[:12], sealed[12:], None)
    except (InvalidTag, ValueError):
        raise KeyMalformed from None


def _field(data: bytes) -> tuple[bytes, bytes]:
    """The first field of `data`, and what follows it."""
    size = int.from_bytes(data[:2], "big")
    if len(data) < 2 + size:
        raise KeyMalformed
    return data[2 : 2 + size], data[2 + size :]


def _openssh(text: bytes, passphrase: bytes | None) -> bytes:
    try:
        key = load_ssh_private_key(text, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyMalformed from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyMalformed("The private key is an OpenSSH key, but not of type ed25519, which Crypt4GH needs.")
    return hashlib.sha512(key.private_bytes_raw()).digest()[:SIZE]
