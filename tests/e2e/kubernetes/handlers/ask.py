"""A handler whose jobs ask the test what to do: each says that it is there, asks until it is told, and does that."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

import urllib3

from genoferry.contracts.base import Contract
from genoferry.contracts.names import RunId
from genoferry.contracts.reports import ExitReport, OutputReport
from genoferry.errors import CalculationStopped
from genoferry.handlers.protocol import Outcome, Plan, Produced, Task


def _exit() -> None:
    os._exit(42)


def _take_memory() -> None:
    bytearray(10**10)


def _fill_scratch() -> None:
    Path(os.environ["GENOFERRY_SCRATCH"], "full").write_bytes(bytes(100 * 1024**2))
    while True:  # the kubelet looks now and then, and first asks it to end
        signal.pause()


DOES: Mapping[str, Callable[[], None]] = {
    "end": lambda: None,
    "exit": _exit,
    "memory": _take_memory,
    "scratch": _fill_scratch,
}


class AskBody(Contract):
    """`url`: whom to ask; the attempt is the path."""

    name: Literal["Ask"]
    run_id: RunId = "ask"
    url: str


class Ask:
    kind: ClassVar[Literal["job"]] = "job"
    name: ClassVar[str] = "Ask"
    body: ClassVar[type[AskBody]] = AskBody
    may_inline: ClassVar[bool] = True

    def plan(self, body: Any) -> Plan:
        assert isinstance(body, AskBody)
        return Plan(body.run_id, (), {"url": body.url})

    def run(self, task: Task) -> Outcome:
        url = f"{task.params['url']}/{task.attempt}"
        _say(url, "POST")
        if (word := _say(url, "GET")) == "wait":
            _print(word)
        while word == "wait":
            if task.stop.wait(0.1):
                raise CalculationStopped
            word = _say(url, "GET")
        _print(word)
        DOES[word]()
        written = task.out / "asked.txt"
        written.write_text(word)
        return Outcome([Produced(written, "text/plain")])

    def results(self, report: ExitReport) -> Sequence[OutputReport]:
        return report.outputs


def _print(word: str) -> None:
    sys.stdout.write(f"told to: {word}\n")
    sys.stdout.flush()


def _say(url: str, method: str) -> str:
    return urllib3.request(method, url, timeout=30).data.decode()


HANDLER = Ask()
