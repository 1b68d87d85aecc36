"""A folder that can't be used ends a command with one sentence, not with a stack trace."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from genoferry.cli.exit_codes import ExitCode
from genoferry.cli.paths import ADVICE, CHECK, unusable

COMMANDS = {
    "local up": ("local", "up", "--state"),
    "demo": ("demo", "--state"),
    "schema": ("schema", "--all", "--out"),
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize("below", ["", "below"])
def test_a_file_for_a_folder_is_named(run, tmp_path: Path, command: tuple[str, ...], below: str) -> None:
    """Below a file no folder can be made, whoever asks: root may write to a folder that is read-only."""
    file = tmp_path / "file"
    file.touch()
    result = run(*command, str(file / below))
    assert result.exit_code == ExitCode.USAGE
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"Error: {file / below}: ")
    assert line.endswith("A file is where a folder has to be: name another folder.  [path-unusable]")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_read_only_folder_is_named(run, tmp_path: Path, command: tuple[str, ...]) -> None:
    tmp_path.chmod(0o500)
    result = run(*command, str(tmp_path / "below"))
    assert result.exit_code == ExitCode.USAGE
    assert "Name a folder that you may write to" in result.stderr


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOSPC, errno.ENOTDIR, errno.ELOOP])
def test_each_cause_says_what_to_do(number: int) -> None:
    error = unusable(OSError(number, os.strerror(number), "/some/folder"))
    assert str(error) == f"/some/folder: {os.strerror(number)}. {ADVICE.get(number, CHECK)}"


def test_a_full_disk_needs_no_name() -> None:
    """A write has a descriptor, not a name."""
    assert str(unusable(OSError(errno.ENOSPC, "No space left on device"))).startswith("No space left on device. Free")


@pytest.mark.parametrize(
    "error", [ConnectionRefusedError(111, "Connection refused"), TimeoutError(), BrokenPipeError()]
)
def test_what_is_about_no_file_stays(error: OSError) -> None:
    assert unusable(error) is None
