"""Where inputs and keys are: what a request may say of them (design, section 3)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from genoferry.contracts.base import CamelContract, Contract
from genoferry.contracts.names import RelativePath, SafeText, target_name

MAX_FILES = 500
MAX_OBJECT_BYTES = 5 * 1024**4

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f]{64}$", to_lower=True)]
Bucket = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
Size = Annotated[int, Field(ge=0, le=MAX_OBJECT_BYTES, strict=True)]


class Location(Contract):
    """One file, wherever it is: `base` is a URL, a bucket or a root folder, `path` is below it.

    `globus` is the deployment's own collection: its base URL is a setting, and its token goes nowhere else.
    """

    type: Literal["globus", "https", "s3", "file"]
    base: str
    path: str


class SourceFile(Contract):
    """One encrypted file: `size` in bytes as stored (`.c4gh`), `sha256` of the plaintext."""

    path: RelativePath
    size: Size
    sha256: Sha256 | None = None

    @property
    def target(self) -> str:
        return target_name(self.path)


Files = Annotated[tuple[SourceFile, ...], Field(min_length=1, max_length=MAX_FILES)]


class HttpsSource(CamelContract):
    type: Literal["https"]
    base_url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s?#@]+$", max_length=1024)]
    files: Files


class S3Source(CamelContract):
    type: Literal["s3"]
    bucket: Bucket
    prefix: RelativePath | Literal[""] = ""
    files: Files


class FileSource(CamelContract):
    type: Literal["file"]
    root: Annotated[str, StringConstraints(pattern=r"^/[^\x00]*$", max_length=1024)]
    files: Files


Source = Annotated[HttpsSource | S3Source | FileSource, Field(discriminator="type")]


class GlobusFile(Contract):
    filename: RelativePath
    size: Size


class GlobusDetails(Contract):
    """Files of a Globus guest collection; the collection's base URL is the deployment's own setting."""

    dir_path_on_guest_collection: Annotated[str, StringConstraints(max_length=512, pattern=r"^[^\x00-\x1f?#\\]*$")]
    files: Annotated[tuple[GlobusFile, ...], Field(min_length=1, max_length=MAX_FILES)]


class SecretKeyDetails(Contract):
    """Names a private key at the key service."""

    secret_id: SafeText
    secret_id_version: SafeText


class KeyServiceKey(CamelContract):
    type: Literal["key-service"]
    secret_id: SafeText
    version: SafeText


class SecretsManagerKey(CamelContract):
    type: Literal["secrets-manager"]
    secret_id: SafeText
    version_id: SafeText | None = None


class FileKey(CamelContract):
    type: Literal["file"]
    path: Annotated[str, StringConstraints(pattern=r"^/[^\x00]*$", max_length=1024)]
    passphrase_file: Annotated[str, StringConstraints(pattern=r"^/[^\x00]*$", max_length=1024)] | None = None


Key = Annotated[KeyServiceKey | SecretsManagerKey | FileKey, Field(discriminator="type")]
