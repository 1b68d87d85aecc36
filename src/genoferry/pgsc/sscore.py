"""What `plink2 --score` writes, for pgscatalog-aggregate to read."""

from __future__ import annotations

from pathlib import Path

from genoferry.pgsc.samples import Samples
from genoferry.pgsc.score import Sums
from genoferry.pgsc.textio import create_zst
from genoferry.pgsc.weights import Weights


def write_sscore(folder: Path, weights: Weights, samples: Samples, total: Sums) -> Path:
    """Writes `.sscore.zst` and `.sscore.vars` as plink2 does (`cols=+scoresums,+denom,+fid list-variants zs`), but
    with every digit of the sums, where plink2 gives six."""
    stem = weights.stem
    (folder / f"{stem}.sscore.vars").write_text("".join(f"{name}\n" for name in total.variants))
    path = folder / f"{stem}.sscore.zst"
    names = weights.scores()
    with create_zst(path) as out:
        head = ["#FID", "IID", "ALLELE_CT", "DENOM", "NAMED_ALLELE_DOSAGE_SUM"]
        out.write("\t".join([*head, *(f"{n}_AVG" for n in names), *(f"{n}_SUM" for n in names)]) + "\n")
        for i, (fid, iid) in enumerate(zip(samples.fid, samples.iid, strict=True)):
            denominator = int(total.denominator[i])
            counts = (int(total.allele_count[i]), denominator, float(total.dosage[i]))
            sums = total.sums[i].tolist()
            averages = [value / denominator if denominator else 0.0 for value in sums]
            out.write("\t".join(map(str, (fid, iid, *counts, *averages, *sums))) + "\n")
    return path
