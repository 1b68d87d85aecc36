"""What the operating system says of a file or folder, as an error of ours that says what to do."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping

from genoferry.errors import PathUnusable
from genoferry.files import FULL

ADVICE: Mapping[int, str] = {
    errno.EACCES: "Name a folder that you may write to, or change its permissions.",
    errno.EPERM: "Name a folder that you may write to, or change its permissions.",
    errno.EROFS: "Name a folder on a file system that can be written to.",
    errno.ENOSPC: "Free some space, or name a folder on another disk.",
    errno.EDQUOT: "Free some space, or name a folder where you have more.",
    errno.ENOTDIR: "A file is where a folder has to be: name another folder.",
    errno.EEXIST: "A file is where a folder has to be: name another folder.",
    errno.EISDIR: "A folder is where a file has to be: name another file.",
    errno.ENOENT: "Check the path: it is not there, and can't be made there.",
}
"""By the number of the error (errno(3))."""
CHECK = "Check the path, or name another."


def unusable(error: OSError) -> PathUnusable | None:
    """The error of ours, or None where it is about no file."""
    if error.filename is None and error.errno not in FULL:  # a write that a full disk stops knows no name
        return None
    place = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes | os.PathLike) else ""
    advice = ADVICE.get(error.errno or 0, CHECK)
    return PathUnusable(f"{place}{error.strerror or type(error).__name__}. {advice}")
