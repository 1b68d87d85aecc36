"""`nextflow.config`, given with `-c`, so that it wins over pgsc_calc's own (Nextflow's documentation, "Configuration").

It holds the deployment's values alone; what a request sets is in `params.json`.
"""

from __future__ import annotations

from genoferry.errors import SettingsError
from genoferry.pgsc.nextflow import groovy
from genoferry.pgsc.nextflow.checks import CONSTRAINT, LABEL, NODES, checked, variable
from genoferry.pgsc.nextflow.groovy import Block, Code, literal
from genoferry.pgsc.nextflow.layout import Places
from genoferry.settings import NextflowSettings
from genoferry.validation import DNS

FILE = "nextflow.config"

TRACE_FIELDS = (
    "task_id", "hash", "native_id", "process", "tag", "name", "status", "exit", "attempt", "submit", "start",
    "complete", "realtime", "cpus", "%cpu", "memory", "peak_rss", "error_action", "workdir",
)  # fmt: skip
"""The columns of the trace file, in this order."""

RETRY = Code("{ task.exitStatus in ((130..145) + 104) ? 'retry' : 'finish' }")
"""Kills by a signal, for want of memory or of a machine, and a lost connection (pgsc_calc's `conf/base.config`)."""

PUBLISH_SCORES = Code(
    "[path: { \"${params.outdir}/${task.tag.tokenize(' ')[0]}/score\" }, mode: 'copy', pattern: '*.gz']"
)
"""Where SCORE_REPORT puts the scores, which it alone publishes (pgsc_calc's `conf/modules.config`)."""

USER = 10001
"""Of the head's image (Dockerfile): what a process leaves behind as somebody else, no Job of ours could remove."""
SECURITY = Code(
    f"[runAsNonRoot: true, runAsUser: {USER}, runAsGroup: {USER}, fsGroup: {USER}, "
    "fsGroupChangePolicy: 'OnRootMismatch', seccompProfile: [type: 'RuntimeDefault']]"
)
"""Of a process's pod. The head's own has given the volume to the group: not again for each process. It
fits the standard `baseline`: what `restricted` asks of containers, Nextflow can't say (24.10, PodSpecBuilder)."""
LABELS = Code(
    "[[label: 'app.kubernetes.io/name', value: 'genoferry'], [label: 'app.kubernetes.io/component', value: 'process']]"
)
"""By which the chart's network policy chooses such a pod. It has none of those by which the worker knows its own."""

TAKES = {
    "local": (),
    "k8s": ("label_nodes",),
    "awsbatch": ("queue", "label_queues"),
    "slurm": ("queue", "label_queues", "label_nodes"),
}
"""The settings of queues and nodes that each executor knows."""


def render(site: NextflowSettings, places: Places) -> str:
    """The text of the file. Raises `SettingsError` for a setting that the executor doesn't know, or lacks."""
    _check(site, places)
    trace: Block = {
        "enabled": True,
        "raw": True,
        "overwrite": True,
        "file": str(places.trace),
        "fields": ",".join(TRACE_FIELDS),
    }
    off: Block = {"enabled": False}
    config: Block = {
        "trace": trace,
        "report": off,
        "timeline": off,
        "dag": off,
        "process": _process(site),
        "k8s": _k8s(site, places) if site.executor == "k8s" else {},
        "aws": _aws(site),
        "cloudcache": _cache(places),
    }
    return "\n".join(groovy.lines(config)) + "\n"


def _process(site: NextflowSettings) -> Block:
    process: dict[str, groovy.Value | Block] = {"executor": site.executor}
    if site.queue:
        process["queue"] = checked("queue", site.queue)
    process |= {"errorStrategy": RETRY, "maxRetries": site.max_retries}
    process["withName:'MATCH_VARIANTS|PLINK2_SCORE'"] = {"errorStrategy": RETRY}  # their own beats the general one
    if site.only_score:
        process["withName:'SCORE_AGGREGATE'"] = {"publishDir": PUBLISH_SCORES}
    for label in sorted(site.label_queues | site.label_nodes):
        setting = "label_queues" if label in site.label_queues else "label_nodes"
        process[f"withLabel:{literal(checked(setting, label, LABEL))}"] = _selected(site, label)
    return process


def _selected(site: NextflowSettings, label: str) -> Block:
    chosen: dict[str, groovy.Value | Block] = {}
    if label in site.label_queues:
        chosen["queue"] = checked("label_queues", site.label_queues[label])
    if label in site.label_nodes and site.executor == "slurm":
        chosen["clusterOptions"] = f"--constraint={checked('label_nodes', site.label_nodes[label], CONSTRAINT)}"
    if label in site.label_nodes and site.executor == "k8s":
        chosen["pod"] = Code(f"[nodeSelector: {literal(checked('label_nodes', site.label_nodes[label], NODES))}]")
    return chosen


def _k8s(site: NextflowSettings, places: Places) -> Block:
    """The processes see the workspaces where the head does."""
    named = {
        "namespace": site.namespace,
        "serviceAccount": site.service_account,
        "storageClaimName": site.storage_claim,
    }
    settings = {"namespace": "namespace", "serviceAccount": "service_account", "storageClaimName": "storage_claim"}
    known = {name: checked(settings[name], text, DNS) for name, text in named.items() if text}
    mount = {"storageMountPath": str(places.workspace.parent)} if site.storage_claim else {}
    return {**known, **mount, "securityContext": SECURITY, "pod": LABELS}


def _aws(site: NextflowSettings) -> Block:
    aws: dict[str, groovy.Value | Block] = {}
    if site.region:
        aws["region"] = checked("region", site.region)
    if site.executor == "awsbatch":
        batch: dict[str, groovy.Value] = {"maxSpotAttempts": site.max_retries}
        batch |= {"jobRole": checked("job_role", site.job_role)} if site.job_role else {}
        batch |= {"cliPath": checked("cli_path", site.cli_path)} if site.cli_path else {}
        aws["batch"] = batch
    return aws


def _cache(places: Places) -> Block:
    if not places.bucket_work:
        return {}
    return {"enabled": True, "path": f"{places.bucket_work.rstrip('/')}/cache"}


def _check(site: NextflowSettings, places: Places) -> None:
    for name in ("queue", "label_queues", "label_nodes"):
        if getattr(site, name) and name not in TAKES[site.executor]:
            raise SettingsError(f"{variable(name)} is set, which the executor {site.executor} has no use for.")
    needs = {"awsbatch": {"queue": site.queue, "bucket_workspaces": places.bucket_work}}
    for name, there in needs.get(site.executor, {}).items():
        if not there:
            raise SettingsError(f"{variable(name)} is not set: the executor {site.executor} needs it.")
