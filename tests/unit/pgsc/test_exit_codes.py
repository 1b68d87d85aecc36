from __future__ import annotations

import sys

import pytest

from genoferry import errors
from genoferry.pgsc.exit_codes import BY_EXIT, failure


def test_every_code_of_the_tools_has_an_error_of_its_own() -> None:
    codes = range(8, 22)
    assert set(BY_EXIT) == set(codes)
    assert len({BY_EXIT[code].code for code in codes}) == len(codes)
    assert all(BY_EXIT[code]().user_message for code in codes)


def test_the_table_is_that_of_the_installed_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # the import replaces it
    from pgscatalog.core.lib import pgsexceptions as theirs

    pairs = {
        theirs.ScoreDownloadError: errors.ScorefileDownloadFailed,
        theirs.ScoreFormatError: errors.ScorefileInvalid,
        theirs.ScoreChecksumError: errors.ScorefileChecksum,
        theirs.QueryError: errors.CatalogQueryFailed,
        theirs.InvalidAccessionError: errors.ScorefileMissing,
        theirs.DuplicateMatchError: errors.DuplicateMatches,
        theirs.MatchRateError: errors.OverlapTooLow,
        theirs.ZeroMatchesError: errors.ZeroMatches,
        theirs.MatchValueError: errors.MatchInputInvalid,
        theirs.BuildError: errors.BuildMismatch,
        theirs.GenomesNotFound: errors.GenomesMissing,
        theirs.SamplesheetFormatError: errors.SamplesheetInvalid,
        theirs.EffectTypeError: errors.EffectTypeUnsupported,
    }
    codes = theirs.ExceptionExitCodeMap.code_map
    assert {code: pairs[kind] for kind, code in codes.items()} == {c: e for c, e in BY_EXIT.items() if c != 18}


@pytest.mark.parametrize(
    ("process", "code", "tail", "kind"),
    [
        ("MATCH_COMBINE", 15, "", errors.ZeroMatches),
        ("MATCH_COMBINE", 1, "CRITICAL Duplicate IDs in final matches", errors.DuplicateMatches),
        ("MATCH_COMBINE", 1, "secret genotype", errors.ToolFailed),
        ("FORMAT_SCOREFILES", 1, "pydantic ValidationError secret", errors.ScorefileInvalid),
        ("SCORE_AGGREGATE", 2, "", errors.ToolFailed),
        ("MATCH_VARIANTS", -9, "", errors.ToolKilled),
        ("MATCH_VARIANTS", 137, "", errors.ToolKilled),
        ("PLINK2_SCORE", 8, "Error: …", errors.GenotypesInvalid),
        ("PLINK2_SCORE", 6, "Error: Line 2 of --score file has an invalid coefficient.", errors.ScorefileInvalid),
        ("PLINK2_SCORE", 2, "Error: Out of memory.", errors.ToolKilled),
    ],
)
def test_a_tools_end_becomes_a_named_error(
    process: str, code: int, tail: str, kind: type[errors.CalculationError]
) -> None:
    error = failure(process, code, tail)
    assert type(error) is kind
    assert (error.trace_name, error.trace_exit) == (f"PGSCATALOG:EMBEDDED:{process}", code)
    assert "secret" not in error.user_message
