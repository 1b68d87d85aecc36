"""Oddities of headers, columns, lines and storage."""

from __future__ import annotations

import bz2
import gzip

import zstandard

from genoferry.testing.odd_scorefiles.draft import CALCULATED, COLUMNS, Draft, OddScorefile
from genoferry.testing.odd_scorefiles.weights import INVALID, REFUSED


def refused(name: str, odd: str, old: str, new: str, why: str = REFUSED) -> OddScorefile:
    """A text with something else in it."""
    return OddScorefile(name, odd, INVALID, why, lambda d: d.edit(lambda text: text.replace(old, new)))


def taken(name: str, odd: str, old: str, new: str, why: str) -> OddScorefile:
    return OddScorefile(name, odd, CALCULATED, why, lambda d: d.edit(lambda text: text.replace(old, new)))


def _after_row(draft: Draft, number: int, line: str) -> Draft:
    def edit(text: str) -> str:
        lines = text.split("\n")
        at = len(draft.header) + 2 + number
        return "\n".join([*lines[:at], line, *lines[at:]])

    return draft.edit(edit)


def _members(text: str) -> bytes:
    """A gzip file of several members, one of them empty."""
    parts = (text[:300], "", text[300:700], text[700:])
    return b"".join(gzip.compress(part.encode(), mtime=0) for part in parts)


def _reorder(draft: Draft) -> Draft:
    draft.columns = sorted(COLUMNS)
    return draft


def _twice(draft: Draft) -> Draft:
    draft.columns.append("effect_weight")
    return draft


def _quoted(text: str) -> str:
    return "\n".join(
        line if not line or line.startswith("#") else "\t".join(f'"{cell}"' for cell in line.split("\t"))
        for line in text.split("\n")
    )


def _no_rows(draft: Draft) -> Draft:
    draft.rows.clear()
    return draft


PLAIN = "The tools read it."
MENDED = "The tools' header parser takes one equals sign a line; they are given a copy without the others."
STORED = "Scorefiles are taken as plain text, in gzip or in zstd; the tools would read this too."

ROWS = (
    OddScorefile("equals sign in the trait", "`#trait_reported=BMI >= 30 (a=b)`", CALCULATED, MENDED,
                 lambda d: d.head(trait_reported="BMI >= 30 (a=b)")),
    OddScorefile("equals sign in the citation", "`#citation=https://doi.example/?id=1&x==2`", CALCULATED, MENDED,
                 lambda d: d.head(citation="https://doi.example/?id=1&x==2")),
    OddScorefile("empty trait", "`#trait_reported=`", CALCULATED, PLAIN, lambda d: d.head(trait_reported="")),
    OddScorefile("trait in another script", "a trait in Greek, in UTF-8", CALCULATED, PLAIN,
                 lambda d: d.head(trait_reported="\u03c7\u03bf\u03bb\u03b7\u03c3\u03c4\u03b5\u03c1\u03cc\u03bb\u03b7")),
    OddScorefile("Latin-1", "a trait in Latin-1, which is not UTF-8", INVALID, REFUSED,
                 lambda d: d.head(trait_reported="Crohn\u00e9").store(lambda text: text.encode("latin-1"))),
    OddScorefile("no trait", "there is no `trait_reported`", INVALID, REFUSED, lambda d: d.head(trait_reported=None)),
    OddScorefile("no build", "there is no `genome_build`", INVALID, REFUSED, lambda d: d.head(genome_build=None)),
    OddScorefile("unknown build", "`#genome_build=hg99`", INVALID, REFUSED, lambda d: d.head(genome_build="hg99")),
    OddScorefile("build not reported", "`#genome_build=NR`, and not harmonised", "genome-build-mismatch",
                 "pgscatalog-format refuses it.", lambda d: d.head(genome_build="NR")),
    OddScorefile("other build", "`#genome_build=GRCh37`, genomes in GRCh38", "genome-build-mismatch",
                 "pgscatalog-format refuses it unless it may lift over.", lambda d: d.head(genome_build="GRCh37")),
    OddScorefile("hg38", "`#genome_build=hg38`", CALCULATED, "Another name of GRCh38.",
                 lambda d: d.head(genome_build="hg38")),
    OddScorefile("format 1.0", "`#format_version=1.0`", CALCULATED,
                 "The tools take the header for a custom score's.", lambda d: d.head(format_version="1.0")),
    OddScorefile("no id", "there is no `pgs_id`", INVALID, REFUSED, lambda d: d.head(pgs_id=None)),
    OddScorefile("empty id", "`#pgs_id=`", INVALID, "Its sums would have no name.", lambda d: d.head(pgs_id="")),
    OddScorefile("path as id", "`#pgs_id=../x`", INVALID, "Ids are parts of file names.",
                 lambda d: d.head(pgs_id="../x")),
    OddScorefile("id with _SUM", "`#pgs_id=MY_SUM_1`", INVALID,
                 "pgscatalog-aggregate cuts `_SUM` out of names: its sums would be published as those of `MY_1`.",
                 lambda d: d.head(pgs_id="MY_SUM_1")),
    refused("byte order mark", "the file begins with a byte order mark", "#format_version", "\ufeff#format_version"),
    refused("space before a key", "`# pgs_id=`", "#pgs_id", "# pgs_id"),
    refused("no header", "the file begins with its columns", "#", ""),
    refused("unknown column", "a column `beta`", "effect_weight\n", "effect_weight\tbeta\n"),
    refused("columns in capitals", "`Effect_Allele`", "effect_allele", "Effect_Allele"),
    refused("no column of effect alleles", "it is named `locus_name`", "effect_allele", "locus_name"),
    OddScorefile("column twice", "`effect_weight` stands twice", INVALID,
                 "The tools take the last one; which is meant is not clear.", _twice),
    OddScorefile("columns in another order", "the columns in the order of their names", CALCULATED, PLAIN, _reorder),
    OddScorefile("more columns that are known", "`locus_name` and `variant_description`", CALCULATED, PLAIN,
                 lambda d: d.set(locus_name="APOE", variant_description="a, b; c")),
    OddScorefile("rsid", "the column of rsIDs is `rsid`", CALCULATED, PLAIN,
                 lambda d: d.edit(lambda text: text.replace("rsID", "rsid"))),
    refused("spaces for tabs", "cells are separated by spaces", "\t", " "),
    refused("commas for tabs", "cells are separated by commas", "\t", ","),
    OddScorefile("trailing tab in a row", "a tab after a row's last cell", INVALID, REFUSED,
                 lambda d: d.set(3, effect_weight="0.1\t")),
    refused("trailing tabs everywhere", "a tab after every line, the columns' too", "\n", "\t\n"),
    OddScorefile("short row", "a row ends after its position", INVALID, REFUSED,
                 lambda d: _after_row(d, 3, "rs1\t21\t10003000")),
    taken("CRLF", "lines end as on Windows", "\n", "\r\n", PLAIN),
    OddScorefile("no last line end", "the last line has no end", CALCULATED, PLAIN, lambda d: d.edit(str.rstrip)),
    OddScorefile("blank line", "a blank line among the rows", CALCULATED, "The tools pass over it.",
                 lambda d: _after_row(d, 3, "")),
    OddScorefile("blank lines at the end", "three blank lines after the rows", CALCULATED, "The tools pass over them.",
                 lambda d: d.edit(lambda text: text + "\n\n\n")),
    OddScorefile("line of spaces", "a line of spaces among the rows", INVALID, REFUSED,
                 lambda d: _after_row(d, 3, "   ")),
    refused("blank line before the columns", "a blank line between header and columns", "rsID\t", "\nrsID\t"),
    OddScorefile("comment", "a line `#note` among the rows", CALCULATED, "The tools pass over it.",
                 lambda d: _after_row(d, 3, "#note\twith=equals=signs")),
    OddScorefile("quoted cells", "every cell in quotes", CALCULATED, "The tools' csv reader takes them off.",
                 lambda d: d.edit(_quoted)),
    OddScorefile("open quote", "a quote that is not closed, in the last cell of a row", INVALID,
                 "The tools would take all rows below for more of that cell, and leave them out without a word.",
                 lambda d: d.set(locus_name="APOE").set(3, locus_name='"APOE')),
    OddScorefile("no rows", "there is nothing after the columns", INVALID, REFUSED, _no_rows),
    OddScorefile("empty file", "there is nothing in it", INVALID, REFUSED, lambda d: d.store(lambda _: b"")),
    OddScorefile("plain text", "it is not compressed", CALCULATED, PLAIN, lambda d: d.store(str.encode)),
    OddScorefile("gzip members", "gzip of several members, one of them empty", CALCULATED, PLAIN,
                 lambda d: d.store(_members)),
    OddScorefile("zstd", "it is compressed with zstd", CALCULATED, PLAIN,
                 lambda d: d.store(lambda text: zstandard.compress(text.encode()))),
    OddScorefile("bzip2", "it is compressed with bzip2", INVALID, STORED,
                 lambda d: d.store(lambda text: bz2.compress(text.encode()))),
    OddScorefile("cut gzip", "its last bytes are lacking", INVALID, REFUSED,
                 lambda d: d.store(lambda text: gzip.compress(text.encode(), mtime=0)[:-20])),
)  # fmt: skip
