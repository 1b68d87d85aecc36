import copy
import hashlib
import logging
import pickle
from base64 import b64encode

import bcrypt
import pytest
from crypt4gh.keys import c4gh
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from genoferry.errors import KeyMalformed
from genoferry.staging.key_file import parse_private_key
from genoferry.staging.key_wrapping import unwrap, wrap
from genoferry.staging.private_key import PrivateKey
from genoferry.testing.crypt4gh_writer import new_key

CANARY = b"0123456789-canary-canary-9876543"
PUBLIC = PrivateKey(CANARY).public


def pem(blob: bytes, what: str = "CRYPT4GH PRIVATE KEY") -> bytes:
    return f"-----BEGIN {what}-----\n{b64encode(blob).decode()}\n-----END {what}-----\n".encode()


def field(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data


def locked(kdf: bytes, derived: bytes, rounds: int) -> bytes:
    nonce, salt = bytes(12), bytes(16)
    sealed = nonce + ChaCha20Poly1305(derived).encrypt(nonce, CANARY, None)
    options = rounds.to_bytes(4, "big") + salt
    return pem(b"c4gh-v1" + field(kdf) + field(options) + field(b"chacha20_poly1305") + field(sealed) + field(b"note"))


def test_it_never_prints(caplog: pytest.LogCaptureFixture) -> None:
    key = PrivateKey(CANARY)
    with caplog.at_level(logging.DEBUG):
        logging.getLogger().debug("key %s %r", key, key)
    shown = f"{key} {key!r} {key!s} {key:>40} {[key]} {caplog.text}"
    assert "canary" not in shown
    assert CANARY.hex() not in shown
    assert not hasattr(key, "__dict__")


@pytest.mark.parametrize("copier", [pickle.dumps, copy.copy, copy.deepcopy])
def test_it_is_not_copied(copier: object) -> None:
    with pytest.raises(TypeError):
        copier(PrivateKey(CANARY))  # type: ignore[operator]


def test_wiping() -> None:
    given = bytearray(CANARY)
    with PrivateKey(given) as key:
        before = key.exchange(new_key()[1])
    assert before is not None
    assert key.exchange(PUBLIC) != PrivateKey(CANARY).exchange(PUBLIC)
    assert given == CANARY


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_other_sizes(size: int) -> None:
    with pytest.raises(KeyMalformed):
        PrivateKey(bytes(size))


@pytest.mark.parametrize(
    ("text", "passphrase"),
    [
        pytest.param(CANARY, None, id="raw"),
        pytest.param(b"c4gh-v1" + field(b"none") + field(b"none") + field(CANARY), None, id="binary"),
        pytest.param(pem(b"c4gh-v1" + field(b"none") + field(b"none") + field(CANARY)), None, id="unlocked"),
        pytest.param(pem(CANARY), None, id="PEM of the raw key"),
        pytest.param(pem(c4gh.encode_private_key(CANARY, b"word", b"note")), b"word", id="the crypt4gh package's"),
        pytest.param(locked(b"bcrypt", bcrypt.kdf(b"word", bytes(16), 32, 60), 60), b"word", id="bcrypt"),
        pytest.param(
            locked(b"pbkdf2_hmac_sha256", hashlib.pbkdf2_hmac("sha256", b"word", bytes(16), 9, 32), 9),
            b"word",
            id="pbkdf2",
        ),
    ],
)
def test_formats(text: bytes, passphrase: bytes | None) -> None:
    assert parse_private_key(text, passphrase).public == PUBLIC
    assert parse_private_key(text.replace(b"\n", b"\r\n"), passphrase).public == PUBLIC


@pytest.mark.parametrize("word", [None, b"word"])
def test_openssh(word: bytes | None) -> None:
    from crypt4gh.keys import ssh

    key = Ed25519PrivateKey.generate()
    lock = BestAvailableEncryption(word) if word else NoEncryption()
    text = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, lock)
    public = ssh.get_public_key(key.public_key().public_bytes(Encoding.OpenSSH, _openssh_public()))
    assert parse_private_key(text, word).public == bytes(public)


def _openssh_public() -> object:
    from cryptography.hazmat.primitives.serialization import PublicFormat

    return PublicFormat.OpenSSH


@pytest.mark.parametrize("passphrase", [None, b"", b"other"])
def test_wrong_passphrase(passphrase: bytes | None, caplog: pytest.LogCaptureFixture) -> None:
    text = pem(c4gh.encode_private_key(CANARY, b"word", None))
    with caplog.at_level(logging.DEBUG), pytest.raises(KeyMalformed) as caught:
        parse_private_key(text, passphrase)
    assert caught.value.__cause__ is None
    assert caplog.text == ""


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"nonsense",
        pem(b"c4gh-v1"),
        pem(b"c4gh-v1" + field(b"none") + field(b"none") + field(CANARY)[:-1]),
        pem(b"c4gh-v2" + bytes(60)),
        pem(b"c4gh-v1" + field(b"md5") + field(bytes(20)) + field(b"chacha20_poly1305") + field(bytes(60))),
        pem(b"c4gh-v1" + field(b"bcrypt") + field(b"\xff" * 20) + field(b"chacha20_poly1305") + field(bytes(60))),
        pem(b"c4gh-v1" + field(b"none") + field(b"rot13") + field(CANARY)),
        b"-----BEGIN CRYPT4GH PRIVATE KEY-----\n%%%\n-----END CRYPT4GH PRIVATE KEY-----\n",
        b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
    ],
)
def test_what_is_no_key(text: bytes) -> None:
    with pytest.raises(KeyMalformed):
        parse_private_key(text, b"word")


def test_an_ssh_key_of_another_type() -> None:
    key = generate_private_key(65537, 2048)
    with pytest.raises(KeyMalformed, match="ed25519"):
        parse_private_key(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))


@given(st.binary(max_size=200))
def test_noise(noise: bytes) -> None:
    for text in (noise, b"c4gh-v1" + noise, pem(b"c4gh-v1" + noise)):
        try:
            key = parse_private_key(text)
        except KeyMalformed:
            continue
        assert len(key.public) == 32  # the noise happened to be a key's length


def test_wrapping_both_ways() -> None:
    wrapped = wrap(CANARY, "password", lambda size: bytes(range(size)))
    assert unwrap(wrapped, "password") == CANARY
    assert unwrap(f" {wrapped[:20]}\n{wrapped[20:]}\n", "password") == CANARY


def test_the_wrapped_bytes_are_the_services() -> None:
    """IV, salt, ciphertext with tag, opened here by hand, so that both ways can't be wrong alike."""
    from base64 import b64decode

    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    blob = b64decode(wrap(CANARY, "pässword", lambda size: bytes(range(size))))
    iv, salt, sealed, tag = blob[:12], blob[12:28], blob[28:-16], blob[-16:]
    key = hashlib.pbkdf2_hmac("sha256", "pässword".encode(), salt, 65536, 16)
    opener = Cipher(algorithms.AES128(key), modes.GCM(iv, tag)).decryptor()
    assert opener.update(sealed) + opener.finalize() == CANARY


@pytest.mark.parametrize(
    "wrapped", ["", "AAAA", "not base64!", "é", b64encode(bytes(43)).decode(), b64encode(bytes(90)).decode()]
)
def test_what_is_not_wrapped(wrapped: str) -> None:
    with pytest.raises(KeyMalformed):
        unwrap(wrapped, "password")


def test_a_wrong_wrapping_password() -> None:
    with pytest.raises(KeyMalformed):
        unwrap(wrap(CANARY, "password", bytes), "other")
