"""The chromosomes' names and lengths."""

from __future__ import annotations

from collections.abc import Mapping

AUTOSOMES = tuple(str(number) for number in range(1, 23))
CHROMS = (*AUTOSOMES, "X", "Y", "XY", "MT")
MATCHED = frozenset((*AUTOSOMES, "X", "Y"))
"""Chromosomes whose variants the PGS Catalog's tools match (pgscatalog.match, `preprocess.filter_target`)."""

_NUMBERS = {"23": "X", "24": "Y", "25": "XY", "26": "MT", "M": "MT"}
_PLAIN = {**{name: name for name in CHROMS}, **_NUMBERS}
_PREFIXED = {f"{prefix}{name}": known for prefix in ("chr", "Chr", "CHR") for name, known in _PLAIN.items()}

NAMES: Mapping[bytes, str] = {name.encode(): known for name, known in (_PLAIN | _PREFIXED).items()}
"""The names that plink2 takes for a chromosome, and the one that it writes (plink2, `--output-chr` left out)."""

PREFIXED = frozenset(name.encode() for name in _PREFIXED)

_GRCH37 = (
    249250621, 243199373, 198022430, 191154276, 180915260, 171115067, 159138663, 146364022, 141213431, 135534747,
    135006516, 133851895, 115169878, 107349540, 102531392, 90354753, 81195210, 78077248, 59128983, 63025520,
    48129895, 51304566, 155270560, 59373566,
)  # fmt: skip
_GRCH38 = (
    248956422, 242193529, 198295559, 190214555, 181538259, 170805979, 159345973, 145138636, 138394717, 133797422,
    135086622, 133275309, 114364328, 107043718, 101991189, 90338345, 83257441, 80373285, 58617616, 64444167,
    46709983, 50818468, 156040895, 57227415,
)  # fmt: skip

LENGTHS: Mapping[str, Mapping[str, int]] = {
    build: dict(zip((*AUTOSOMES, "X", "Y"), lengths, strict=True))
    for build, lengths in {"GRCh37": _GRCH37, "GRCh38": _GRCH38}.items()
}
"""Bases of each chromosome, by build. Source: the assembly reports of NCBI, GCF_000001405.13 (GRCh37) and
GCF_000001405.26 (GRCh38)."""
