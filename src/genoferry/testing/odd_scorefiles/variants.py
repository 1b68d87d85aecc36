"""Oddities of rows: alleles, places, and rows that name the same variant."""

from __future__ import annotations

from genoferry.testing.odd_scorefiles.draft import (
    AMBIGUOUS,
    CALCULATED,
    INSERTION,
    LONG,
    Draft,
    OddScorefile,
    X,
    other_strand,
)
from genoferry.testing.odd_scorefiles.weights import INVALID, REFUSED

UNMATCHED = "The tools match nothing to it; the row is counted as unmatched and adds nothing."
AS_IT_IS = "pgsc_calc warns of complex scores, and counts a plain allele as what it is; so does this."
ROUND = "pydantic takes it for a whole number."


def unmatched(name: str, odd: str, *rows: int, why: str = UNMATCHED, **cells: str) -> OddScorefile:
    """Rows that can't match."""
    numbers = rows or (3,)
    return OddScorefile(name, odd, CALCULATED, why, lambda d: d.set(*numbers, **cells).lose(*numbers))


def refused(name: str, odd: str, **cells: str) -> OddScorefile:
    return OddScorefile(name, odd, INVALID, REFUSED, lambda d: d.set(3, **cells))


def same(name: str, odd: str, **cells: str) -> OddScorefile:
    """Rows that are odd and yet match."""
    return OddScorefile(name, odd, CALCULATED, ROUND, lambda d: d.set(3, **cells))


def _repeat(draft: Draft, *numbers: int, swapped: bool = False, turned: bool = False) -> Draft:
    """Rows once more, with the alleles swapped, or on the other strand."""
    for number in numbers:
        row = dict(draft.rows[number])
        alleles = row["effect_allele"], row["other_allele"]
        effect, other = alleles[::-1] if swapped else alleles
        if turned:
            effect, other = other_strand(effect), other_strand(other)
        draft.rows.append({**row, "effect_allele": effect, "other_allele": other})
    return draft.lose(*numbers)


def _on_x(draft: Draft, name: str) -> Draft:
    return draft.add(X).set(-1, chr_name=name)


def _alleles(draft: Draft, *alleles: str) -> Draft:
    for number, allele in enumerate(alleles):
        draft.set(number, effect_allele=allele)
    return draft.lose(*range(len(alleles)))


def _chromosomes(draft: Draft, *names: str) -> Draft:
    for number, name in enumerate(names):
        draft.set(number, chr_name=name)
    return draft.lose(*range(len(names)))


def _harmonised_elsewhere(draft: Draft) -> Draft:
    return draft.harmonise(chr_name="1", chr_position="1")


def _inferred(draft: Draft, other: str | None = None) -> Draft:
    """The other allele in the harmoniser's column alone."""
    draft.harmonise()
    for row in draft.rows:
        row["hm_inferOtherAllele"] = other or row["other_allele"]
    draft.columns.remove("other_allele")
    return draft


def _no_other(draft: Draft) -> Draft:
    draft.columns.remove("other_allele")
    return draft


def _only_head(draft: Draft) -> Draft:
    return draft.head(genome_build="GRCh37", HmPOS_build="GRCh38", HmPOS_date="2024-01-01")


TWICE = "All rows that name one variant are left out of a score (pgscatalog.match, `_label_duplicate_id`)."

ROWS = (
    OddScorefile("one row doubled", "one row stands twice", CALCULATED, TWICE, lambda d: _repeat(d, 3)),
    OddScorefile("one row three times", "one row stands three times", CALCULATED, TWICE,
                 lambda d: _repeat(_repeat(d, 3), 3)),
    OddScorefile("all rows doubled", "every row stands twice", INVALID,
                 f"{TWICE} None is left, which pgsc_calc tells as zero matches.", lambda d: _repeat(d, *range(20)),
                 reason="40 of its 40 rows name the same variant as another of its rows"),
    OddScorefile("half of the rows doubled", "too few rows are left for the overlap", INVALID, TWICE,
                 lambda d: _repeat(d, *range(10)), reason="20 of its 30 rows name the same variant"),
    OddScorefile("doubled with other weight", "a row stands twice, with two weights", CALCULATED, TWICE,
                 lambda d: _repeat(d, 3).set(-1, effect_weight="0.7")),
    OddScorefile("both alleles", "two rows count one variant's two alleles", CALCULATED, TWICE,
                 lambda d: _repeat(d, 3, swapped=True)),
    OddScorefile("both strands", "two rows name one variant on its two strands", CALCULATED, TWICE,
                 lambda d: _repeat(d, 3, turned=True)),
    OddScorefile("other strand", "a row's alleles are on the other strand", CALCULATED,
                 "The tools flip what doesn't match otherwise.",
                 lambda d: d.set(3, effect_allele=other_strand, other_allele=other_strand)),
    OddScorefile("ambiguous strand", "a row's alleles are A and T", CALCULATED,
                 "Left out unless `keep_ambiguous` is asked for.", lambda d: d.add(AMBIGUOUS).lose(20)),
    OddScorefile("same alleles", "a row's effect allele is its other allele", CALCULATED, UNMATCHED,
                 lambda d: d.set(3, other_allele="A", effect_allele="A").lose(3)),
    OddScorefile("lower case", "a row's alleles are in lower case", CALCULATED, UNMATCHED,
                 lambda d: d.set(3, effect_allele=str.lower, other_allele=str.lower).lose(3)),
    OddScorefile("several other alleles", "a row's other allele is `A/C`, which may hold the one there is", CALCULATED,
                 "The tools drop the other allele of such rows, and match the effect allele alone.",
                 lambda d: d.set(3, other_allele="A/C")),
    OddScorefile("no other allele", "a row has no other allele", CALCULATED, "The effect allele alone is matched.",
                 lambda d: d.set(3, other_allele="")),
    OddScorefile("no column of other alleles", "there is no `other_allele`", CALCULATED,
                 "The effect allele alone is matched.", _no_other),
    OddScorefile("wrong other allele", "a row's other allele is `GG`, which the genomes don't have there", CALCULATED,
                 UNMATCHED, lambda d: d.set(3, other_allele="GG").lose(3)),
    OddScorefile("longest alleles", "an allele of 100 bases", CALCULATED, "pgsc_calc names variants up to that length.",
                 lambda d: d.add(INSERTION)),
    OddScorefile("too long alleles", "an allele of 101 bases", CALCULATED,
                 "Longer ones have no name, so they match nothing (`--new-id-max-allele-len 100 missing`).",
                 lambda d: d.add(LONG).lose(20)),
    OddScorefile("several effect alleles", "effect alleles `A/T`, `A,T`, `AT/A`", CALCULATED, UNMATCHED,
                 lambda d: _alleles(d, "A/T", "A,T", "AT/A")),
    OddScorefile("no bases", "effect alleles `-`, `.`, `N`, `*`, `I`", CALCULATED, UNMATCHED,
                 lambda d: _alleles(d, "-", ".", "N", "*", "I")),
    OddScorefile("no effect allele", "a row has no effect allele", CALCULATED, UNMATCHED,
                 lambda d: d.set(3, effect_allele="").lose(3)),
    OddScorefile("spaces in alleles", "a space after an effect allele", CALCULATED, UNMATCHED,
                 lambda d: d.set(3, effect_allele=lambda allele: allele + " ").lose(3)),
    unmatched("chr prefix", "a chromosome is `chr21`", chr_name="chr21"),
    unmatched("leading zero", "a chromosome is `021`", chr_name="021"),
    unmatched("chromosome as a float", "a chromosome is `21.0`", chr_name="21.0"),
    OddScorefile("X", "a row on `X`", CALCULATED, "Matched; men count as 0 or 2.", lambda d: _on_x(d, "X")),
    OddScorefile("23", "a row on `23`", CALCULATED, "The tools know X by its name alone; the row is unmatched.",
                 lambda d: _on_x(d, "23").lose(20)),
    OddScorefile("lower-case x", "a row on `x`", CALCULATED, UNMATCHED, lambda d: _on_x(d, "x").lose(20)),
    OddScorefile("PAR and MT", "rows on `PAR1`, `XY`, `MT`, `Y`", CALCULATED, UNMATCHED,
                 lambda d: _chromosomes(d, "PAR1", "XY", "MT", "Y")),
    unmatched("unplaced contig", "a row on `GL000192.1`", chr_name="GL000192.1"),
    same("position as a float", "a position is `10003000.0`", chr_position="10003000.0"),
    same("position with spaces", "a position has spaces around it", chr_position=" 10003000 "),
    refused("position as 1e7", "a position is `1e7`", chr_position="1e7"),
    refused("half a position", "a position is `10003000.5`", chr_position="10003000.5"),
    refused("position with commas", "a position is `10,003,000`", chr_position="10,003,000"),
    refused("negative position", "a position is `-5`", chr_position="-5"),
    refused("position 0", "a position is `0`", chr_position="0"),
    refused("position NA", "a position is `NA`", chr_position="NA"),
    unmatched("beyond the end", "a position past the chromosome's end", chr_position="999999999"),
    refused("position without chromosome", "a row has a position and no chromosome", chr_name=""),
    refused("no place", "a row has neither an rsID nor a place", rsID="", chr_name="", chr_position=""),
    unmatched("rsID alone", "a row has an rsID and no place", chr_name="", chr_position="",
              why="pgsc_calc doesn't look rsIDs up; the row is unmatched."),
    OddScorefile("rsIDs alone", "no row has a place", "zero-matches", "pgsc_calc doesn't look rsIDs up.",
                 lambda d: d.set(chr_name="", chr_position="").lose(*range(20)), reason="None of its variants match"),
    OddScorefile("harmonised", "the author's places are others than the harmonised ones", CALCULATED,
                 "The harmonised ones count where the header says that there are some.", _harmonised_elsewhere),
    OddScorefile("harmonised columns alone", "harmonised columns, of which the header says nothing", CALCULATED,
                 "The author's places count.", lambda d: d.harmonise(header=False, hm_chr="1", hm_pos="1")),
    OddScorefile("not harmonised rows", "rows that could not be harmonised (`Unknown`, no `hm_pos`)", CALCULATED,
                 UNMATCHED, lambda d: d.harmonise().set(3, hm_source="Unknown", hm_chr="", hm_pos="").lose(3)),
    OddScorefile("harmonised to position 0", "`hm_pos` is 0 in a row", CALCULATED, UNMATCHED,
                 lambda d: d.harmonise().set(3, hm_pos="0").lose(3)),
    OddScorefile("harmonised without columns", "the header says harmonised, and there are no such columns",
                 "zero-matches", "No row has a place then.", lambda d: _only_head(d).lose(*range(20)),
                 reason="None of its variants"),
    OddScorefile("inferred other allele", "the other allele is in `hm_inferOtherAllele` alone", CALCULATED,
                 "It counts where there is no `other_allele`.", _inferred),
    OddScorefile("inferred other alleles", "`hm_inferOtherAllele` is `A/C`", CALCULATED,
                 "Several are dropped, and the effect allele alone is matched.", lambda d: _inferred(d, "A/C")),
    OddScorefile("haplotype", "a row is a haplotype: `is_haplotype`, an allele `APOE_e4`, no place", CALCULATED,
                 UNMATCHED,
                 lambda d: d.set(is_haplotype="False").set(3, is_haplotype="True", effect_allele="APOE_e4", rsID="",
                                                           chr_position="").lose(3)),
    OddScorefile("plain haplotype", "a row with a plain allele is flagged `is_haplotype`", CALCULATED, AS_IT_IS,
                 lambda d: d.set(is_haplotype="False").set(3, is_haplotype="True")),
    OddScorefile("interaction", "a row is an interaction: `is_interaction`, alleles `A_x_T`", CALCULATED, UNMATCHED,
                 lambda d: d.set(is_interaction="False").set(3, is_interaction="True", effect_allele="A_x_T",
                                                             rsID="rs1_x_rs2").lose(3)),
    OddScorefile("plain interaction", "a row with a plain allele is flagged `is_interaction`", CALCULATED, AS_IT_IS,
                 lambda d: d.set(is_interaction="False").set(3, is_interaction="True")),
    OddScorefile("HLA allele", "a row's effect allele is `P`, of an HLA type without a place", CALCULATED, UNMATCHED,
                 lambda d: d.set(3, effect_allele="P", rsID="HLA-DQA1*0102", chr_position="").lose(3)),
)  # fmt: skip
