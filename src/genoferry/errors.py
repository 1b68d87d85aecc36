"""The one tree of errors.

Every error that leaves a room is a `GenoferryError`: a stable `code` for programs, a message for a person that
says what to do and never echoes what a sender wrote, and whether trying again can help. An error class's
docstring is its default message, so the reference page of error codes is generated from this file.
"""

from __future__ import annotations

import inspect
from typing import Any, ClassVar

MAX_USER_MESSAGE = 1024
"""Bytes of `userMessage` in an event (design, section 3)."""


class GenoferryError(Exception):
    """Something went wrong inside genoferry. The worker's log has the details."""

    code: ClassVar[str] = "internal-error"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or inspect.cleandoc(type(self).__doc__ or "").replace("\n", " "))

    @property
    def user_message(self) -> str:
        """The message, cut to `MAX_USER_MESSAGE` bytes of UTF-8."""
        return str(self).encode()[:MAX_USER_MESSAGE].decode(errors="ignore")


# --- settings -------------------------------------------------------------------------------------------------


class SettingsError(GenoferryError):
    """A setting is missing or wrong. Run `genoferry doctor` to see which."""

    code = "bad-settings"


# --- messages that never become a job (design, section 5) ----------------------------------------------------


class BadMessage(GenoferryError):
    """The message can't be acted on."""

    code = "bad-message"


class NotJson(BadMessage):
    """The message body is not JSON in UTF-8. Send one JSON object."""

    code = "not-json"


class NotAnObject(BadMessage):
    """The message body is JSON but not an object. Send one JSON object."""

    code = "not-an-object"


class MessageTooLarge(BadMessage):
    """The message is over 128 KiB or names more than 500 files. Split the request."""

    code = "message-too-large"


class InvalidEnvelope(BadMessage):
    """The envelope is not valid. It takes uuid, experimentId, timeout and body; see the schema of `request`."""

    code = "invalid-envelope"


class UnknownName(BadMessage):
    """`body.name` names no handler of this worker. See `genoferry schema --list` for the names it knows."""

    code = "unknown-name"


class InvalidBody(BadMessage):
    """The body does not fit its schema. See `genoferry schema NAME`."""

    code = "invalid-body"


class NotOffered(BadMessage):
    """The request asks for what this deployment doesn't offer. Ask its operator."""

    code = "not-offered"


class SourceNotAllowed(BadMessage):
    """The request names a source, key or scorefile that this deployment's allow-lists don't hold.
    Ask the operator to allow it, or use one that is allowed."""

    code = "source-not-allowed"


class Conflict(BadMessage):
    """A request with this uuid and another content exists already. Send the new request under a new uuid."""

    code = "conflict"


class UnknownTarget(BadMessage):
    """The request to cancel names a job of another experiment."""

    code = "unknown-target"


class TooManyReceives(BadMessage):
    """The message was received many times and could not be accepted. Look at the dead-letter queue for its cause,
    mend that and send it again."""

    code = "too-many-receives"


class NewerSchema(GenoferryError):
    """This was written by a newer genoferry. Upgrade this worker; it leaves the job alone."""

    code = "newer-schema"


# --- the services that genoferry stands on -------------------------------------------------------------------


class ServiceError(GenoferryError):
    """A service that genoferry stands on answered with an error."""

    code = "service-error"


class ServiceUnavailable(ServiceError):
    """A service that genoferry stands on does not answer or asks to slow down. It is tried again."""

    code = "service-unavailable"
    retryable = True


class AccessDenied(ServiceError):
    """A service refused genoferry's credentials. Check the role of worker or job."""

    code = "access-denied"


class NotFound(ServiceError):
    """A queue, topic, table, bucket or object that genoferry needs does not exist. Run `genoferry doctor`."""

    code = "not-found"


class PreconditionFailed(ServiceError):
    """A conditional write found another state than it was conditioned on."""

    code = "precondition-failed"


class ReceiptRetired(ServiceError):
    """A queue's message was received again since, so that this receipt of it counts no more."""

    code = "receipt-retired"


class NoSuchUpload(ServiceError):
    """The multipart upload is not known any more: it was completed, aborted or expired."""

    code = "no-such-upload"


# --- ledger ---------------------------------------------------------------------------------------------------


class LedgerError(GenoferryError):
    """The ledger can't do what was asked of it."""

    code = "ledger-error"


class VersionConflict(LedgerError):
    """The row was changed by another writer. It is read again."""

    code = "version-conflict"
    retryable = True


class LeaseLost(LedgerError):
    """The lease on this row was taken over by another worker."""

    code = "lease-lost"
    retryable = True


class NoSuchJob(LedgerError):
    """No job with this uuid is known here. Rows are kept for 15 days after a job's end."""

    code = "no-such-job"


class RowTooLarge(LedgerError):
    """The job's record would be over 64 KiB. Send fewer files in one request."""

    code = "row-too-large"


class EventsWaiting(LedgerError):
    """The topic has not taken this job's earlier events yet. The request is tried again."""

    code = "events-waiting"
    retryable = True


class TooManyAttempts(LedgerError):
    """The job has used its 16 attempts. Send the request under a new uuid."""

    code = "too-many-attempts"


# --- staging (design, section 7) ------------------------------------------------------------------------------


class StagingError(GenoferryError):
    """An input could not be staged."""

    code = "staging-failed"


class SourceMissing(StagingError):
    """A file of the request does not exist at its source. Check its path and name."""

    code = "source-missing"


class SourceDenied(StagingError):
    """The source refused access to a file. Check its permissions and the worker's credentials for it."""

    code = "source-denied"


class SourceUnavailable(StagingError):
    """The source does not answer, or answered with a server error. It is tried again."""

    code = "source-unavailable"
    retryable = True


class SourceChanged(StagingError):
    """A file changed at its source while it was read. It is staged anew."""

    code = "source-changed"
    retryable = True


class SourceShort(StagingError):
    """The source sent fewer bytes than it promised for a file. It is tried again."""

    code = "source-short"
    retryable = True


class RangeNotSatisfiable(StagingError):
    """The source can't serve the byte ranges of a file: the file is shorter than stated, or ranges are off."""

    code = "source-range"


class SizeMismatch(StagingError):
    """A file's size at the source is not the size stated in the request: it was cut, or another file is there."""

    code = "size-mismatch"


class DigestMismatch(StagingError):
    """A file's decrypted content does not have the sha256 stated in the request."""

    code = "digest-mismatch"


class Crypt4GHError(StagingError):
    """A file is not a valid Crypt4GH file."""

    code = "crypt4gh-invalid"


class WrongKey(Crypt4GHError):
    """No header packet of a file opens with the key of this request. Encrypt the file for this key's public half."""

    code = "wrong-key"


class SegmentCorrupt(Crypt4GHError):
    """A segment of a file fails its authentication tag: the file was damaged or altered."""

    code = "segment-corrupt"


class KeyUnavailable(StagingError):
    """The key service does not answer. It is tried again."""

    code = "key-unavailable"
    retryable = True


class KeyMissing(StagingError):
    """The private key of this request does not exist in that version."""

    code = "key-missing"


class KeyDenied(StagingError):
    """The key service refused the worker's credentials."""

    code = "key-denied"


class KeyMalformed(StagingError):
    """The private key can't be unwrapped: wrong password, or not a Crypt4GH private key."""

    code = "key-malformed"


class SourceIgnoresRange(StagingError):
    """The source does not serve byte ranges, which staging needs. Serve the files from one that does."""

    code = "source-ignores-range"


class SourceRedirects(StagingError):
    """The source redirects more than five times, or to nowhere."""

    code = "source-redirects"


class SourceUntrusted(StagingError):
    """The source's TLS certificate can't be verified. Mend it, or give the worker the authority that signed it."""

    code = "source-untrusted"


class FileTooLarge(StagingError):
    """A file is over 5 TiB, the most that one object of the work bucket can hold."""

    code = "file-too-large"


class StagingStopped(StagingError):
    """Staging was stopped before its end. What is uploaded is kept, and it goes on from there."""

    code = "staging-stopped"
    retryable = True


class UploadLost(StagingError):
    """The upload of a file was ended by another before it was complete. It is begun anew."""

    code = "upload-lost"
    retryable = True


class DestinationConflict(StagingError):
    """Another object is where a staged file belongs. Nothing was overwritten."""

    code = "destination-conflict"


# --- compute (design, section 6) ------------------------------------------------------------------------------


class ComputeError(GenoferryError):
    """The compute backend could not do what was asked of it."""

    code = "compute-failed"


class SubmitFailed(ComputeError):
    """The job could not be submitted to its compute backend."""

    code = "submit-failed"


class SubmitUnavailable(SubmitFailed):
    """The job could not be submitted for now: its machine is short of processes, memory or disk, or the service that
    gives its credentials asks to slow down. It is tried again."""

    code = "submit-unavailable"
    retryable = True


class CleanUpFailed(ComputeError):
    """What a job left at its compute could not be removed yet: its processes live on, or its folder can't be deleted.
    It is tried again."""

    code = "clean-up-failed"
    retryable = True


class AlreadySubmitted(ComputeError):
    """Another worker submitted this attempt."""

    code = "already-submitted"


class JobLost(ComputeError):
    """The job ended without its exit report: it was killed, or its machine went away."""

    code = "job-lost"
    retryable = True


class JobOutOfMemory(ComputeError):
    """The job was ended for want of memory. Give jobs more, or send fewer scores or samples in one request."""

    code = "job-out-of-memory"


class JobOutOfDisk(ComputeError):
    """The job filled its scratch. Give jobs more room, or send a file per chromosome."""

    code = "job-out-of-disk"


class JobUnschedulable(ComputeError):
    """The job could not be placed on any node in time. Ask for less, or add nodes that fit."""

    code = "job-unschedulable"


class JobUnpullable(ComputeError):
    """The job's image could not be had in time. Check its name, its tag and the pull secret."""

    code = "job-unpullable"


class NoExitReport(ComputeError):
    """The job says it succeeded but wrote no exit report, so nothing is known of its scores."""

    code = "no-exit-report"


class StartDeadline(ComputeError):
    """The job did not start running within its deadline."""

    code = "start-deadline"
    retryable = True


class RunDeadline(ComputeError):
    """The job ran past its deadline and was ended."""

    code = "run-deadline"


class Superseded(ComputeError):
    """This attempt was given up or is another process's: it stops before it does anything."""

    code = "superseded"


# --- calculation (pgsc_calc and the PGS Catalog's tools; exit codes: pgscatalog.core, pgsexceptions.py) -------


class CalculationError(GenoferryError):
    """The scores could not be calculated.

    `trace_name` and `trace_exit` name the process that failed and its exit code (None where none did); `scores`
    holds a `contracts.reports.ScoreReport` of each score asked for, where they were known; `log_tail` the last lines
    that the process printed, for the ledger and never for an event.
    """

    code = "calculation-failed"

    def __init__(
        self, message: str | None = None, *, trace_name: str | None = None, trace_exit: int | None = None
    ) -> None:
        super().__init__(message)
        self.trace_name = trace_name
        self.trace_exit = trace_exit
        self.scores: tuple[Any, ...] = ()
        self.log_tail: tuple[str, ...] = ()


class CalculationStopped(CalculationError):
    """The calculation was stopped before it was done."""

    code = "calculation-stopped"


class ToolsMissing(CalculationError):
    """The PGS Catalog's tools are not installed beside this Python. Install genoferry with its `pgs` extra."""

    code = "tools-missing"


class ToolFailed(CalculationError):
    """A tool of the calculation ended with an exit code that says nothing of the cause. Check that genomes and
    scorefiles are in their stated formats; the job's log has the tool's last lines."""

    code = "tool-failed"


class ToolKilled(CalculationError):
    """A tool of the calculation was killed by a signal, most often for want of memory. Give the job more memory."""

    code = "tool-killed"


class NeedsPlink2(CalculationError):
    """These genomes need plink2, and it is not on the job's PATH. Install plink2 (Debian: `apt install plink2`)."""

    code = "needs-plink2"


class GenotypesInvalid(CalculationError):
    """A genotype file can't be read: it is damaged, not in its stated format, or does not fit its companion files."""

    code = "genotypes-invalid"


class ScoresIncomplete(CalculationError):
    """The calculation ended without an error but not every sample has its score, or a sum is not that of all its parts.
    Nothing of it is published."""

    code = "scores-incomplete"


class ScorefileDownloadFailed(CalculationError):
    """A scorefile could not be downloaded. Check the connection to the PGS Catalog, or use a mirror."""

    code = "scorefile-download-failed"


class ScorefileInvalid(CalculationError):
    """A scorefile is not in the PGS Catalog's format 2.0. Check its header, its columns and its weights."""

    code = "scorefile-invalid"


class ScorefileChecksum(CalculationError):
    """A scorefile does not have the checksum that the PGS Catalog states. Download it again."""

    code = "scorefile-checksum"


class CatalogQueryFailed(CalculationError):
    """The PGS Catalog did not give a valid answer. Send the request again later, or use a mirror."""

    code = "catalog-query-failed"


class ScorefileMissing(CalculationError):
    """A score asked for is not in the PGS Catalog or the mirror. Check its id and that there is a scorefile for the
    genome build of the genomes."""

    code = "scorefile-missing"


class DuplicateMatches(CalculationError):
    """A variant of the genomes matched more than once. Remove variants that the genomes hold twice."""

    code = "duplicate-matches"


class OverlapTooLow(CalculationError):
    """A score's variants are not found in the genomes often enough. Impute the genomes, or lower `min_overlap`."""

    code = "overlap-too-low"


class ZeroMatches(CalculationError):
    """No score found enough of its variants in the genomes. Check that `target_build` is the build of the genomes,
    and that the genomes are imputed."""

    code = "zero-matches"


class MatchInputInvalid(CalculationError):
    """The genomes don't fit the samplesheet. Check that each row's `chrom` is the chromosome that its files hold."""

    code = "match-input-invalid"


class BuildMismatch(CalculationError):
    """A scorefile is of another genome build than the genomes. Use a scorefile harmonised to `target_build`."""

    code = "genome-build-mismatch"


class LiftoverFailed(CalculationError):
    """Too few variants of a scorefile could be lifted to the genome build of the genomes. Use a harmonised one."""

    code = "liftover-failed"


class GenomesMissing(CalculationError):
    """A genotype file that the samplesheet names is not there."""

    code = "genomes-missing"


class SamplesheetInvalid(CalculationError):
    """The samplesheet is not valid: one sampleset, each chromosome once, the same samples in every file."""

    code = "samplesheet-invalid"


class EffectTypeUnsupported(CalculationError):
    """A scorefile has weights that are neither additive, dominant nor recessive. Such scores can't be calculated."""

    code = "effect-type-unsupported"


# --- the Nextflow engine --------------------------------------------------------------------------------------


class HeadLost(CalculationError):
    """Nextflow itself was ended before the calculation was. The next attempt goes on where it was."""

    code = "head-lost"
    retryable = True


class HeadStillRuns(CalculationError):
    """Nextflow of an earlier attempt still runs in the job's workspace. The next attempt looks again."""

    code = "head-still-runs"
    retryable = True


class WorkspaceTaken(GenoferryError):
    """The job's workspace is another user's folder, or a link. Remove it, or set GENOFERRY_WORKSPACES to a folder that
    only genoferry's user may write to."""

    code = "workspace-taken"


class NodeLost(CalculationError):
    """The machine that a process ran on was lost. The next attempt goes on where it was."""

    code = "node-lost"
    retryable = True


class OutOfMemory(CalculationError):
    """A process was killed for want of memory, on its last try too. Raise the ceiling (GENOFERRY_NEXTFLOW_MAX_MEMORY)
    or send fewer scores in one request."""

    code = "out-of-memory"


class MemoryCeiling(CalculationError):
    """The calculation needs more memory than a process may have. Raise the ceiling (GENOFERRY_NEXTFLOW_MAX_MEMORY),
    or send fewer scores or one file per chromosome."""

    code = "memory-ceiling"


class DiskFull(CalculationError):
    """The disk that the calculation works on is full. Give the workspaces more room."""

    code = "disk-full"


class TimeLimit(CalculationError):
    """A process ran longer than it may. Raise the limit (GENOFERRY_NEXTFLOW_MAX_TIME)."""

    code = "time-limit"


class PipelineConfigInvalid(CalculationError):
    """Nextflow could not read the pipeline or its configuration. The operator finds the cause in the job's log tail;
    `genoferry render` shows what is run."""

    code = "pipeline-config"


class PipelineMissing(CalculationError):
    """The pipeline, its revision or a plugin of it could not be had. Put it into a folder (GENOFERRY_NEXTFLOW_PIPELINE,
    GENOFERRY_NEXTFLOW_PLUGINS_DIR), or let Nextflow go online."""

    code = "pipeline-missing"


class NextflowMissing(CalculationError):
    """Nextflow could not be started: it, or a Java that it can use, is not there. See GENOFERRY_NEXTFLOW_COMMAND."""

    code = "nextflow-missing"


class PipelineFailed(CalculationError):
    """Nextflow ended with an error for which no process is to blame. The operator finds the cause in the job's log
    tail."""

    code = "pipeline-failed"


class ChromosomesMismatch(CalculationError):
    """The genomes name their chromosomes otherwise than the samplesheet or the scorefiles do. Name them 1-22, X, Y, XY
    and MT, without a prefix, and give each row the chromosome that its files hold."""

    code = "chromosome-mismatch"


class DuplicateSamples(CalculationError):
    """The genomes hold a sample id more than once. Give every sample an id of its own."""

    code = "duplicate-samples"


# --- the embedded AWS (`genoferry local`) ---------------------------------------------------------------------


class LocalError(GenoferryError):
    """The embedded AWS could not do what was asked of it. Its logs are in its state folder."""

    code = "local-failed"


class LocalToolsMissing(LocalError):
    """The servers of the embedded AWS are not installed and could not be. Run `make setup` where a Python package
    index can be reached."""

    code = "local-tools-missing"


class LocalNotUp(LocalError):
    """The embedded AWS is not up. Run `genoferry local up`."""

    code = "local-not-up"


class DeployFailed(LocalError):
    """infra/template.yaml could not be deployed to this endpoint."""

    code = "deploy-failed"


# --- the command line -----------------------------------------------------------------------------------------


class FollowTimeout(GenoferryError):
    """The job has not ended within the time given. It goes on; run `genoferry follow` again."""

    code = "follow-timeout"


class NoResults(GenoferryError):
    """The job has no results: only a job that succeeded has. Run `genoferry status` with its uuid to see why."""

    code = "no-results"


class WouldOverwrite(GenoferryError):
    """A file of that name with another content is there already. Nothing was overwritten; `--force` replaces it."""

    code = "would-overwrite"


class ResultDamaged(GenoferryError):
    """A downloaded result is not what the job wrote: its size or digest is another. Download it again."""

    code = "result-damaged"


class PathUnusable(GenoferryError):
    """A file or folder can't be read or written. Check its path and permissions, or name another."""

    code = "path-unusable"


class ScoresDiffer(GenoferryError):
    """The scores of the demo are not those expected of them. This is a fault of genoferry's; please report it."""

    code = "scores-differ"


class DemoFailed(GenoferryError):
    """The demo could not be brought to its end. Its state folder has the logs."""

    code = "demo-failed"
