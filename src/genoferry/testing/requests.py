"""Requests for a made-up cohort: its genomes encrypted into a folder, and the body that names them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genoferry.testing.cohort import Cohort
from genoferry.testing.crypt4gh_writer import encrypt, new_key


def encrypted(cohort: Cohort, folder: Path, form: str = "pfile", **params: Any) -> dict[str, Any]:
    """A `CalculateScores` body: the genomes of one format as Crypt4GH files in `folder`, the key beside them, the
    scorefiles where they are. `params` go into `nxf_params_file`."""
    secret, public = new_key()
    (folder / "genomes").mkdir(parents=True)
    (folder / "me.sec").write_bytes(secret)
    files = [
        _store(folder / "genomes", name, path.read_bytes(), public) for name, path in cohort.files_of(form).items()
    ]
    return {
        "name": "CalculateScores",
        "pipeline_param": {
            "id": "INTP000000000001",
            "target_genomes": list(cohort.genomes[form]),
            "nxf_params_file": {"target_build": cohort.build, **params},
        },
        "source": {"type": "file", "root": str(folder / "genomes"), "files": files},
        "key": {"type": "file", "path": str(folder / "me.sec")},
        "scorefiles": [f"file://{path}" for path in cohort.scorefiles.values()],
    }


def _store(folder: Path, name: str, data: bytes, public: bytes) -> Mapping[str, Any]:
    stored = encrypt(data, [public])
    path = folder / f"{name}.c4gh"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(stored)
    return {
        "path": path.relative_to(folder).as_posix(),
        "size": len(stored),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
