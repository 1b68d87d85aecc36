"""The cohort of the demo, encrypted: files to send, a key to open them, and the scores that must come of them."""

from __future__ import annotations

import hashlib
import random
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genoferry.errors import ToolsMissing

if TYPE_CHECKING:
    from genoferry.testing.cohort import Expected

COHORT, SCORES, KEYS = "cohort", "scores", "keys"
"""Folders: encrypted genomes, scorefiles (a mirror), the private key."""
KEY_FILE = "demo.sec"
SEED = "genoferry demo"
Random = Callable[[int], bytes]


@dataclass(frozen=True)
class EncryptedFile:
    """`size` of the `.c4gh` in bytes, `sha256` of the plaintext: as a request states them."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Prepared:
    """`target_genomes`: rows of the samplesheet. `expected`: by PGS id."""

    folder: Path
    build: str
    samples: tuple[str, ...]
    variants: int
    target_genomes: tuple[Mapping[str, Any], ...]
    files: tuple[EncryptedFile, ...]
    scorefiles: Mapping[str, Path]
    expected: Mapping[str, Expected]
    private_key: bytes = field(repr=False)


def seeded(seed: str = SEED) -> Random:
    """A source of bytes that is always the same: for made-up data only."""
    return random.Random(seed).randbytes  # noqa: S311


def prepare(folder: Path, *, rand: Random, samples: int = 200, variants: int = 5000) -> Prepared:
    """Make it all below `folder`. The same `rand` gives the same bytes. Plaintext genomes are removed again.

    Raises `ToolsMissing` without the `pgs` extra.
    """
    import tempfile

    try:
        from genoferry.testing.cohort import generate
    except ImportError as error:
        raise ToolsMissing from error
    from genoferry.testing.crypt4gh_writer import encrypt, new_key

    for name in (COHORT, SCORES, KEYS):
        (folder / name).mkdir(parents=True, exist_ok=True)
    secret, public = new_key(rand)
    _write(folder / KEYS / KEY_FILE, key_file(secret), mode=0o600)
    with tempfile.TemporaryDirectory(prefix="genoferry-cohort-") as plain:
        made = generate(Path(plain), samples=samples, variants=variants, formats=("pfile",))
        files = []
        for name, path in sorted(made.files.items()):
            data = path.read_bytes()
            sealed = encrypt(data, [public], random=rand)
            _write(folder / COHORT / f"{name}.c4gh", sealed)
            files.append(EncryptedFile(f"{name}.c4gh", len(sealed), hashlib.sha256(data).hexdigest()))
        for path in made.scorefiles.values():
            _write(folder / SCORES / path.name, path.read_bytes())
    return Prepared(
        folder=folder,
        build=made.build,
        samples=made.samples,
        variants=variants,
        target_genomes=made.target_genomes,
        files=tuple(files),
        scorefiles={pgs_id: folder / SCORES / path.name for pgs_id, path in made.scorefiles.items()},
        expected=made.expected,
        private_key=secret,
    )


def key_file(secret: bytes) -> bytes:
    """A private key in Crypt4GH's own format, without a passphrase."""
    fields = (b"none", b"none", secret)
    blob = b"c4gh-v1" + b"".join(len(part).to_bytes(2, "big") + part for part in fields)
    return b"\n".join(
        (b"-----BEGIN CRYPT4GH PRIVATE KEY-----", b64encode(blob), b"-----END CRYPT4GH PRIVATE KEY-----", b"")
    )


def _write(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Whole or not at all: another process may be reading, or writing the same."""
    if path.exists() and path.read_bytes() == data:
        return
    scratch = path.with_name(f".{path.name}.new")
    scratch.unlink(missing_ok=True)
    scratch.touch(mode=mode)
    scratch.write_bytes(data)
    scratch.replace(path)
