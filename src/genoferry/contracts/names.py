"""The strings that a sender may write where they become paths, keys or names."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

CRYPT4GH_SUFFIX = ".c4gh"


def check_relative_path(value: str) -> str:
    """A relative POSIX path that stays below its root: no `..`, no absolute path, no NUL or other control character.

    Raises `ValueError` with a message that doesn't echo the value.
    """
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts or "\\" in value:
        raise ValueError("must be a relative path without '..' or backslashes")
    if any(ord(c) < 32 or ord(c) == 127 for c in value):
        raise ValueError("must not hold control characters")
    if str(path) != value or value == ".":
        raise ValueError("must be a plain path: no empty, '.' or trailing parts")
    return value


def target_name(path: str) -> str:
    """The name that a stored file has once it is decrypted: `a/hg_22.pgen.c4gh` is `a/hg_22.pgen`."""
    return path.removesuffix(CRYPT4GH_SUFFIX)


RelativePath = Annotated[
    str, StringConstraints(min_length=1, max_length=512, strict=True), AfterValidator(check_relative_path)
]
RunId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$", strict=True)]
"""`pipeline_param.id`: it becomes a run name and part of object keys."""
ExperimentId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:@-]{0,127}$", strict=True)]
"""Also the MessageGroupId, whose alphabet and length (128) SQS limits."""
SafeText = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=r"^[\x20-\x7e]+$", strict=True)]
"""Short printable ASCII: identifiers of others that we only pass on."""
