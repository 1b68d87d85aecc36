"""`genoferry status`: what is known of one job."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genoferry.cli import output

if TYPE_CHECKING:
    from genoferry.aws.objects import Objects
    from genoferry.ledger.row import Row

EPILOG = """[bold]Examples[/bold]

  genoferry status 1b4e28ba-2fa1-4d3b-a3f5-ef19b5a7633b

  genoferry status "$uuid" --json | jq -r .state
"""

Score = Mapping[str, Any]
NOT_READ = "What became of each score is in the results, which these credentials may not read."


def status(
    uuid: Annotated[str, typer.Argument(metavar="UUID", help="The request's uuid.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show a job: its state, times, error, results, and what became of each score asked for.

    Exit code 4 where no such job is known; the job's own state doesn't change the exit code (see `follow`).
    """
    from genoferry.cli.uuids import parsed

    known = asyncio.run(_status(parsed(uuid)))
    if as_json:
        output.document(known)
        return
    _show(known)


async def _status(uuid: str) -> dict[str, Any]:
    from genoferry.cli.services import services
    from genoferry.ledger.update import read

    async with services() as open_services:
        row = await read(open_services.ledger, uuid)
        scores = await read_scores(row, open_services.work, open_services.results)
        return describe(row, open_services.results.bucket, scores)


async def read_scores(row: Row, work: Objects, results: Objects) -> list[Score]:
    """Each score's outcome: of the results' report.json, else of the exit report while that is kept."""
    from genoferry.contracts.keys import exit_key
    from genoferry.errors import AccessDenied

    report = next((item.key for item in row.results if item.key.endswith("/report.json")), None)
    try:
        text = await (results.get(report) if report else work.get(exit_key(row.uuid, row.attempt)))
    except AccessDenied:  # an operator sees to jobs, and reads nobody's scores
        output.notes().print(NOT_READ)
        return []
    if text is None:
        return []
    try:
        return [_score(found) for found in json.loads(text).get("scores", ())]
    except (ValueError, AttributeError, KeyError, TypeError):
        return []  # a handler's own report.json may be anything


def _score(found: Mapping[str, Any]) -> Score:
    variants = found.get("variants") or {}
    return {
        "id": found["id"],
        "status": found["status"],
        "reason": found.get("reason"),
        "matched": found.get("variants_matched", variants.get("matched")),
        "total": found.get("variants_total", variants.get("total")),
    }


def describe(row: Row, results_bucket: str, scores: list[Score]) -> dict[str, Any]:
    """All of `status --json`."""
    times = {"created": row.created_at, "submitted": row.submitted_at, "running": row.running_at, "ended": row.ended_at}
    return {
        "uuid": row.uuid,
        "state": row.state,
        "name": row.name,
        "run_name": row.run_name,
        "experimentId": row.experiment_id,
        "attempt": row.attempt,
        "lost_attempts": row.lost_attempts,
        "failures": row.failures,
        "retry": output.iso(row.retry_at) if row.failures and not row.terminal else None,
        "runner": row.runner,
        **{name: output.iso(at) for name, at in times.items()},
        "timeout": output.iso(row.timeout_at),
        "error": row.error.model_dump() if row.error else None,
        "progress": row.progress.model_dump(exclude={"at"}) if row.progress and not row.terminal else None,
        "steps": _steps(row),
        "log_tail": list(row.log_tail),
        "verified": row.verified,
        "summary": row.summary.model_dump() if row.summary else None,
        "scores": scores,
        "results": [{"uri": f"s3://{results_bucket}/{item.key}", "size": item.size} for item in row.results],
        "unpublished_events": len(row.outbox),
        "events": [event.wire() for event in row.recent],
    }


def _show(known: Mapping[str, Any]) -> None:
    error, progress = known["error"], known["progress"]
    output.facts(
        [
            ("State", known["state"]),
            ("Request", f"{known['name']} {known['uuid']}"),
            ("Run", known["run_name"]),
            ("Experiment", known["experimentId"]),
            ("Attempt", str(known["attempt"])),
            ("Runner", known["runner"]),
            *((name.capitalize(), known[name]) for name in ("created", "submitted", "running", "ended")),
            ("Progress", progress and f"{progress['phase']}, {_amount(progress)}"),
            ("Trouble", _trouble(known)),
            ("Done", known["summary"] and _amount(known["summary"])),
            ("Verified", known["verified"] and f"inputs, by {known['verified']}"),
            ("Error", error and f"{error['userMessage']} [{error['code']}]"),
            *_results(known["results"]),
        ]
    )
    if known["steps"]:
        show_steps(known["steps"])
    if known["scores"]:
        show_scores(known["scores"])
    if known["log_tail"]:
        output.hint("The last lines of the process that failed:")
        for text in known["log_tail"]:
            output.line(text)
    if known["state"] == "SUCCEEDED":
        output.hint(f"Get them: genoferry results {known['uuid']} --out .")


def _steps(row: Row) -> list[dict[str, Any]]:
    """Of the pipeline, as last told of."""
    if row.state == "SUCCEEDED":
        return []
    events = (event for event in reversed(row.recent) if event.attempt == row.attempt)
    told = next((event.progress for event in events if event.progress and event.progress.steps), None)
    return [step.model_dump() for step in told.steps or ()] if told else []


def show_steps(steps: list[dict[str, Any]]) -> None:
    """A table of a pipeline's processes."""
    counts = ("done", "running", "pending")
    rows = [(s["name"], *(str(s[name]) for name in counts), _memory(s["peak_memory"])) for s in steps]
    output.table(("step", *counts, "peak memory"), rows, right=(*counts, "peak memory"))


def _memory(peak: int | None) -> str:
    return "" if peak is None else output.size(peak)


def show_scores(scores: list[Score]) -> None:
    """A table of what became of each score."""
    rows = [(s["id"], s["status"], _matched(s), s["reason"] or "") for s in scores]
    output.table(("score", "status", "variants matched", "reason"), rows, right=("variants matched",))


def _matched(score: Score) -> str:
    if score["total"] is None or score["matched"] is None:
        return ""
    return f"{score['matched']} of {score['total']}"


def _results(results: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Each by its URI; on a terminal their common folder, then their names."""
    sized = [(str(item["uri"]), output.size(item["size"])) for item in results]
    if not output.answers().is_terminal:
        return [("Result", f"{uri} ({size})") for uri, size in sized]
    folders = dict.fromkeys(uri.rpartition("/")[0] for uri, _ in sized)
    names = [("", f"  {uri.rpartition('/')[2]} ({size})") for uri, size in sized]
    return [*(("Results", f"{folder}/") for folder in folders), *names]


def _trouble(known: Mapping[str, Any]) -> str | None:
    if not known["retry"]:
        return None
    return f"failed {known['failures']} times in a row, tried again at {known['retry']}; the worker's log says why"


def _amount(counts: Mapping[str, Any]) -> str:
    return output.amount(counts["done"], counts["total"], counts["unit"])
