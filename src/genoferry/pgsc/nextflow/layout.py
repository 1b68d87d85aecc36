"""Where a calculation's files are: a workspace that is kept over attempts, and in it what is each attempt's own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Places:
    """`workspace`: the same absolute path in every attempt, or Nextflow would not find its cache again; `work`: an
    `s3://` URI in place of a folder there, for executors that share no disk with the head."""

    workspace: Path
    attempt: int
    bucket_work: str | None = None

    @property
    def work(self) -> str:
        """Nextflow's work dir."""
        return self.bucket_work or str(self.workspace / "work")

    @property
    def launch(self) -> Path:
        """The folder that Nextflow is started in: its history and cache are in `.nextflow` there."""
        return self.workspace / "launch"

    @property
    def genomes(self) -> Path:
        """The genotype files, under names of ours (`samplesheet.file_name`)."""
        return self.workspace / "genomes"

    @property
    def scores(self) -> Path:
        """The scorefiles, and nothing else."""
        return self.workspace / "scores"

    @property
    def attempt_folder(self) -> Path:
        """What is this attempt's alone."""
        return self.workspace / f"attempt-{self.attempt}"

    @property
    def rendered(self) -> Path:
        """The folder of `params.json`, `samplesheet.json` and `nextflow.config`. The same in every attempt, since
        pgsc_calc's SCORE_REPORT holds the command line, and would not be found in the cache under another."""
        return self.workspace / "rendered"

    @property
    def out(self) -> Path:
        """pgsc_calc's `outdir`."""
        return self.attempt_folder / "results"

    @property
    def trace(self) -> Path:
        """Nextflow's trace file: a line for each process that has ended."""
        return self.attempt_folder / "trace.txt"

    @property
    def console(self) -> Path:
        """What Nextflow prints."""
        return self.attempt_folder / "console.txt"

    @property
    def log(self) -> Path:
        """Nextflow's own log (`-log`); it renames an earlier one."""
        return self.workspace / "nextflow.log"
