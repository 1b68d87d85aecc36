"""Programs that run beside the tests, and end with them whatever ends the tests."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import psutil

ENDS_WITH_US = ("setpriv", "--pdeathsig", "KILL")
SECONDS_TO_END = 30


class Program:
    """One program and its log. It can be killed and started again, as often as a test likes."""

    def __init__(self, arguments: Sequence[str], log: Path, folder: Path) -> None:
        self.arguments = list(arguments)
        self.log = log
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it. Only a path is kept of the environment: no proxy and no credentials reach a pod's servers."""
        assert not self.alive
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*ENDS_WITH_US, *self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={"PATH": os.environ["PATH"], "HOME": str(self.folder)},
            )

    def kill(self) -> None:
        """SIGKILL it; where it was started in other namespaces, it is the child of the process that we know."""
        if self._process is None:
            return
        for child in self._children():
            child.kill()
        self._process.kill()
        self._process.wait(SECONDS_TO_END)

    def last_words(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-3000:]

    def _children(self) -> list[psutil.Process]:
        try:
            return psutil.Process(self.pid).children()
        except psutil.NoSuchProcess:
            return []
