"""`genoferry preflight`: what a worker would find wrong with a request before it submits it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from genoferry.cli import output

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from genoferry.contracts.sources import Key
    from genoferry.handlers.protocol import PlannedInput
    from genoferry.pgsc.preflight import ExpectedOverlap, Verdict
    from genoferry.staging.private_key import PrivateKey
    from genoferry.worker.driver.stager import RealStager

EPILOG = """[bold]Examples[/bold]

  genoferry preflight payloads/calculate_scores.json

  genoferry preflight - --json < request.json
"""
SHOWN = {"ok": "ok", "doubtful": "warn", "failed": "fail"}


def preflight(
    file: Annotated[str, typer.Argument(metavar="PAYLOAD|-", help="The request, a JSON object; - reads stdin.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print findings and expected overlap as JSON.")] = False,
) -> None:
    """Look at a request's files, and say what will come of its calculation: checks, and the overlap of each score.

    The files are read where they are, with the settings, allow-lists and keys of a worker; they are decrypted in
    memory, from their beginning and no further than needed, and nothing is staged or sent. Scores asked for by id are
    looked for in GENOFERRY_SCORE_MIRROR. Exit code 1, and the error of the first check that fails, where the job would
    fail; warnings are no failure.
    """
    from genoferry.cli.send import read_text

    with output.notes().status("Looking at the files"):
        verdict = look(read_text(file))
    show(verdict, as_json=as_json)
    if verdict.failure is not None:
        raise verdict.failure


def look(text: str) -> Verdict:
    """Raises `BadMessage`s, `SettingsError`, `NotOffered`, and the errors of the sources and keys."""
    import threading
    from contextlib import ExitStack

    from genoferry import settings
    from genoferry.contracts.envelope import parse_request
    from genoferry.contracts.pipeline import PipelineParam
    from genoferry.errors import InvalidBody
    from genoferry.handlers.registry import find, load, parse_body
    from genoferry.handlers.scores import SCOREFILE, TARGET
    from genoferry.handlers.scores.preflight import site_of
    from genoferry.pgsc.preflight import Files, check, mirror
    from genoferry.worker.driver.stager import RealStager
    from genoferry.worker.intake.accept import check_offered

    known, request = settings.load(), parse_request(text)
    handler = find(load(known.compute.handler_modules), request.name)
    body = parse_body(handler, request)
    if handler.kind != "job" or not isinstance(pipeline := getattr(body, "pipeline_param", None), PipelineParam):
        raise InvalidBody("Only a request that calculates scores with pgsc_calc has a pre-flight.")
    plan = handler.plan(body)
    check_offered(plan.needs, known.offers)
    folder, build = known.compute.score_mirror, pipeline.nxf_params_file.target_build
    with ExitStack() as stack:
        stager = RealStager(known)
        stack.callback(stager.close)
        files: dict[str, dict[str, Callable[[], BinaryIO]]] = {TARGET: {}, SCOREFILE: {}}
        keys = _Keys(stager, stack)
        for item in plan.inputs:
            stager.check(item)
            files[item.role][item.name] = _opener(stager, item, keys)
        return check(
            pipeline,
            Files(files[TARGET], files[SCOREFILE]),
            known.preflight,
            lookup=mirror(folder, build) if folder and folder.is_dir() else None,
            site=site_of(known),
            stop=threading.Event(),
        )


class _Keys:
    """Each private key is fetched once, and wiped when the command ends."""

    def __init__(self, stager: RealStager, stack: Any) -> None:
        self._stager, self._stack = stager, stack
        self._known: dict[str, PrivateKey] = {}

    def of(self, key: Key) -> PrivateKey:
        name = key.model_dump_json()
        if name not in self._known:
            self._known[name] = self._stack.enter_context(self._stager.private_key(key))
        return self._known[name]


def _opener(stager: RealStager, item: PlannedInput, keys: _Keys) -> Callable[[], BinaryIO]:
    from genoferry.staging.plaintext import open_plaintext, open_stored

    def opened() -> Any:
        source, path = stager.source(item.location), item.location.path
        if item.key is None:
            return open_stored(source, path)
        return open_plaintext(source, path, keys.of(item.key), expect_size=item.size)

    return opened


def show(verdict: Verdict, *, as_json: bool) -> None:
    """Tables, or one JSON document."""
    from dataclasses import asdict

    if as_json:
        failure = verdict.failure
        output.document(
            {
                "ok": failure is None,
                "code": failure.code if failure else None,
                "samples": verdict.samples,
                "findings": [asdict(finding) for finding in verdict.findings],
                "scores": [asdict(score) for score in verdict.scores],
            }
        )
        return
    rows = [(finding.check, SHOWN[finding.status], finding.message) for finding in verdict.findings]
    output.table(("CHECK", "STATUS", "MESSAGE"), rows, whole=("CHECK", "STATUS"))
    if verdict.scores:
        output.line("")
        counts = ("VARIANTS", "LOOKED AT", "FOUND")
        columns = ("SCORE", *counts, "EXPECTED", "BETWEEN")
        output.table(columns, map(_row, verdict.scores), right=columns[1:], whole=columns)


def _row(score: ExpectedOverlap) -> tuple[str, ...]:
    variants = "?" if score.variants is None else str(score.variants)
    rate = "?" if score.rate is None else f"{score.rate:.1%}"
    counts = (variants, str(score.covered), str(score.matched))
    return (score.id, *counts, rate, f"{score.low:.1%}-{score.high:.1%}")
