"""Random scores of a cohort, odd lines among them, and scorefiles that are ill-formed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

from genoferry.testing.expected import Model
from genoferry.testing.random_runs.genomes import Chromosome, Cohort
from genoferry.testing.random_runs.matching import ScoreLine, Site, complement

COLUMNS = ("rsID", "chr_name", "chr_position", "effect_allele", "other_allele", "effect_weight")
MODELS: tuple[Model, ...] = ("additive", "dominant", "recessive")
NOT_FINITE = ("nan", "NaN", "inf", "-inf", "Infinity", "1e999", "-1e400")
NO_NUMBER = ("", "NA", "0,5", "0x1p3", "1.2.3", "heavy", "1e", "--1")


def draw_score(rng: Random, cohort: Cohort) -> list[ScoreLine]:
    """Draw a score: of most of the lines the genomes have the variant, in some scores of too few."""
    places = [(c, pos) for c in cohort.chromosomes for pos in c.sites]
    chosen = rng.sample(places, rng.randint(min(8, len(places)), len(places)))
    plain = rng.random() < 0.5
    lines = [_line(rng, chromosome, pos, plain=plain) for chromosome, pos in chosen]
    if rng.random() < 0.25:
        absent = rng.choice((0.03, 0.1, 0.2, 0.6))
        lines = [replace(line, pos=line.pos + 10**7) if rng.random() < absent else line for line in lines]
    if rng.random() < 0.2:
        twice = 1 + int(rng.choice((0.0, 0.05, 0.1, 0.99)) * len(lines))
        lines += [replace(line, weight=_weight(rng)) for line in rng.sample(lines, twice)]
    return rng.sample(lines, len(lines))


def write_score(path: Path, name: str, lines: Sequence[ScoreLine]) -> Path:
    """Write a scorefile that isn't harmonised, with columns of the models where they are of use."""
    models = any(line.model != "additive" for line in lines)
    columns = (*COLUMNS, *(("is_dominant", "is_recessive") if models else ()))
    head = f"#pgs_id={name}\n#pgs_name=x\n#trait_reported=x\n#genome_build=GRCh38\n" + "\t".join(columns) + "\n"
    path.write_text(head + "".join("\t".join(_cells(line, models)) + "\n" for line in lines))
    return path


def spoil(rng: Random, lines: Sequence[ScoreLine]) -> list[ScoreLine]:
    """Return the lines with one weight that is no finite number."""
    at = rng.randrange(len(lines))
    return [replace(x, weight=rng.choice(NOT_FINITE + NO_NUMBER)) if i == at else x for i, x in enumerate(lines)]


def _line(rng: Random, chromosome: Chromosome, pos: int, *, plain: bool) -> ScoreLine:
    sites = chromosome.sites[pos]
    site = rng.choice(sites)
    effect, other = rng.sample([site.ref, site.alts[0]], 2)
    # Of dominant and recessive variants on X only plink2 knows the sums.
    model = rng.choice(MODELS) if chromosome.name != "X" and rng.random() < 0.3 else "additive"
    line = ScoreLine(chromosome.name, pos, effect, other, _weight(rng), model)
    return line if plain else _odd(rng, line, sites)


def _odd(rng: Random, line: ScoreLine, sites: Sequence[Site]) -> ScoreLine:
    kind = rng.random()
    if kind < 0.25:
        return replace(line, effect=complement(line.effect), other=complement(line.other or ""))
    if kind < 0.35 and len(sites) == 1 and len(sites[0].alts) == 1:  # else the tools choose by the order of the rows
        return replace(line, other=None)
    if kind < 0.37:
        return replace(line, effect=line.effect.lower())
    if kind < 0.39:
        return replace(line, other=rng.choice("ACGT"))
    return line


def _weight(rng: Random) -> str:
    kind, value = rng.random(), rng.gauss(0, 0.1)
    if kind < 0.8:
        return f"{value:.6f}"
    return rng.choice(
        (f"{value:.3e}", "0", "-0", "-0.0", "1", "+1.5", ".25", "3.", "1E-5", "1e-300", "123456.5", "5e-324")
    )


def _cells(line: ScoreLine, models: bool) -> list[str]:
    cells = [f"rs{line.pos}", line.chrom, str(line.pos), line.effect, line.other or "", line.weight]
    return cells + ([str(line.model == "dominant"), str(line.model == "recessive")] if models else [])
