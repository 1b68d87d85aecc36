"""`CalculateScores`: polygenic scores of encrypted genomes, by the PGS Catalog Calculator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import unquote

from pydantic import Field, model_validator

from genoferry.contracts.base import Contract
from genoferry.contracts.events import Summary, Warn
from genoferry.contracts.names import target_name
from genoferry.contracts.pipeline import PipelineParam, ScorefileUri
from genoferry.contracts.reports import ExitReport, OutputReport
from genoferry.contracts.sources import (
    FileSource,
    GlobusDetails,
    HttpsSource,
    Key,
    KeyServiceKey,
    Location,
    S3Source,
    SecretKeyDetails,
    Source,
)
from genoferry.handlers.protocol import Outcome, Plan, PlannedInput, PreflightInput, Produced, Task
from genoferry.handlers.scores import SCOREFILE, TARGET


class CalculateScoresBody(Contract):
    """One of `globus_details` and `source`, one of `secret_key_details` and `key`, one of ids and `scorefiles`."""

    name: Literal["CalculateScores"]
    pipeline_param: PipelineParam
    globus_details: GlobusDetails | None = None
    source: Source | None = None
    secret_key_details: SecretKeyDetails | None = None
    key: Key | None = None
    scorefiles: Annotated[tuple[ScorefileUri, ...], Field(min_length=1, max_length=100)] | None = None

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if (self.globus_details is None) == (self.source is None):
            raise ValueError("give either globus_details or source")
        if (self.secret_key_details is None) == (self.key is None):
            raise ValueError("give either secret_key_details or key")
        if self.pipeline_param.nxf_params_file.names_scores == (self.scorefiles is not None):
            raise ValueError("give either score ids in nxf_params_file (pgs_id, pgp_id, trait_efo) or scorefiles")
        names = [PurePosixPath(uri).name for uri in self.scorefiles or ()]
        if len(set(names)) < len(names):
            raise ValueError("scorefiles: two have the same file name")
        return self

    @model_validator(mode="after")
    def _files_are_those_of_the_samplesheet(self) -> Self:
        stored = [target_name(path) for path, _, _ in self._files()]
        if len(set(stored)) < len(stored):
            raise ValueError("files: two sources for one target")
        if any(str(folder) in stored for name in stored for folder in PurePosixPath(name).parents):
            raise ValueError("files: one is named as another's folder")
        if set(stored) != self.pipeline_param.file_names:
            raise ValueError("files and target_genomes must name the same files (those of files with .c4gh added)")
        return self

    def _files(self) -> Iterator[tuple[str, int, str | None]]:
        if self.globus_details is not None:
            yield from ((file.filename, file.size, None) for file in self.globus_details.files)
        elif self.source is not None:
            yield from ((file.path, file.size, file.sha256) for file in self.source.files)

    def inputs(self) -> Iterator[PlannedInput]:
        """The targets, then the scorefiles."""
        key = self.key or _key_service(self.secret_key_details)
        for path, size, sha256 in self._files():
            place = self._location(path)
            yield PlannedInput(TARGET, target_name(path), place, key=key, size=size, sha256=sha256)
        for uri in self.scorefiles or ():
            yield PlannedInput(SCOREFILE, PurePosixPath(uri).name, scorefile_location(uri))

    def _location(self, path: str) -> Location:
        if self.globus_details is not None:
            folder = self.globus_details.dir_path_on_guest_collection.strip("/")
            return Location(type="globus", base="", path=f"{folder}/{path}" if folder else path)
        return source_location(self.source, path)


def source_location(source: HttpsSource | S3Source | FileSource | None, path: str) -> Location:
    match source:
        case HttpsSource():
            return Location(type="https", base=source.base_url.rstrip("/"), path=path)
        case S3Source():
            return Location(type="s3", base=source.bucket, path=f"{source.prefix}/{path}" if source.prefix else path)
        case FileSource():
            return Location(type="file", base=source.root, path=path)
        case None:
            raise AssertionError("the model has a source or globus_details")


def scorefile_location(uri: str) -> Location:
    """An `s3://`, `https://` or `file://` URI: a bucket, host or folder, and the path in it. A URL's path is unquoted
    once (RFC 3986, section 2.4)."""
    scheme, _, rest = uri.partition("://")
    if scheme == "s3":
        bucket, _, key = rest.partition("/")
        return Location(type="s3", base=bucket, path=key)
    if scheme == "file":
        base, _, name = rest.rpartition("/")
        return Location(type="file", base=base or "/", path=name)
    host, _, path = rest.partition("/")
    return Location(type="https", base=f"{scheme}://{host}", path=unquote(path))  # it is quoted where it is fetched


def _key_service(details: SecretKeyDetails | None) -> KeyServiceKey | None:
    if details is None:
        return None
    return KeyServiceKey(type="key-service", secret_id=details.secret_id, version=details.secret_id_version)


CONTENT_TYPES = {
    ".gz": "application/gzip",
    ".html": "text/html",
    ".json": "application/json",
    ".csv": "text/csv",
    ".txt": "text/plain",
}


class CalculateScores:
    kind: ClassVar[Literal["job"]] = "job"
    name: ClassVar[str] = "CalculateScores"
    body: ClassVar[type[CalculateScoresBody]] = CalculateScoresBody
    may_inline: ClassVar[bool] = False

    def plan(self, body: Any) -> Plan:
        assert isinstance(body, CalculateScoresBody)  # noqa: S101  # the registry parsed it
        pipeline = body.pipeline_param
        return Plan(
            run_name=pipeline.id,
            inputs=tuple(body.inputs()),
            params=pipeline.model_dump(mode="json"),
            needs=pipeline.nxf_params_file.needs,
        )

    def preflight(self, inputs: PreflightInput) -> Sequence[Warn]:
        from genoferry.handlers.scores.preflight import run_preflight

        return run_preflight(inputs, PipelineParam.model_validate(dict(inputs.params)))

    def run(self, task: Task) -> Outcome:
        from genoferry.handlers.scores.engines import ENGINES

        pipeline = PipelineParam.model_validate(dict(task.params))
        outcome = ENGINES[task.settings.compute.engine](task, pipeline)
        return Outcome(
            outputs=[Produced(path, _content_type(path)) for path in outcome.outputs],
            scores=outcome.scores,
            samples=outcome.samples,
        )

    def results(self, report: ExitReport) -> Sequence[OutputReport]:
        """The scores first, then what explains them."""
        return sorted(report.outputs, key=lambda output: "aggregated_scores" not in output.key)

    def summary(self, report: ExitReport) -> Summary | None:
        """Of the scores asked for, those that were calculated."""
        calculated = [score for score in report.scores if score.status == "calculated"]
        return Summary(done=len(calculated), total=len(report.scores), unit="scores") if report.scores else None


def _content_type(path: Path) -> str:
    return CONTENT_TYPES.get(path.suffix, "application/octet-stream")


HANDLER = CalculateScores()
