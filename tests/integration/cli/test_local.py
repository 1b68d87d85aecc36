"""`genoferry local …` and `doctor`, on an environment of their own and on the seeded one."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from genoferry.cli.demo.payloads import BUCKET, SECRET_NAME
from genoferry.cli.demo.seed import process_of, seed, seeded_variables
from genoferry.errors import LocalError


def genoferry(*args: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **more}
    command = [sys.executable, "-m", "genoferry", *args]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_up_seed_env_status_down(tmp_path: Path) -> None:
    state, folder = str(tmp_path / "state"), str(tmp_path / "cohort")
    try:
        assert genoferry("local", "status", "--state", state).returncode == 6
        down_env = genoferry("local", "env", "--state", state)
        assert down_env.returncode == 6
        assert "genoferry local up" in down_env.stderr
        up = genoferry("local", "up", "--state", state, "--json")
        assert up.returncode == 0, up.stderr
        seeded = genoferry("local", "seed", "--state", state, "--folder", folder, "--web-port", "0")
        assert seeded.returncode == 0, seeded.stderr
        variables = json.loads(genoferry("local", "env", "--state", state, "--json").stdout)
        assert variables["AWS_ENDPOINT_URL"] == json.loads(up.stdout)["endpoint"]
        assert variables["GENOFERRY_ALLOW_BUCKETS"] == BUCKET
        exported = subprocess.run(
            ["/bin/sh", "-c", f'{genoferry("local", "env", "--state", state).stdout}\necho "$WORK_QUEUE"'],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert exported.stdout.strip() == variables["WORK_QUEUE"]
        known = json.loads(genoferry("local", "status", "--state", state, "--json").stdout)
        assert known["up"] is known["seeded"] is True
        doubles = process_of(Path(state))
        assert doubles is not None
        pids = [doubles.pid, *(server["pid"] for server in known["servers"])]
    finally:
        down = genoferry("local", "down", "--state", state)
    assert down.returncode == 0
    assert down.stdout.startswith("The embedded AWS is down; its data stays in ")
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert genoferry("local", "status", "--state", state).returncode == 6


def test_seeding_again_changes_nothing(seeded) -> None:
    before = process_of(seeded.state)
    again = seed(seeded.state, seeded.variables, folder=seeded.folder, web_port=0)
    assert process_of(seeded.state) == before
    assert again == seeded_variables(seeded.state)


def test_what_is_seeded(seeded) -> None:
    keys = [row["Key"] for row in seeded.client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert sum(key.startswith("cohort/") and key.endswith(".c4gh") for key in keys) == 6
    assert sum(key.startswith("scores/") for key in keys) == 5
    text = seeded.client("secretsmanager").get_secret_value(SecretId=SECRET_NAME)["SecretString"]
    assert text == (seeded.folder / "keys" / "demo.sec").read_text()
    assert stat.S_IMODE((seeded.state / "seed.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((seeded.folder / "keys" / "demo.sec").stat().st_mode) == 0o600
    assert not (seeded.state / "seed.config").exists()


def test_no_genome_is_seeded_in_clear(seeded) -> None:
    assert {path.suffix for path in (seeded.folder / "cohort").iterdir()} == {".c4gh"}


def test_a_folder_that_is_no_folder_of_ours(seeded, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(seeded.folder)
    with pytest.raises(LocalError, match="belongs to someone else"):
        seed(seeded.state, seeded.variables, folder=tmp_path / "link", web_port=0)


def test_doctor_finds_nothing_wrong(run, queues) -> None:
    done = run("doctor", "--json")
    found = {finding["what"]: finding for finding in json.loads(done.stdout)}
    assert done.returncode == 0, done.stdout
    assert [what for what, finding in found.items() if finding["status"] == "fail"] == []
    assert {"work queue", "dead letters", "report queue", "topic", "table", "work bucket", "results bucket"} <= set(
        found
    )


@pytest.mark.parametrize(
    ("variable", "value", "what"),
    [
        ("WORK_QUEUE", "nowhere", "work queue"),
        ("WORK_QUEUE", "development-queue-dlq", "work queue"),
        ("GENOFERRY_REPORT_QUEUE", "nowhere", "report queue"),
        ("GENOFERRY_TOPIC_ARN", "", "topic"),
        ("GENOFERRY_TOPIC_ARN", "arn:aws:sns:us-east-1:000000000000:nowhere", "topic"),
        ("GENOFERRY_TABLE", "nowhere", "table"),
        ("GENOFERRY_WORK_BUCKET", "nowhere", "work bucket"),
        ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1", "results bucket"),
        ("GENOFERRY_JOB_AWS_ACCESS_KEY_ID", "AKIANOBODYS", "job credentials"),
        ("GENOFERRY_JOB_AWS_SECRET_ACCESS_KEY", "wrong", "job credentials"),
        ("GENOFERRY_JOB_AWS_SECRET_ACCESS_KEY", "", "job credentials"),
        ("GENOFERRY_LOCAL_DIR", "/proc/version/jobs", "disk"),
    ],
)
def test_doctor_names_what_is_wrong_and_how_to_mend_it(run, variable: str, value: str, what: str) -> None:
    done = run("doctor", "--json", **{variable: value})
    found = {finding["what"]: finding for finding in json.loads(done.stdout)}
    assert done.returncode == 1
    assert found[what]["status"] == "fail", found[what]
    assert found[what]["mend"] or variable in found[what]["detail"]


def test_doctor_tries_the_jobs_own_credentials(run, queues) -> None:
    """The embedded STS takes any keys, and gives a role's session some that the embedded S3 doesn't know."""
    found = {finding["what"]: finding for finding in json.loads(run("doctor", "--json").stdout)}
    assert found["job credentials"]["status"] == "ok"
    assert found["job credentials"]["detail"].startswith("GENOFERRY_JOB_AWS_ACCESS_KEY_ID: S3 accepts its keys")
    keys = {f"GENOFERRY_JOB_AWS_{name}": "" for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY")}
    role = {"GENOFERRY_JOB_ROLE_ARN": "arn:aws:iam::000000000000:role/job"}
    found = {finding["what"]: finding for finding in json.loads(run("doctor", "--json", **keys, **role).stdout)}
    assert found["job credentials"]["status"] == "fail"
    assert found["job credentials"]["detail"].startswith("GENOFERRY_JOB_ROLE_ARN: GetObject was answered Invalid")


def test_doctor_warns_of_dead_letters_and_of_nothing_allowed(run, seeded, queues) -> None:
    seeded.client("sqs").send_message(QueueUrl=queues["queue-dlq"], MessageBody="x")
    nothing = {name: "" for name in seeded.variables if name.startswith(("GENOFERRY_ALLOW", "GENOFERRY_GLOBUS_BASE"))}
    done = run("doctor", "--json", WORK_QUEUE="development-queue", **nothing)
    found = {finding["what"]: finding["status"] for finding in json.loads(done.stdout)}
    assert done.returncode == 0
    assert (found["dead letters"], found["sources"]) == ("warn", "warn")


def test_wrong_settings_are_named(run) -> None:
    for command in (("doctor",), ("jobs",)):
        done = run(*command, GENOFERRY_LOG_LEVEL="loud")
        assert done.returncode in (1, 6)
        assert "LOG_LEVEL" in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
