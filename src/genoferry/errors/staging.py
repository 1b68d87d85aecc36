"""Staging."""

from __future__ import annotations

from genoferry.errors.base import GenoferryError


class StagingError(GenoferryError):
    """An input could not be staged."""

    code = "staging-failed"


class SourceMissing(StagingError):
    """A file of the request does not exist at its source. Check its path and name."""

    code = "source-missing"


class SourceDenied(StagingError):
    """The source refused access to a file. Check its permissions and the worker's credentials for it."""

    code = "source-denied"


class SourceUnavailable(StagingError):
    """The source does not answer, or answered with a server error. It is tried again."""

    code = "source-unavailable"
    retryable = True


class SourceChanged(StagingError):
    """A file changed at its source while it was read. It is staged anew."""

    code = "source-changed"
    retryable = True


class SourceShort(StagingError):
    """The source sent fewer bytes than it promised for a file. It is tried again."""

    code = "source-short"
    retryable = True


class RangeNotSatisfiable(StagingError):
    """The source can't serve the byte ranges of a file: the file is shorter than stated, or ranges are off."""

    code = "source-range"


class SizeMismatch(StagingError):
    """A file's size at the source is not the size stated in the request: it was cut, or another file is there."""

    code = "size-mismatch"


class DigestMismatch(StagingError):
    """A file's decrypted content does not have the sha256 stated in the request."""

    code = "digest-mismatch"


class Crypt4GHError(StagingError):
    """A file is not a valid Crypt4GH file."""

    code = "crypt4gh-invalid"


class WrongKey(Crypt4GHError):
    """No header packet of a file opens with the key of this request. Encrypt the file for this key's public half."""

    code = "wrong-key"


class SegmentCorrupt(Crypt4GHError):
    """A segment of a file fails its authentication tag: the file was damaged or altered."""

    code = "segment-corrupt"


class KeyUnavailable(StagingError):
    """The key service does not answer. It is tried again."""

    code = "key-unavailable"
    retryable = True


class KeyMissing(StagingError):
    """The private key of this request does not exist in that version."""

    code = "key-missing"


class KeyDenied(StagingError):
    """The key service refused the worker's credentials."""

    code = "key-denied"


class KeyMalformed(StagingError):
    """The private key can't be unwrapped: wrong password, or not a Crypt4GH private key."""

    code = "key-malformed"


class SourceIgnoresRange(StagingError):
    """The source does not serve byte ranges, which staging needs. Serve the files from one that does."""

    code = "source-ignores-range"


class SourceRedirects(StagingError):
    """The source redirects more than five times, or to nowhere."""

    code = "source-redirects"


class SourceUntrusted(StagingError):
    """The source's TLS certificate can't be verified. Mend it, or give the worker the authority that signed it."""

    code = "source-untrusted"


class FileTooLarge(StagingError):
    """A file is over 5 TiB, the most that one object of the work bucket can hold."""

    code = "file-too-large"


class StagingStopped(StagingError):
    """Staging was stopped before its end. What is uploaded is kept, and it goes on from there."""

    code = "staging-stopped"
    retryable = True


class UploadLost(StagingError):
    """The upload of a file was ended by another before it was complete. It is begun anew."""

    code = "upload-lost"
    retryable = True


class DestinationConflict(StagingError):
    """Another object is where a staged file belongs. Nothing was overwritten."""

    code = "destination-conflict"
