"""No key, passphrase, token, password or genotype anywhere but where it belongs: canaries are planted and looked for.

Each canary is looked for as it is, in hex and in base64, in all logs at debug level, rows, events, dead letters, the
processes' environments, and what is left in files and buckets, through success and through failures.
"""

from __future__ import annotations

import base64
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from crypt4gh.keys.c4gh import encode_private_key

from genoferry.testing.crypt4gh_writer import encrypt, new_key
from genoferry.testing.harness import Harness
from genoferry.testing.https_source import Clients, Data, Fault, HttpsSource
from genoferry.testing.key_service import KeyService
from genoferry.testing.waiting import wait_until
from genoferry.testing.workers import jobs

TAG = os.urandom(6).hex()
SECRET, PUBLIC = new_key()
OTHER_SECRET, OTHER_PUBLIC = new_key()
PASSPHRASE = f"canary-passphrase-{TAG}"
SERVICE_PASSWORD = f"canary-service-{TAG}"
WRAPPING_PASSWORD = f"canary-wrapping-{TAG}"
CLIENT_SECRET = f"canary-client-{TAG}"
GENOTYPE = f"canary-genotype-{TAG}".encode()
PLAIN = b"0/1\t" + GENOTYPE + b"\t1/1\n" * 20_000 + GENOTYPE
STORED = encrypt(PLAIN, [PUBLIC])


@dataclass(frozen=True)
class Canary:
    name: str
    plain: bytes

    @property
    def forms(self) -> tuple[bytes, ...]:
        """As it may be written. In the middle of base64 it can stand at three offsets."""
        base64s = [base64.b64encode(bytes(pad) + self.plain)[4 if pad else 0 : -4] for pad in range(3)]
        return (self.plain, self.plain.hex().encode(), self.plain.hex().upper().encode(), *base64s)

    def is_in(self, text: bytes) -> bool:
        return any(form in text for form in self.forms)


@dataclass
class Scene:
    """Everything that happened, and where to look for it."""

    harness: Harness
    canaries: dict[str, Canary]
    places: dict[str, bytes]
    environments: dict[str, bytes]
    rests: dict[str, bytes]
    scratch: bytes
    credentials: list[tuple[int, bytes]]
    codes: dict[str, str | None]


@pytest.fixture(scope="module")
def scene(deployment: Any, make_touch: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder: Path = tmp_path_factory.mktemp("canaries")
    keys = tmp_path_factory.mktemp("keys")
    clients = Clients(client_secret=CLIENT_SECRET)
    with (
        HttpsSource({"study/a.vcf.c4gh": Data(STORED), "study/refused.vcf.c4gh": Data(STORED)}, clients) as globus,
        KeyService(
            {("mine", "1"): SECRET, ("other", "1"): OTHER_SECRET},
            password=SERVICE_PASSWORD,
            wrapping_password=WRAPPING_PASSWORD,
        ) as service,
        deployment(folder) as harness,
    ):
        globus.fail(Fault(status=403), path="study/refused.vcf.c4gh", times=1000)
        (folder / "tmp").mkdir()
        harness.worker(
            TMPDIR=str(folder / "tmp"),
            GENOFERRY_LOG_LEVEL="debug",
            GENOFERRY_ALLOW_KEY_ROOTS=str(keys),
            GENOFERRY_GLOBUS_BASE_URL=globus.url,
            GENOFERRY_GLOBUS_TOKEN_URL=f"{globus.url}/token",
            GENOFERRY_GLOBUS_CLIENT_ID="worker",
            GENOFERRY_GLOBUS_CLIENT_SECRET=CLIENT_SECRET,
            GENOFERRY_KEY_SERVICE_URL=service.url,
            GENOFERRY_KEY_SERVICE_USERNAME="worker",
            GENOFERRY_KEY_SERVICE_PASSWORD=SERVICE_PASSWORD,
            GENOFERRY_KEY_SERVICE_WRAPPING_PASSWORD=WRAPPING_PASSWORD,
            GENOFERRY_WORKER_MAX_FAILURES="1",
            GENOFERRY_WORKER_MAX_LOST_ATTEMPTS="1",
            GENOFERRY_STAGING_JOBS_AT_ONCE="8",
            GENOFERRY_MAX_RUNNING="8",
        )
        yield play(harness, make_touch(harness), keys, clients)


def play(harness: Harness, touch: Callable[..., Any], keys: Path, clients: Clients) -> Scene:
    sealed = b"-----BEGIN CRYPT4GH PRIVATE KEY-----\n%s\n-----END CRYPT4GH PRIVATE KEY-----\n"
    (keys / "sealed").write_bytes(sealed % base64.b64encode(encode_private_key(SECRET, PASSPHRASE.encode(), None)))
    (keys / "passphrase").write_text(PASSPHRASE + "\n")
    (keys / "wrong").write_text("another\n")
    (keys / "malformed").write_bytes(SECRET + b"!")
    (harness.folder / "a.vcf.c4gh").write_bytes(STORED)
    (harness.folder / "damaged.vcf.c4gh").write_bytes(STORED[:-20] + bytes(20))
    good, bad = source(harness, "a.vcf.c4gh"), source(harness, "damaged.vcf.c4gh")
    sent = {
        "key service": touch(gated=True, **good, **service_key("mine")),
        "sealed key": touch(gated=True, **good, **key_file(keys / "sealed", keys / "passphrase")),
        "handler's bug": touch(gated=True, ends=["crash"], **good, **service_key("mine")),
        "killed": touch(gated=True, ends=["kill"], **good, **service_key("mine")),
        "wrong key": touch(**good, **service_key("other")),
        "wrong passphrase": touch(**good, **key_file(keys / "sealed", keys / "wrong")),
        "no passphrase": touch(**good, **key_file(keys / "sealed")),
        "malformed key": touch(**good, **key_file(keys / "malformed")),
        "damaged": touch(**bad, **service_key("mine")),
    }
    gated = [job for job in sent.values() if "gate" in job.body]
    globus_jobs = {name: harness.send(scores(file), experimentId="globus") for name, file in GLOBUS.items()}
    for job in gated:
        wait_until(lambda job=job: job.executions, what="the job to run")  # type: ignore[misc]
    running = list(jobs(harness.local_dir))
    environments = {str(p.pid): Path(f"/proc/{p.pid}/environ").read_bytes() for p in running}
    environments |= {f"{p.pid}, arguments": Path(f"/proc/{p.pid}/cmdline").read_bytes() for p in running}
    assert len(running) >= len(gated)
    scratch = content(harness.local_dir)
    credentials = [(stat.S_IMODE(p.stat().st_mode), p.read_bytes()) for p in harness.local_dir.glob("*/credentials")]
    logs = keep_logs(harness, keys / "logs")
    for job in gated:
        job.open_gate()
    codes = {name: code_of(harness, job.uuid) for name, job in sent.items()}
    codes |= {name: code_of(harness, uuid) for name, uuid in globus_jobs.items()}
    rejected = harness.send(scores("a.vcf") | {"secret_key_details": None})
    harness.inbox.await_event(rejected, "Rejected")
    wait_until(harness.dead.drain, what="the dead letter")
    assert clients.given, "tokens were asked for"
    tokens = {f"token {number}": token for number, token in enumerate(clients.given)}
    words = {
        "passphrase": PASSPHRASE,
        "service password": SERVICE_PASSWORD,
        "wrapping password": WRAPPING_PASSWORD,
        "client secret": CLIENT_SECRET,
        "worker's secret access key": harness.environment["AWS_SECRET_ACCESS_KEY"],
        "job's secret access key": harness.environment["GENOFERRY_JOB_AWS_SECRET_ACCESS_KEY"],
        **tokens,
    }
    canaries = {name: Canary(name, word.encode()) for name, word in words.items()}
    canaries |= {
        "private key": Canary("private key", SECRET),
        "other private key": Canary("other private key", OTHER_SECRET),
        "genotype": Canary("genotype", GENOTYPE),
    }
    places = {
        **{f"worker's log {number}": worker.text.encode() for number, worker in enumerate(harness.workers)},
        **{f"log of {path.name}": path.read_bytes() for path in logs},
        "events": "\n".join(f"{r.body} {r.attributes}" for r in harness.inbox.drain()).encode(),
        "dead letters": "\n".join(f"{r.body} {r.attributes}" for r in harness.dead.drain()).encode(),
        "ledger": ledger(harness),
    }
    uuids = [*(job.uuid for job in sent.values()), *globus_jobs.values()]
    work = {f"work/{k}": harness.content("work", k) for uuid in uuids for k in harness.keys("work", f"{uuid}/")}
    results = {f"results/{k}": harness.content("results", k) for u in uuids for k in harness.keys("results", f"{u}/")}
    rests = work | results | {"files": content(harness.folder)}
    return Scene(harness, canaries, places, environments, rests, scratch, credentials, codes)


GLOBUS = {"globus": "a.vcf", "globus refuses": "refused.vcf"}


def source(harness: Harness, *paths: str) -> dict[str, Any]:
    files = [{"path": path, "size": (harness.folder / path).stat().st_size} for path in paths]
    return {"source": {"type": "file", "root": str(harness.folder), "files": files}}


def service_key(secret_id: str) -> dict[str, Any]:
    return {"key": {"type": "key-service", "secretId": secret_id, "version": "1"}}


def key_file(path: Path, passphrase: Path | None = None) -> dict[str, Any]:
    more = {"passphraseFile": str(passphrase)} if passphrase else {}
    return {"key": {"type": "file", "path": str(path), **more}}


def scores(file: str) -> dict[str, Any]:
    """A `CalculateScores` from the Globus collection, whose key is the key service's. No VCF: it fails in the job."""
    row = {"sampleset": "cohort", "chrom": None, "format": "vcf", "geno": file, "variants": file, "pheno": file}
    return {
        "name": "CalculateScores",
        "pipeline_param": {
            "id": "CANARY",
            "target_genomes": [row],
            "nxf_params_file": {"pgs_id": "PGS000001", "target_build": "GRCh38"},
        },
        "globus_details": {
            "dir_path_on_guest_collection": "study",
            "files": [{"filename": f"{file}.c4gh", "size": len(STORED)}],
        },
        "secret_key_details": {"secret_id": "mine", "secret_id_version": "1"},
    }


def code_of(harness: Harness, uuid: str) -> str | None:
    error = harness.await_done(uuid, seconds=120).error
    return error.code if error else None


def keep_logs(harness: Harness, kept: Path) -> list[Path]:
    """The jobs' logs, kept by a second name past the clean-up of their folders."""
    kept.mkdir()
    for log in harness.local_dir.glob("*/job.log"):
        (kept / log.parent.name).hardlink_to(log)
    return sorted(kept.iterdir())


def content(folder: Path) -> bytes:
    """All bytes of all files below."""
    return b"\n".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def ledger(harness: Harness) -> bytes:
    pages = harness.client("dynamodb").get_paginator("scan").paginate(TableName=harness.environment["GENOFERRY_TABLE"])
    return "\n".join(str(item) for page in pages for item in page["Items"]).encode()


def test_it_all_happened(scene: Scene) -> None:
    """Else there would be nothing to find."""
    assert scene.codes == {
        "key service": None,
        "sealed key": None,
        "handler's bug": "internal-error",
        "killed": "job-lost",
        "wrong key": "wrong-key",
        "wrong passphrase": "key-malformed",
        "no passphrase": "key-malformed",
        "malformed key": "key-malformed",
        "damaged": "segment-corrupt",
        "globus": "genotypes-invalid",
        "globus refuses": "source-denied",
    }
    assert all(scene.places[name] for name in ("worker's log 0", "events", "dead letters", "ledger"))
    assert any(b'"unexpected"' in text for name, text in scene.places.items() if name.startswith("log of"))


def test_the_search_finds_what_is_there(scene: Scene) -> None:
    """While a job runs its scratch is in the clear, and its credentials are where only their owner can read them."""
    assert scene.canaries["genotype"].is_in(scene.scratch)
    assert {mode for mode, _ in scene.credentials} == {0o600}
    assert all(scene.canaries["job's secret access key"].is_in(text) for _, text in scene.credentials)
    assert not any(scene.canaries["worker's secret access key"].is_in(text) for _, text in scene.credentials)
    for form in scene.canaries["private key"].forms:
        assert scene.canaries["private key"].is_in(b"before " + form + b" after")
    assert Canary("", GENOTYPE).is_in(base64.b64encode(b"x" + PLAIN))


def test_no_canary_in_logs_rows_events_and_dead_letters(scene: Scene) -> None:
    found = [
        (name, place) for name, c in scene.canaries.items() for place, text in scene.places.items() if c.is_in(text)
    ]
    assert found == []


def test_no_canary_in_a_job_s_environment_or_arguments(scene: Scene) -> None:
    found = [
        (name, pid) for name, c in scene.canaries.items() for pid, text in scene.environments.items() if c.is_in(text)
    ]
    assert found == []


def test_no_key_in_a_job_s_files(scene: Scene) -> None:
    allowed = {"genotype", "job's secret access key"}
    assert [name for name, c in scene.canaries.items() if name not in allowed and c.is_in(scene.scratch)] == []


def test_nothing_is_left_of_it(scene: Scene) -> None:
    found = [
        (name, place) for name, c in scene.canaries.items() for place, text in scene.rests.items() if c.is_in(text)
    ]
    assert found == []
    assert list((scene.harness.folder / "tmp").iterdir()) == [], "the worker writes no temporary files"
    assert scene.harness.job_folders() == []
