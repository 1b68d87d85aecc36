"""Allele matching against a definition that knows no kinds and no order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from genoferry.pgsc.preflight.matching import NONE, Kept, Wanted, ambiguous, kind_of, other_strand

PAIRS = {"A": "T", "T": "A", "C": "G", "G": "C"}
ALLELES = st.one_of(
    st.sampled_from("ACGT"), st.text("ACGT", min_size=1, max_size=3), st.sampled_from(["N", "*", "<DEL>", "P"])
)


def flipped(allele: str) -> str:
    return "".join(PAIRS[base] for base in allele) if set(allele) <= set(PAIRS) else allele


@given(ALLELES, st.none() | ALLELES, ALLELES, ALLELES)
def test_a_match_is_the_same_alleles_on_either_strand(effect: str, other: str | None, ref: str, alt: str) -> None:
    strands = [(effect, other), (flipped(effect), other and flipped(other))]
    if other is None:
        expected = any(mine in (ref, alt) for mine, _ in strands)
    else:
        expected = any(pair in ((ref, alt), (alt, ref)) for pair in strands)
    kind = kind_of(effect.encode(), other.encode() if other else None, ref.encode(), alt.encode())
    assert (kind < NONE) == expected
    wanted = Wanted("1", 5, effect.encode(), other.encode() if other else None)
    wanted.meet(ref.encode(), [alt.encode()], Kept())
    assert wanted.hit
    assert wanted.counts == (expected and flipped(ref) != alt)


@given(ALLELES)
def test_the_other_strand_of_the_other_strand_is_the_first(allele: str) -> None:
    assert other_strand(other_strand(allele.encode())) == allele.encode()


PLAIN = Kept()


def met(wanted: Wanted, *variants: str, kept: Kept = PLAIN) -> bool:
    for variant in variants:
        ref, alts = variant.split(">")
        wanted.meet(ref.encode(), alts.encode().split(b","), kept)
    return wanted.counts


def test_ambiguous_and_multiallelic_ones_count_where_they_are_kept() -> None:
    def snp() -> Wanted:
        return Wanted("1", 5, b"A", b"T")

    assert ambiguous(b"A", b"T")
    assert not met(snp(), "A>T")
    assert met(snp(), "A>T", kept=Kept(ambiguous=True))
    assert not met(snp(), "A>T,G", kept=Kept(ambiguous=True))
    assert met(snp(), "A>G,T", kept=Kept(ambiguous=True, multiallelic=True))


def test_the_best_kind_counts_and_the_first_of_two_alike() -> None:
    assert not met(Wanted("1", 5, b"A", None), "A>T", "A>G")  # both are REF: the first one is ambiguous
    assert met(Wanted("1", 5, b"A", None), "A>G", "A>T")
    assert met(Wanted("1", 5, b"A", None), "T>A", "A>G")  # REF goes before ALT


def test_a_long_allele_has_no_id_to_match_by() -> None:
    long = b"A" * 101
    wanted = Wanted("1", 5, long, b"C")
    wanted.meet(b"C", [long], Kept())
    assert not wanted.counts
