"""Runs rows of the table through the embedded engine: as many as go together in one run, a chromosome each."""

from __future__ import annotations

import csv
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from genoferry.errors import CalculationError
from genoferry.pgsc.engine import run
from genoferry.pgsc.inputs import Inputs, Outcome
from genoferry.pgsc.textio import open_text
from genoferry.testing.odd_genotypes.edits import written
from genoferry.testing.odd_genotypes.row import SITES, Drawn, Files, OddFile, draw, sums, write_score

AUTOSOMES = tuple(str(number) for number in range(1, 23))
WHOLE = OddFile("whole", "nothing", written("pfile"), "calculated", "")
"""Stands beside a row that must be refused: nothing of it may be published either."""

Sample = tuple[str, str]


@dataclass(frozen=True)
class Result:
    status: str
    reason: str | None
    matched: int | None
    right_matched: int
    sums: Mapping[Sample, float]
    right_sums: Mapping[Sample, float]


@dataclass(frozen=True)
class Chromosome:
    row: OddFile
    drawn: Drawn
    files: Files

    @property
    def right_sums(self) -> dict[Sample, float]:
        """By FID and IID as they are published: pgscatalog-aggregate writes the IID where every FID is 0."""
        iids = self.files.iids or self.drawn.samples
        fids = self.files.families or ("0",) * len(iids)
        pairs = zip(iids if set(fids) == {"0"} else fids, iids, strict=True)
        return dict(zip(pairs, sums(self.drawn, self.files).tolist(), strict=True))


def batches(rows: Sequence[OddFile]) -> Iterator[list[OddFile]]:
    """Return rows that go together: one for each chromosome at most."""
    yield from ([row] for row in rows if row.alone)
    together = [row for row in rows if not row.alone]
    anywhere = [row for row in together if row.chrom is None]
    fixed = [row for row in together if row.chrom is not None]
    while anywhere or fixed:
        yield [*anywhere[: len(AUTOSOMES)], *fixed[:1]]
        anywhere, fixed = anywhere[len(AUTOSOMES) :], fixed[1:]


def calculate(folder: Path, rows: Sequence[OddFile], plink2: Path | None = None) -> dict[str, Result]:
    """Run one batch and return what came of each row, and of a score of all of them, named `all`."""
    chromosomes = _build(folder, rows)
    names = {row.name: f"PGS9{number:05d}" for number, row in enumerate(rows, 1)} | {"all": "PGS900000"}
    scores = [write_score(folder, names[c.row.name], [c.drawn]) for c in chromosomes]
    scores.append(write_score(folder, names["all"], [c.drawn for c in chromosomes]))
    outcome = _run(folder, chromosomes, scores, plink2)
    sums_by_score = _read(folder / "out" / "aggregated_scores.txt.gz")
    groups = {c.row.name: [c] for c in chromosomes} | {"all": chromosomes}
    reports = {report.id: report for report in outcome.scores}
    return {
        row: Result(
            reports[name].status,
            reports[name].reason,
            reports[name].variants_matched,
            sum(SITES - len(c.files.lost) for c in groups[row]),
            sums_by_score.get(name, {}),
            _total([c.right_sums for c in groups[row]]),
        )
        for row, name in names.items()
    }


def refusal(folder: Path, row: OddFile, plink2: Path | None = None) -> str | None:
    """Run a row beside a whole chromosome, and return the code it is refused with; None where it is not."""
    chromosomes = _build(folder, [row] if row.alone else [row, WHOLE])
    scores = [write_score(folder, "PGS900000", [c.drawn for c in chromosomes])]
    try:
        _run(folder, chromosomes, scores, plink2)
    except CalculationError as error:
        return error.code
    return None


def _build(folder: Path, rows: Sequence[OddFile]) -> list[Chromosome]:
    free = iter(AUTOSOMES)
    return [_chromosome(folder, row, row.chrom or next(free)) for row in rows]


def _chromosome(folder: Path, row: OddFile, chrom: str) -> Chromosome:
    drawn = draw(folder / chrom, chrom, row.samples)
    return Chromosome(row, drawn, row.build(drawn))


def _run(folder: Path, chromosomes: Sequence[Chromosome], scores: Sequence[Path], plink2: Path | None) -> Outcome:
    targets = [c.files.target(c.drawn.chrom) for c in chromosomes]
    files = {name: path for c in chromosomes for name, path in c.files.paths.items()}
    inputs = Inputs("ODD", targets, files, scores, "GRCh38", plink2=plink2, threads=2, memory_mib=1024)
    work, out = folder / "work", folder / "out"
    return run(inputs, work=work, out=out, progress=lambda *_: None, stop=threading.Event())


def _read(path: Path) -> dict[str, dict[Sample, float]]:
    table: dict[str, dict[Sample, float]] = {}
    with open_text(path) as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            samples = table.setdefault(row["PGS"].split("_")[0], {})
            sample = (row["FID"], row["IID"])
            if sample in samples:
                raise AssertionError("a sample has two sums")
            samples[sample] = float(row["SUM"])
    return table


def _total(parts: Sequence[Mapping[Sample, float]]) -> dict[Sample, float]:
    return {sample: sum(part[sample] for part in parts) for sample in parts[0]}
