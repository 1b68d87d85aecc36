"""The main job, whole and real: encrypted genomes from an HTTPS source in, the right scores out."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
from pathlib import Path
from typing import Any

import pytest

from genoferry.testing.cohort import generate
from genoferry.testing.crypt4gh_writer import encrypt, new_key
from genoferry.testing.harness import Harness
from genoferry.testing.https_source import Data, HttpsSource
from genoferry.testing.key_service import KeyService


def test_encrypted_genomes_in_scores_out(deployment: Any, tmp_path: Path) -> None:
    cohort = generate(tmp_path / "cohort", formats=("pfile",))
    secret, public = new_key()
    plain = {name: path.read_bytes() for name, path in cohort.files_of("pfile").items()}
    stored = {f"{name}.c4gh": encrypt(data, [public]) for name, data in plain.items()}
    with (
        HttpsSource({path: Data(data) for path, data in stored.items()}) as source,
        KeyService({("mine", "1"): secret}) as keys,
        deployment(tmp_path) as harness,
    ):
        body = {
            "name": "CalculateScores",
            "pipeline_param": {
                "id": "INTP1",
                "target_genomes": list(cohort.target_genomes),
                "nxf_params_file": {"target_build": cohort.build, "format": "json"},
            },
            "source": {
                "type": "https",
                "baseUrl": source.url,
                "files": [
                    {
                        "path": f"{name}.c4gh",
                        "size": len(stored[f"{name}.c4gh"]),
                        "sha256": hashlib.sha256(data).hexdigest(),
                    }
                    for name, data in plain.items()
                ],
            },
            "key": {"type": "key-service", "secretId": "mine", "version": "1"},
            "scorefiles": [f"file://{path}" for path in cohort.scorefiles.values()],
        }
        uuid = harness.send(body)
        drained = harness.start(
            "--drain",
            GENOFERRY_ALLOW_HOSTS=source.host,
            GENOFERRY_KEY_SERVICE_URL=keys.url,
            GENOFERRY_KEY_SERVICE_USERNAME="worker",
            GENOFERRY_KEY_SERVICE_PASSWORD="service-password",
            GENOFERRY_KEY_SERVICE_WRAPPING_PASSWORD="wrapping-password",
        )
        assert drained.wait(120) == 0, drained.text
        row = harness.row(uuid)
        assert row is not None
        assert (row.state, row.verified) == ("SUCCEEDED", "digest")
        assert harness.inbox.names(uuid) == ["Requested", "Created", "Deployed", "Succeeded", "Result"]
        assert "Progress" in harness.inbox.names(uuid, progress=True)
        check_scores(harness, uuid, cohort)
        assert harness.job_folders() == []


def check_scores(harness: Harness, uuid: str, cohort: Any) -> None:
    result = harness.inbox.await_event(uuid, "Result")
    assert {item["type"] for item in result["results"]} == {"s3-path"}, "never inline: they derive from genotypes"
    paths = [item["body"] for item in result["results"]]
    prefix = f"s3://{harness.bucket('results')}/"
    content = {path.rpartition("/")[2]: harness.content("results", path.removeprefix(prefix)) for path in paths}
    text = gzip.decompress(content["aggregated_scores.txt.gz"]).decode()
    found: dict[str, dict[str, float]] = {}
    for row in csv.DictReader(io.StringIO(text), delimiter="\t"):
        found.setdefault(row["PGS"].split("_")[0], {})[row["IID"]] = float(row["SUM"])
    expected = {pgs_id: score.sums for pgs_id, score in cohort.expected.items() if score.sums is not None}
    assert found.keys() == expected.keys()
    for pgs_id, sums in expected.items():
        assert found[pgs_id] == pytest.approx(sums, abs=1e-5)
    assert b"PGS" in content["report.html"]
