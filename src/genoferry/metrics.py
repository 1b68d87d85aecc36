"""Numbers for Prometheus: what this process counts. Off until `switch_on`, since most processes are asked by nobody.

No label holds anything of a sender: its values are names of states, events, loops, and codes of the tree of errors.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from genoferry.errors import GenoferryError

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

PREFIX = "genoferry_"


@dataclass(frozen=True)
class Meter:
    kind: Literal["Counter", "Gauge", "Histogram"]
    text: str
    labels: tuple[str, ...] = ()


METERS = {
    "messages": Meter("Counter", "Messages of the work queue, by what became of them.", ("outcome", "code")),
    "transitions": Meter("Counter", "Jobs that this worker brought from one state to another.", ("before", "after")),
    "failures": Meter("Counter", "Jobs that this worker ended as failed, by error code.", ("code",)),
    "events": Meter("Counter", "Events published, by name.", ("event",)),
    "staged_bytes": Meter("Counter", "Plaintext bytes staged."),
    "leases_lost": Meter("Counter", "Leases that another took over: of a row, of the runner.", ("lease",)),
    "runner_lease": Meter("Gauge", "1 while this worker holds its runner's lease."),
    "due_jobs": Meter("Gauge", "Jobs that something was due for at the last look."),
    "owed_jobs": Meter("Gauge", "Jobs that something is owed to now or later, as the lease's holder sees them."),
    "loop_turn_seconds": Meter("Histogram", "Duration of a loop's turn; a poll's has its wait in it.", ("loop",)),
    "loop_late_seconds": Meter("Gauge", "How far a loop is behind its period.", ("loop",)),
    "ready": Meter("Gauge", "1 while the worker is ready."),
    "build_info": Meter("Gauge", "1, with the worker's version.", ("version",)),
}
"""By name, without the prefix; counters end in `_total` on the wire."""

TURN_SECONDS = (0.01, 0.1, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120)
"""The histogram's buckets: an idle poll takes 20."""


class Meters:
    """The registry and its meters, made anew: Prometheus's own global one belongs to whoever embeds us."""

    def __init__(self) -> None:
        import prometheus_client as prometheus

        self.registry: CollectorRegistry = prometheus.CollectorRegistry()
        prometheus.ProcessCollector(registry=self.registry)
        buckets: dict[str, Any] = {"Histogram": {"buckets": TURN_SECONDS}}
        self.by_name: dict[str, Any] = {
            name: getattr(prometheus, meter.kind)(
                PREFIX + name, meter.text, meter.labels, registry=self.registry, **buckets.get(meter.kind, {})
            )
            for name, meter in METERS.items()
        }

    def of(self, name: str, labels: dict[str, str]) -> Any:
        return self.by_name[name].labels(**labels) if labels else self.by_name[name]


_on: Meters | None = None


def switch_on() -> None:
    """From here on this process counts. Again: it goes on counting."""
    global _on  # noqa: PLW0603  # as logging is: one for a process, and everywhere
    _on = _on or Meters()


def count(name: str, amount: float = 1, **labels: str) -> None:
    if _on is not None:
        _on.of(name, _known(labels)).inc(amount)


def put(name: str, value: float, **labels: str) -> None:
    """The gauge's value from here on."""
    if _on is not None:
        _on.of(name, labels).set(value)


def observe(name: str, seconds: float, **labels: str) -> None:
    if _on is not None:
        _on.of(name, labels).observe(seconds)


def page() -> tuple[bytes, str]:
    """All numbers in Prometheus's text format, and its content type."""
    from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

    return (generate_latest(_on.registry) if _on else b""), CONTENT_TYPE_LATEST


def _known(labels: dict[str, str]) -> dict[str, str]:
    """A job's exit report names a code, too: one that isn't ours is `other`."""
    if not labels.get("code") or labels["code"] in set(_codes(GenoferryError)):
        return labels
    return labels | {"code": "other"}


def _codes(kind: type[GenoferryError]) -> Iterator[str]:
    yield kind.code
    for below in kind.__subclasses__():
        yield from _codes(below)
