"""The pages of the documentation as scripts: their shell commands, in the order in which they stand."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"(?:<!-- not run: (?P<reason>.+?) -->\n)?```(?P<language>\w+)\n(?P<text>.*?)^```$", re.S | re.M)
FILE = re.compile(r"# (?P<name>\w+\.py)\n")
"""The first line of a block that readers save under that name."""
MARK = "----- genoferry: block"


@dataclass(frozen=True)
class Block:
    """`reason`: of the comment by which a page says why a block is not run."""

    language: str
    text: str
    reason: str | None


def blocks(page: str) -> list[Block]:
    """Return the code blocks of a page, by its path from the root of the checkout."""
    text = (ROOT / page).read_text()
    return [Block(found["language"], found["text"], found["reason"]) for found in FENCE.finditer(text)]


def commands(page: str) -> list[str]:
    """Return the blocks of shell commands that are run."""
    return [block.text for block in blocks(page) if block.language == "sh" and block.reason is None]


def not_run(page: str) -> list[str]:
    """Return why each of the others isn't."""
    return [block.reason for block in blocks(page) if block.reason is not None]


def run_pages(
    pages: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    *,
    replace: Mapping[str, str] | None = None,
    seconds: float = 240,
) -> list[str]:
    """Run the pages' commands in `folder`, one after the other in one bash, which ends at the first that fails, and
    return what each block printed. Files that a page has readers save are there. What the commands leave in the
    background is killed. `replace`: of their text, such as a port that isn't free here.

    Raises `AssertionError` with all that was printed where a command fails or doesn't end.
    """
    for page in pages:
        _save_files(page, folder)
    script = _script([text for page in pages for text in commands(page)])
    for old, new in (replace or {}).items():
        script = script.replace(old, new)
    log = folder / "page.log"
    with log.open("wb") as out:
        shell = subprocess.Popen(
            ["bash", "-eo", "pipefail", "-c", script],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
        try:
            code: int | str = shell.wait(seconds)
        except subprocess.TimeoutExpired:
            code = f"none after {seconds} s"
        finally:
            with suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)
            shell.wait()
    printed = log.read_text(errors="replace")
    assert code == 0, f"{pages}: exit code {code}\n{printed}"
    assert "command not found" not in printed, printed  # bash goes on where that is in an argument
    return re.split(rf"^{MARK} \d+\n", printed, flags=re.M)[1:]


def _script(texts: list[str]) -> str:
    """Subshells would lose the variables that later blocks use."""
    return "".join(f"echo '{MARK} {number}'\n{text}" for number, text in enumerate(texts))


def _save_files(page: str, folder: Path) -> None:
    for block in blocks(page):
        if named := FILE.match(block.text):
            (folder / named["name"]).write_text(block.text)
