"""Every setting, nested by package. A package gets its own as an argument; nothing below the top reads the environment.

The reference page `docs/reference/settings.md` is generated from these models.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from pydantic_settings.exceptions import SettingsError as UnreadableError

from genoferry.errors import SettingsError

Names = Annotated[tuple[str, ...], NoDecode]
"""A comma-separated list."""


def _config(prefix: str) -> SettingsConfigDict:
    return SettingsConfigDict(env_prefix=prefix, frozen=True, extra="ignore", hide_input_in_errors=True)


def _split(value: object) -> object:
    return tuple(p.strip() for p in value.split(",") if p.strip()) if isinstance(value, str) else value


class AllowSettings(BaseSettings):
    """What a sender may point at. Empty lists, the default, allow nothing."""

    model_config = _config("GENOFERRY_ALLOW_")

    file_roots: Names = Field((), description="Folders that `file` sources and scorefiles may be in.")
    key_roots: Names = Field((), description="Folders that `file` keys and passphrase files may be in.")
    hosts: Names = Field((), description="`host` or `host:port` that https sources and scorefiles may be on.")
    buckets: Names = Field((), description="Buckets that s3 sources and scorefiles may be in.")
    secret_prefixes: Names = Field((), description="Prefixes of Secrets Manager secret ids that may hold keys.")

    _lists = field_validator("file_roots", "key_roots", "hosts", "buckets", "secret_prefixes", mode="before")(_split)


class KeyServiceSettings(BaseSettings):
    """The service that holds the private keys (HTTP Basic), and the password that unwraps what it answers."""

    model_config = _config("GENOFERRY_KEY_SERVICE_")

    url: str | None = Field(None, description="Base URL of the key service; keys are at /key/{id}/version/{version}.")
    username: str | None = Field(None, description="HTTP Basic user name.")
    password: SecretStr | None = Field(None, description="HTTP Basic password.")
    wrapping_password: SecretStr | None = Field(None, description="Password that the wrapping key is derived from.")


class GlobusSettings(BaseSettings):
    """The Globus guest collection that `globus_details` names files of, and the OAuth client that may read it."""

    model_config = _config("GENOFERRY_GLOBUS_")

    base_url: str | None = Field(None, description="HTTPS base URL of the collection.")
    token_url: str | None = Field(None, description="OAuth2 token endpoint (client credentials).")
    client_id: str | None = Field(None, description="OAuth2 client id.")
    client_secret: SecretStr | None = Field(None, description="OAuth2 client secret.")
    scope: str | None = Field(None, description="OAuth2 scope, as the collection names it.")


class QueueSettings(BaseSettings):
    model_config = _config("GENOFERRY_QUEUE_")

    wait_seconds: int = Field(20, ge=0, le=20, description="Long-poll time of one receive.")
    batch: int = Field(10, ge=1, le=10, description="Messages of one receive.")
    visibility_seconds: int = Field(60, ge=5, le=43200, description="Visibility timeout while a message is accepted.")
    max_receives: int = Field(5, ge=1, description="Receives after which a lasting failure is rejected.")
    max_receives_at_all: int = Field(15, ge=1, description="Receives after which any failure is rejected.")


class StagingSettings(BaseSettings):
    model_config = _config("GENOFERRY_STAGING_")

    part_size: int = Field(16 * 1024**2, ge=5 * 1024**2, description="Bytes of one part of an upload, at least.")
    parts_in_flight: int = Field(4, ge=1, le=64, description="Parts of one file in memory at once.")
    jobs_at_once: int = Field(1, ge=1, description="Jobs that one worker stages at once.")


class WorkerSettings(BaseSettings):
    model_config = _config("GENOFERRY_WORKER_")

    lease_seconds: float = Field(20, gt=0, description="Length of a lease; renewed three times in it.")
    tick_seconds: float = Field(1, gt=0, description="Between looks at what is owed while something is.")
    idle_tick_seconds: float = Field(10, gt=0, description="Between looks at what is owed while nothing is.")
    watch_seconds: float = Field(5, gt=0, description="Between two observations of the running jobs.")
    gone_seconds: float = Field(60, ge=0, description="How long a job must be missing before it counts as gone.")
    grace_seconds: float = Field(30, ge=0, description="What running work gets after SIGTERM.")
    progress_seconds: float = Field(15, ge=0, description="Between two Progress events of one job, at least.")
    backoff_seconds: float = Field(60, gt=0, description="Most that a transient failure is backed off by, full jitter.")
    max_failures: int = Field(10, ge=1, description="Passing failures in a row after which a job fails.")
    max_lost_attempts: int = Field(3, ge=1, le=16, description="Attempts of a job whose compute loses it.")


class ComputeSettings(BaseSettings):
    model_config = _config("GENOFERRY_")

    runner: Literal["local", "kubernetes"] = Field("local", description="Where jobs run.")
    max_running: int = Field(2, ge=1, description="Jobs admitted at once, per runner.")
    start_deadline_seconds: float = Field(3600, gt=0, description="From submission to running.")
    run_deadline_seconds: float = Field(48 * 3600, gt=0, description="From running to the end.")
    local_dir: Path = Field(
        Path("~/.local/state/genoferry/jobs"), description="Where the local runner's jobs have their folders."
    )
    local_memory_mib: int | None = Field(
        None,
        ge=64,
        description="MiB of memory that a local job may use; default: 80 % of the machine's / GENOFERRY_MAX_RUNNING.",
    )
    local_scratch_mib: int | None = Field(
        None,
        ge=1,
        description="MiB of disk that it may use; default: 90 % of what is free at its start / GENOFERRY_MAX_RUNNING.",
    )
    local_grace_seconds: float = Field(
        40, gt=0, description="From SIGTERM to SIGKILL of a local job; Nextflow takes 20 of it to end its tasks."
    )
    engine: Literal["embedded", "nextflow"] = Field("embedded", description="What calculates: see docs.")
    workspaces: Path | None = Field(
        None, description="Where the Nextflow engine's workspaces are, kept over attempts; default: the local_dir."
    )
    score_mirror: Path | None = Field(None, description="Folder of scorefiles named as the PGS Catalog names them.")
    handler_modules: Names = Field((), description="Further modules that hold handlers.")
    job_aws_access_key_id: str | None = Field(None, description="Static identity of local jobs (embedded AWS).")
    job_aws_secret_access_key: SecretStr | None = Field(None, description="Its secret.")
    job_role_arn: str | None = Field(None, description="Role that local jobs' session credentials are taken from.")

    _lists = field_validator("handler_modules", mode="before")(_split)
    _home = field_validator("local_dir", "score_mirror", "workspaces")(
        lambda path: path and path.expanduser().absolute()
    )


class KubernetesSettings(BaseSettings):
    """The cluster that the runner `kubernetes` submits to, and what a job's pod gets."""

    model_config = _config("GENOFERRY_KUBERNETES_")

    kubeconfig: Path | None = Field(
        None, description="File that says how to reach the cluster; default: the pod's service account, or KUBECONFIG."
    )
    context: str | None = Field(None, description="Context of that file; default: its current one.")
    namespace: str | None = Field(
        None, description="Namespace of the jobs; default: GENOFERRY_NEXTFLOW_NAMESPACE, or `default`."
    )
    image: str | None = Field(None, description="Image of the jobs; default: genoferry of the worker's own version.")
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = Field("IfNotPresent", description="As it says.")
    image_pull_secrets: Names = Field((), description="Secrets that the image is pulled with.")
    service_account: str | None = Field(None, description="Service account of the jobs, which has their AWS role.")
    credentials: Literal["service-account", "secret"] = Field(
        "service-account",
        description="Where jobs have their AWS credentials from; `secret`: GENOFERRY_JOB_AWS_… in a Secret of the Job.",
    )
    env: dict[str, str] = Field({}, description='Further variables of the jobs, as JSON: {"AWS_REGION": "…"}.')
    cpus: int = Field(2, ge=1, description="CPUs that a job's pod asks for.")
    memory_mib: int = Field(4096, ge=64, description="MiB of memory that it asks for, and its limit.")
    scratch_mib: int = Field(51200, ge=64, description="MiB of its scratch, at most.")
    scratch_class: str | None = Field(
        None, description="Storage class of the scratch, a volume of the pod's own; default: the node's disk."
    )
    scores_claim: str | None = Field(
        None, description="Volume claim of the jobs' namespace, mounted read-only at GENOFERRY_SCORE_MIRROR."
    )
    labels: dict[str, str] = Field(
        {},
        description="Further labels of Jobs and their pods, as JSON (a cost code); those of Kueue are the Job's alone.",
    )
    pod_annotations: dict[str, str] = Field(
        {"karpenter.sh/do-not-disrupt": "true", "cluster-autoscaler.kubernetes.io/safe-to-evict": "false"},
        description="Annotations of the jobs' pods, as JSON; by default autoscalers leave the nodes of jobs alone.",
    )
    node_selector: dict[str, str] = Field({}, description="Labels of the nodes that jobs may run on, as JSON.")
    tolerations: list[dict[str, Any]] = Field([], description="Tolerations of the pods, as JSON.")
    priority_class: str | None = Field(None, description="Priority class of the pods.")
    host_network: bool = Field(False, description="Use the node's network (pod security `restricted` refuses it).")
    grace_seconds: int = Field(120, ge=1, description="From SIGTERM to SIGKILL.")
    ttl_seconds: int = Field(86400, ge=60, description="How long an ended Job stays that nobody cleaned up.")
    unschedulable_seconds: float = Field(1800, gt=0, description="How long a pod may find no node before it fails.")
    unpullable_seconds: float = Field(600, gt=0, description="How long its image may not be had before it fails.")
    lost_seconds: float = Field(300, gt=0, description="How long a pod may outlive its end before its node is lost.")
    relist_seconds: float = Field(300, ge=10, description="Between two LISTs, the watch's safety net.")
    idle_seconds: float = Field(180, ge=10, description="How long the watch goes on when nobody looks.")
    clean_seconds: float = Field(15, gt=0, description="How long one clean-up waits until a Job is gone.")

    _lists = field_validator("image_pull_secrets", mode="before")(_split)


class NextflowSettings(BaseSettings):
    """How the Nextflow engine runs pgsc_calc. Paths are those of the machine or pod that the job runs on."""

    model_config = _config("GENOFERRY_NEXTFLOW_")

    command: str = Field("nextflow", description="The Nextflow launcher: a name on the PATH, or a path.")
    pipeline: str = Field(
        "PGScatalog/pgsc_calc", description="A GitHub repository, a folder, or s3://BUCKET/PREFIX of one."
    )
    revision: str | None = Field("v2.2.0", description="Revision of the repository; a folder is run as it is.")
    offline: bool = Field(True, description="Nextflow may not go to the internet: pipeline and plugins from folders.")
    plugins_dir: Path | None = Field(None, description="Folder of Nextflow plugins that are already there.")
    plugins: Names = Field((), description="Plugins, as `id@version`, in place of the pipeline's own (`-plugins`).")
    custom_config_base: str | None = Field(None, description="pgsc_calc's `custom_config_base`; a folder when offline.")
    only_score: bool = Field(False, description="Leave out pgsc_calc's own report, which needs Quarto (`only_score`).")
    profile: Names = Field((), description="Nextflow profiles: docker, singularity, apptainer, conda, ….")
    executor: Literal["local", "k8s", "awsbatch", "slurm"] = Field("local", description="Where processes run.")
    queue: str | None = Field(None, description="Batch queue or Slurm partition of the processes.")
    label_queues: dict[str, str] = Field({}, description='Queue by process label, as JSON: {"process_high": "big"}.')
    label_nodes: dict[str, str] = Field({}, description='Node selector by process label, as JSON: {"…": "key=value"}.')
    namespace: str | None = Field(None, description="Kubernetes namespace of the processes.")
    service_account: str | None = Field(None, description="Kubernetes service account of the processes.")
    storage_claim: str | None = Field(None, description="Kubernetes volume claim of the workspaces.")
    region: str | None = Field(None, description="AWS region of Batch and of the work bucket.")
    job_role: str | None = Field(None, description="Role of the processes' Batch jobs.")
    cli_path: str | None = Field(None, description="Path of the aws command in Batch's machine image.")
    bucket_workspaces: bool = Field(False, description="Work dir in the work bucket, through Nextflow's cloud cache.")
    max_memory: str = Field("128 GB", pattern=r"^\d+ ?[KMGT]B$", description="Most memory of one process.")
    max_cpus: int = Field(16, ge=1, description="Most CPUs of one process.")
    max_time: str = Field("240 h", pattern=r"^\d+ ?(s|m|h|d)$", description="Most time of one process.")
    max_retries: int = Field(2, ge=0, le=10, description="Times that a process is tried again after a kill.")
    hg19_chain: Path | None = Field(None, description="UCSC chain file from hg19 to hg38, for liftover.")
    hg38_chain: Path | None = Field(None, description="UCSC chain file from hg38 to hg19, for liftover.")
    reference_panel: Path | None = Field(None, description="pgsc_calc's reference panel, for run_ancestry.")
    poll_seconds: float = Field(5, gt=0, description="Between two looks of the job at its own trace file.")

    _lists = field_validator("plugins", "profile", mode="before")(_split)


class PreflightSettings(BaseSettings):
    """What is looked at between staging and submission, so that nobody learns after hours."""

    model_config = _config("GENOFERRY_PREFLIGHT_")

    mode: Literal["fail", "warn", "off"] = Field("fail", description="What a check that can't be passed comes to.")
    max_variants: int = Field(2_000_000, ge=1000, description="Variants of the genomes that are looked at, at most.")
    score_sample: int = Field(5000, ge=100, description="Variants of each score that are looked for, at most.")


class HealthSettings(BaseSettings):
    """Where a worker answers `/healthz`, `/readyz` and `/metrics`."""

    model_config = _config("GENOFERRY_HEALTH_")

    port: int | None = Field(
        None, ge=0, le=65535, description="Port to answer on; 0: a free one, which the log names; default: none."
    )
    host: str = Field("127.0.0.1", description="Address to listen on; in a container `0.0.0.0`.")
    late_seconds: float = Field(30, gt=0, description="How far a loop of a ready worker may be behind its period.")


class _Environment(EnvSettingsSource):
    """The environment, but for the sections: each reads its own variables, and a `QUEUE` of others is not ours."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseSettings):
            return None, field_name, False
        return super().get_field_value(field, field_name)


class Settings(BaseSettings):
    """The whole of it. `cluster_env` names the deployment, and the defaults of its resources follow from it."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    cluster_env: str = Field("development", pattern=r"^[a-z0-9][a-z0-9-]{0,31}$", description="The deployment's name.")
    work_queue: str = Field("development-queue.fifo", description="Name or URL of the queue that requests come from.")
    genoferry_deployment: str | None = Field(None, description="Deployment id, where it isn't CLUSTER_ENV.")
    genoferry_report_queue: str | None = Field(None, description="Name or URL; default `{deployment}-reports`.")
    genoferry_dead_letter_queue: str | None = Field(None, description="Name or URL; default: the redrive policy's.")
    genoferry_topic_arn: str | None = Field(None, description="Topic of the events.")
    genoferry_table: str | None = Field(None, description="Ledger table; default `{deployment}-jobs`.")
    genoferry_work_bucket: str | None = Field(None, description="Default `{deployment}-work`.")
    genoferry_results_bucket: str | None = Field(None, description="Default `{deployment}-results`.")
    genoferry_log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Of the logs.")
    genoferry_log_format: Literal["auto", "json", "console"] = Field("auto", description="auto: console on a terminal.")

    allow: AllowSettings = Field(default_factory=AllowSettings)
    key_service: KeyServiceSettings = Field(default_factory=KeyServiceSettings)
    globus: GlobusSettings = Field(default_factory=GlobusSettings)
    queue: QueueSettings = Field(default_factory=QueueSettings)
    staging: StagingSettings = Field(default_factory=StagingSettings)
    worker: WorkerSettings = Field(default_factory=WorkerSettings)
    compute: ComputeSettings = Field(default_factory=ComputeSettings)
    kubernetes: KubernetesSettings = Field(default_factory=KubernetesSettings)
    nextflow: NextflowSettings = Field(default_factory=NextflowSettings)
    preflight: PreflightSettings = Field(default_factory=PreflightSettings)
    health: HealthSettings = Field(default_factory=HealthSettings)

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, *_: Any, **__: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, _Environment(settings_cls)

    @property
    def deployment(self) -> str:
        return self.genoferry_deployment or self.cluster_env

    @property
    def report_queue(self) -> str:
        return self.genoferry_report_queue or f"{self.deployment}-reports"

    @property
    def table(self) -> str:
        return self.genoferry_table or f"{self.deployment}-jobs"

    @property
    def work_bucket(self) -> str:
        return self.genoferry_work_bucket or f"{self.deployment}-work"

    @property
    def results_bucket(self) -> str:
        return self.genoferry_results_bucket or f"{self.deployment}-results"

    @property
    def workspaces(self) -> Path:
        return self.compute.workspaces or self.compute.local_dir

    @property
    def offers(self) -> frozenset[str]:
        """What requests may ask for beyond a calculation with the scores of a mirror or of their own: `catalogue`
        (the PGS Catalog's search), `liftover`, `ancestry`."""
        nextflow = self.nextflow
        if self.compute.engine != "nextflow":
            return frozenset()
        has = {
            "catalogue": not nextflow.offline,
            "liftover": bool(nextflow.hg19_chain and nextflow.hg38_chain),
            "ancestry": nextflow.reference_panel is not None,
        }
        return frozenset(name for name, there in has.items() if there)

    @property
    def topic_arn(self) -> str:
        """Raises `SettingsError` where it isn't set."""
        if not self.genoferry_topic_arn:
            raise SettingsError("GENOFERRY_TOPIC_ARN is not set: it is the topic that events are published to.")
        return self.genoferry_topic_arn


def load() -> Settings:
    """The settings of this process's environment. Raises `SettingsError`, which names the variable, not its value."""
    try:
        return Settings()
    except ValidationError as error:
        prefix = PREFIXES.get(error.title, "")
        places = [f"{prefix}{e['loc'][0]}".upper() + f": {e['msg']}" for e in error.errors(include_input=False)]
        raise SettingsError("; ".join(places)) from None
    except UnreadableError as error:
        raise SettingsError(f"{_variable(str(error))}: it is not JSON, which it has to be.") from None


def _variable(words: str) -> str:
    """The variable that these words of pydantic-settings are about: they name its field only."""
    field = words.partition('field "')[2].partition('"')[0]
    names = [f"{prefix}{field}".upper() for prefix in PREFIXES.values()]
    return next((name for name in names if name in os.environ), field)


PREFIXES = {
    kind.__name__: kind.model_config["env_prefix"]
    for kind in (
        AllowSettings,
        KeyServiceSettings,
        GlobusSettings,
        QueueSettings,
        StagingSettings,
        WorkerSettings,
        ComputeSettings,
        KubernetesSettings,
        NextflowSettings,
        PreflightSettings,
        HealthSettings,
    )
}
"""Of the variables, by the name of the section."""
