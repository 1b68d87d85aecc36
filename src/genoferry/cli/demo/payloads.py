"""The messages of `payloads/`, built from the seeded cohort, so that their names, sizes and digests are true.

`python -m genoferry.cli.demo.payloads payloads` writes them; a test fails when they are stale.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from genoferry.cli.demo.doubles import COLLECTION_FOLDER, SECRET_ID, SECRET_VERSION
from genoferry.cli.demo.prepared import COHORT, KEY_FILE, KEYS, SCORES, Prepared

FOLDER = Path("/tmp/genoferry-demo")  # noqa: S108  # a fixed place, since messages name it; private to its owner
BUCKET = "genoferry-demo"
WEB_PORT = 18480
SECRET_NAME = "genoferry/demo-key"  # noqa: S105  # names a secret, and is none
EXPERIMENT = "demo-experiment"
TIMEOUT = "2099-12-31T00:00:00Z"

Document = dict[str, Any]


def payloads(prepared: Prepared) -> dict[str, Document]:
    """Every message, by file name."""
    bodies = bodies_of(prepared)
    messages = {name: envelope(name, {"name": "CalculateScores", **body}) for name, body in bodies.items()}
    cancel = {"name": "CancelJob", "target": uuid_of("calculate_scores.json")}
    return {
        **messages,
        "cancel_job.json": envelope("cancel_job.json", cancel),
        "bare_job_request.json": globus_body(prepared, "INTP000000000005"),
    }


def bodies_of(prepared: Prepared) -> dict[str, Document]:
    """The ways to name sources, keys and scores."""
    some = {pgs_id: prepared.scorefiles[pgs_id] for pgs_id in list(prepared.scorefiles)[:3]}
    files = [{"path": file.name, "size": file.size, "sha256": file.sha256} for file in prepared.files]
    return {
        "calculate_scores.json": globus_body(prepared, "INTP000000000001"),
        "calculate_scores_s3.json": {
            "pipeline_param": pipeline(prepared, "INTP000000000002"),
            "source": {"type": "s3", "bucket": BUCKET, "prefix": COHORT, "files": files},
            "key": {"type": "secrets-manager", "secretId": SECRET_NAME},
            "scorefiles": [f"s3://{BUCKET}/{SCORES}/{path.name}" for path in some.values()],
        },
        "calculate_scores_https.json": {
            "pipeline_param": pipeline(prepared, "INTP000000000003"),
            "source": {"type": "https", "baseUrl": f"http://127.0.0.1:{WEB_PORT}/{COHORT}", "files": files},
            "key": {"type": "key-service", "secretId": SECRET_ID, "version": SECRET_VERSION},
            "scorefiles": [f"http://127.0.0.1:{WEB_PORT}/{SCORES}/{path.name}" for path in some.values()],
        },
        "calculate_scores_file.json": {
            "pipeline_param": pipeline(prepared, "INTP000000000004"),
            "source": {"type": "file", "root": str(FOLDER / COHORT), "files": files},
            "key": {"type": "file", "path": str(FOLDER / KEYS / KEY_FILE)},
            "scorefiles": [f"file://{FOLDER / SCORES / path.name}" for path in some.values()],
        },
    }


def globus_body(prepared: Prepared, run_id: str) -> Document:
    """The form that the backend sends: files of the deployment's collection, key at its key service, PGS ids."""
    return {
        "pipeline_param": pipeline(prepared, run_id, pgs_ids=tuple(prepared.expected)),
        "globus_details": {
            "dir_path_on_guest_collection": COLLECTION_FOLDER,
            "files": [{"filename": file.name, "size": file.size} for file in prepared.files],
        },
        "secret_key_details": {"secret_id": SECRET_ID, "secret_id_version": SECRET_VERSION},
    }


def pipeline(prepared: Prepared, run_id: str, *, pgs_ids: tuple[str, ...] = ()) -> Document:
    ids = {"pgs_id": ",".join(pgs_ids) or None, "pgp_id": None, "trait_efo": None}
    return {
        "id": run_id,
        "target_genomes": [dict(row) for row in prepared.target_genomes],
        "nxf_params_file": {**ids, "target_build": prepared.build, "format": "json"},
    }


def envelope(name: str, body: Mapping[str, Any]) -> Document:
    return {"uuid": uuid_of(name), "experimentId": EXPERIMENT, "timeout": TIMEOUT, "body": dict(body)}


def uuid_of(name: str) -> str:
    """Fixed, so that a payload sent twice is the same request."""
    return str(uuid5(NAMESPACE_URL, f"https://genoferry.invalid/payloads/{name}"))


def write(prepared: Prepared, folder: Path) -> list[Path]:
    """Write them; the paths."""
    paths = []
    for name, document in payloads(prepared).items():
        path = folder / name
        path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        paths.append(path)
    return paths


def main(folder: str) -> None:
    import tempfile

    from genoferry.cli.demo.prepared import prepare, seeded

    with tempfile.TemporaryDirectory() as scratch:
        write(prepare(Path(scratch), rand=seeded()), Path(folder))


if __name__ == "__main__":
    main(sys.argv[1])
