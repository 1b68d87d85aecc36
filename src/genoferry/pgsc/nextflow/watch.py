"""Following a run: its trace file and its console, read as they grow. Both are local files of the head's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from genoferry.contracts.events import ProgressInfo
from genoferry.pgsc.nextflow.console import Console
from genoferry.pgsc.nextflow.file_tail import Growing
from genoferry.pgsc.nextflow.progress import progress
from genoferry.pgsc.nextflow.trace import Trace


class Watch:
    """`expected`: how many processes of each step a run needs (`steps.expected`)."""

    def __init__(self, trace: Path, console: Path, expected: Mapping[str, int]) -> None:
        self.trace = Trace()
        self.console = Console()
        self._expected = expected
        self._files = (Growing(console), self.console.feed), (Growing(trace), self.trace.feed)

    def look(self) -> ProgressInfo:
        """Read what is new, and say how far the run is."""
        for file, feed in self._files:
            feed(file.read())
        return progress(self.trace.tasks, self.console, self._expected)
