"""The chromosomes' names and lengths."""

from __future__ import annotations

from collections.abc import Mapping

AUTOSOMES = tuple(str(number) for number in range(1, 23))
CHROMS = (*AUTOSOMES, "X", "Y", "XY", "MT")
MATCHED = frozenset((*AUTOSOMES, "X", "Y"))
"""Chromosomes whose variants the PGS Catalog's tools match (pgscatalog.match, `preprocess.filter_target`)."""

_NUMBERS = {"23": "X", "24": "Y", "25": "XY", "26": "MT", "M": "MT"}
_NAMES: Mapping[bytes, str] = {
    name.encode(): known for name, known in ({name: name for name in CHROMS} | _NUMBERS).items()
}
_PREFIX = b"CHR"


def called(name: bytes) -> str | None:
    """The name that plink2 writes for a chromosome, None where it knows none (`--output-chr` left out).

    Tried with plink2 (20241020 alpha): it minds no capitals, takes off `chr`, then a 0 before a single character.
    """
    plain = name.upper().removeprefix(_PREFIX)
    return _NAMES.get(plain[1:] if len(plain) == 2 and plain.startswith(b"0") else plain)


def prefixed(name: bytes) -> bool:
    return name[:3].upper() == _PREFIX and called(name) is not None


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
