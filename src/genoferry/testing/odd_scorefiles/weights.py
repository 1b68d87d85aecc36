"""Oddities of weights and effect types."""

from __future__ import annotations

from genoferry.testing.expected import Model
from genoferry.testing.odd_scorefiles.draft import CALCULATED, Draft, OddScorefile

INVALID = "scorefile-invalid"
NO_NUMBER = (
    "pgscatalog-format takes what Python's float takes, this too; plink2 refuses it, so pgsc_calc ends without a score."
)
REFUSED = "pgscatalog-format refuses it, naming neither file nor line."
DOSAGES = ("dosage_0_weight", "dosage_1_weight", "dosage_2_weight")


def weight(name: str, odd: str, cell: str, why: str = REFUSED) -> OddScorefile:
    """One weight that is no number."""
    return OddScorefile(name, odd, INVALID, why, lambda d: d.set(3, effect_weight=cell))


def number(name: str, odd: str, cell: str, why: str) -> OddScorefile:
    """One weight that is an odd number."""
    return OddScorefile(
        name, odd, CALCULATED, why, lambda d: d.set(3, effect_weight=cell).weigh(3, float(cell.strip('"')))
    )


def _models(draft: Draft, true: str, false: str) -> Draft:
    draft.set(is_dominant=false, is_recessive=false)
    draft.set(2, is_dominant=true).set(5, is_recessive=true)
    models: dict[int, Model] = {2: "dominant", 5: "recessive"}
    for row, model in models.items():
        term = draft.terms[row]
        draft.terms[row] = type(term)(term.row, term.of_alt, term.weight, model)
    return draft


def _without(draft: Draft, column: str) -> Draft:
    draft.columns.remove(column)
    return draft


def _dosages_alone(draft: Draft, last: str = "0.2") -> Draft:
    draft.columns.remove("effect_weight")
    return draft.set(dosage_0_weight="0", dosage_1_weight="0.1", dosage_2_weight="0.2").set(-1, dosage_2_weight=last)


ROWS = (
    weight("nan", "a weight is `nan`", "nan", NO_NUMBER),
    weight("negative NaN", "a weight is `-NaN`", "-NaN", NO_NUMBER),
    weight("inf", "a weight is `inf`", "inf", NO_NUMBER),
    weight("Infinity", "a weight is `-Infinity`", "-Infinity", NO_NUMBER),
    weight("too large", "a weight is `1e400`, which no double holds", "1e400", NO_NUMBER),
    weight("overflow", "a weight is `1e308`: two copies of it are more than a double holds", "1e308",
           "pgsc_calc would publish `inf`."),
    OddScorefile("sum overflows", "twenty weights of `9e306`: each fits a double, their sum does not", INVALID,
                 "pgsc_calc would publish `inf` of whoever has many of them.",
                 lambda d: d.set(effect_weight="9e306")),
    number("very large", "a weight is `1e300`", "1e300", "It is a number, and so are its sums."),
    number("minus zero", "a weight is `-0`", "-0", "It adds nothing."),
    number("underflow", "a weight is `1e-400`, which a double holds as 0", "1e-400", "It adds nothing to six digits."),
    number("exponent", "a weight is `-2.5E-3`", "-2.5E-3", "Every tool reads it."),
    number("bare point", "a weight is `+.5`", "+.5", "Every tool reads it."),
    number("many digits", "a weight has 40 digits", "0.0123456789012345678901234567890123456789",
           "It is read to a double's 17."),
    number("spaces around", "a weight has spaces around it", " 0.1 ", "Every tool passes over them."),
    number("quoted", "a weight in quotes", '"0.1"', "The tools' csv reader takes them off."),
    OddScorefile("weight 0 everywhere", "every weight is `0`", CALCULATED, "Every sum is 0.",
                 lambda d: d.set(effect_weight="0").lose(*range(20))),
    weight("decimal comma", "a weight is `0,1`", "0,1"),
    weight("thousands", "a weight is `1,000.5`", "1,000.5"),
    weight("underscore", "a weight is `1_000`", "1_000", NO_NUMBER),
    weight("hex", "a weight is `0x1A`", "0x1A"),
    weight("hex float", "a weight is `0x1.8p1`", "0x1.8p1"),
    weight("NA", "a weight is `NA`", "NA"),
    weight("no weight", "a weight is empty", ""),
    weight("a dot", "a weight is `.`", "."),
    weight("inner space", "a weight is `1 000`", "1 000"),
    weight("fraction", "a weight is `1/2`", "1/2"),
    weight("percent", "a weight is `10%`", "10%"),
    weight("other digits", "a weight is `\u0663` (an Arabic digit)", "\u0663", NO_NUMBER),
    weight("long dash", "a weight with a minus sign of typography, `\u22120.1`", "\u22120.1"),
    OddScorefile("bad weight in the last row", "the last row's weight is `nan`", INVALID, NO_NUMBER,
                 lambda d: d.set(-1, effect_weight="nan")),
    OddScorefile("flags as words", "`is_dominant` and `is_recessive` are `True` or `False`", CALCULATED,
                 "As the PGS Catalog writes them.", lambda d: _models(d, "True", "False")),
    OddScorefile("flags in lower case", "they are `true` or `false`", CALCULATED, "pydantic reads them.",
                 lambda d: _models(d, "true", "false")),
    OddScorefile("flags as digits", "they are `1` or `0`", CALCULATED, "pydantic reads them.",
                 lambda d: _models(d, "1", "0")),
    OddScorefile("empty flag", "`is_dominant` is empty in a row", INVALID, REFUSED,
                 lambda d: _models(d, "True", "False").set(7, is_dominant="")),
    OddScorefile("both flags", "a row is both dominant and recessive", INVALID, REFUSED,
                 lambda d: _models(d, "True", "False").set(2, is_recessive="True")),
    OddScorefile("dosage weights", "weights by dosage alone (`dosage_0_weight` and so on)", "effect-type-unsupported",
                 "pgscatalog-format leaves such scores out, and fails where there is no other.", _dosages_alone,
                 reason="neither additive, dominant nor recessive"),
    OddScorefile("dosage weights beside", "weights by dosage beside `effect_weight`", CALCULATED,
                 "`effect_weight` counts.",
                 lambda d: d.set(dosage_0_weight="0", dosage_1_weight="9", dosage_2_weight="99")),
    OddScorefile("nan dosage", "a weight by dosage is `nan`", INVALID,
                 "A file that isn't well-formed is not left out without a word.", lambda d: _dosages_alone(d, "nan")),
    OddScorefile("inf dosage beside", "a weight by dosage is `inf`, beside a good `effect_weight`", INVALID,
                 "It would not be used, but the file isn't well-formed.",
                 lambda d: d.set(dosage_0_weight="0", dosage_1_weight="inf", dosage_2_weight="1")),
    OddScorefile("some by dosage", "a row has weights by dosage and no `effect_weight`", INVALID, REFUSED,
                 lambda d: d.set(dosage_0_weight="0", dosage_1_weight="1", dosage_2_weight="3")
                            .set(4, effect_weight="")),
    OddScorefile("two dosages", "there is no `dosage_2_weight`, and no `effect_weight`", INVALID, REFUSED,
                 lambda d: _without(_dosages_alone(d), "dosage_2_weight")),
    OddScorefile("odds ratios alone", "there is `OR` and no `effect_weight`", INVALID, REFUSED,
                 lambda d: _without(d.set(OR="1.2"), "effect_weight")),
    OddScorefile("odds ratio NA", "`OR` is `NA` in a row, beside a good `effect_weight`", INVALID, REFUSED,
                 lambda d: d.set(OR="1.2").set(4, OR="NA")),
    OddScorefile("frequency", "a column `allelefrequency_effect_Asian`", CALCULATED,
                 "Columns of any name that begins so are known.",
                 lambda d: d.set(allelefrequency_effect_Asian="0.25")),
)  # fmt: skip
