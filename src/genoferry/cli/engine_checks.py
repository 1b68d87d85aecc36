"""What `genoferry doctor` looks at where the Nextflow engine is chosen: does it start, and is what it needs there."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from genoferry.cli.finding import Finding

if TYPE_CHECKING:
    from genoferry.settings import NextflowSettings, Settings

OLDEST = (23, 10)
"""pgsc_calc 2.2.0, `nextflow.config`: `nextflowVersion`."""
START_SECONDS = 60


def engine(known: Settings) -> Iterator[Finding]:
    """Nothing for the embedded engine, which has no settings of its own."""
    if known.compute.engine == "nextflow":
        yield nextflow(known.nextflow)
        yield from _files(known)


def nextflow(site: NextflowSettings) -> Finding:
    found = shutil.which(site.command)
    if found is None:
        return Finding("fail", "Nextflow", "not found", "Install it, or set GENOFERRY_NEXTFLOW_COMMAND to its path.")
    try:
        said = subprocess.run([found, "-version"], capture_output=True, text=True, timeout=START_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return Finding("fail", "Nextflow", f"{found} does not start", "Run it by hand; it needs Java 17 or newer.")
    version = re.search(r"version (\d+)\.(\d+)[.\w-]*", said.stdout)
    if version is None or (int(version[1]), int(version[2])) < OLDEST:
        return Finding("fail", "Nextflow", f"{found}, too old for pgsc_calc", "Install Nextflow 23.10 or newer.")
    return Finding("ok", "Nextflow", f"{version[0].removeprefix('version ')}, {found}")


def _files(known: Settings) -> Iterator[Finding]:
    site = known.nextflow
    folder = site.pipeline if site.pipeline.startswith("/") else None
    if folder and not (Path(folder) / "main.nf").is_file():
        yield Finding("fail", "pipeline", f"{folder} has no main.nf", "Set GENOFERRY_NEXTFLOW_PIPELINE.")
    elif site.offline and folder is None and not site.pipeline.startswith("s3://"):
        mend = "Set GENOFERRY_NEXTFLOW_PIPELINE to a folder, or GENOFERRY_NEXTFLOW_OFFLINE=false."
        yield Finding("warn", "pipeline", f"{site.pipeline}, which an offline Nextflow must have pulled before", mend)
    else:
        yield Finding("ok", "pipeline", site.pipeline)
    for name in ("plugins_dir", "hg19_chain", "hg38_chain", "reference_panel"):
        path: Path | None = getattr(site, name)
        if path is not None and not path.exists():
            variable = f"GENOFERRY_NEXTFLOW_{name}".upper()
            yield Finding("fail", name.replace("_", " "), f"{path} is not there", f"Set {variable}.")
    if site.offline and known.compute.score_mirror is None:
        mend = "Set GENOFERRY_SCORE_MIRROR; until then requests must send scorefiles."
        yield Finding("warn", "scores", "no mirror, and Nextflow is offline: no score can be asked for by id", mend)
